"""Suggestions for a field: the values in former applications of this applicant, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.application import Application

FIELDS = ("manufacturer", "consignee", "contact", "phone")
OF_PLANT = ("country", "sid_code")  # what belongs to a `manufacturer`
MOST_READ, MOST_OFFERED = 200, 30  # newest applications that are read; different values offered for each field


@dataclass(frozen=True)
class Former:
    """`texts`: field → its values, newest first; `plants`: manufacturer → the last known value of each of OF_PLANT."""

    texts: dict[str, list[str]]
    plants: dict[str, dict[str, str]]


def former_values(session: Session) -> Former:
    """The values in the rows that this session sees (for a publisher its own)."""
    columns = (getattr(Application, name) for name in (*FIELDS, *OF_PLANT))
    newest = select(Application.id, *columns).order_by(Application.id.desc()).limit(MOST_READ).subquery()
    # Most of them are alike: each combination once, at the place of its newest row.
    different = [newest.c[name] for name in (*FIELDS, *OF_PLANT)]
    rows = session.execute(select(*different).group_by(*different).order_by(func.max(newest.c.id).desc())).all()
    found = {name: dict.fromkeys(row[at] for row in rows if row[at]) for at, name in enumerate(FIELDS)}
    texts = {name: list(words)[:MOST_OFFERED] for name, words in found.items()}
    return Former(texts, _plants(row for row in rows if row.manufacturer in texts["manufacturer"]))


def _plants(rows: Iterable[Any]) -> dict[str, dict[str, str]]:
    plants: dict[str, dict[str, str]] = {}
    for row in rows:
        known = plants.setdefault(row.manufacturer, {})
        for name in OF_PLANT:
            if value := getattr(row, name):
                known.setdefault(name, value)
    return plants
