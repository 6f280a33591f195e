"""Suggestions for a field: the values in former applications of this applicant, newest first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.application import Application

FIELDS = ("manufacturer", "consignee", "contact", "phone")
MOST_READ, MOST_OFFERED = 200, 30  # newest applications that are read; different values offered for each field


def former_values(session: Session) -> dict[str, list[str]]:
    """Field → its values, newest first, in the rows that this session sees (for a publisher its own)."""
    newest = select(*(getattr(Application, name) for name in FIELDS)).order_by(Application.id.desc())
    rows = session.execute(newest.limit(MOST_READ)).all()
    found = {name: dict.fromkeys(row[at] for row in rows if row[at]) for at, name in enumerate(FIELDS)}
    return {name: list(words)[:MOST_OFFERED] for name, words in found.items()}
