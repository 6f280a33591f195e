"""What is said of a certificate on paper and screen: labels, dates, totals, from its frozen snapshot."""

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date

from models.application import Application
from models.application.carriers import Carrier
from models.certificate import Certificate
from models.columns import granted
from models.database import tidy

HEADS = {column.key: column.info.get("label") for column in Certificate.__table__.columns}


def label(name: str) -> str:
    """The field's label where it stands on its column; both credit codes share theirs."""
    return str(Application.__table__.columns["applicant_code" if name == "publisher_code" else name].info["label"])


def said(snapshot: dict[str, Any], name: str) -> str:
    """The field's text, a date as on official papers; a dash where nothing was filed, so that nothing can be added."""
    text = snapshot.get(name, "—")
    is_date = isinstance(Application.__table__.columns[name].type, Date)
    return dated(date.fromisoformat(text)) if is_date and text != "—" else text


def dated(day: date) -> str:
    """2026年11月3日: Arabic numerals, no leading zeros (GB/T 9704-2012, 7.3.5.4)."""
    return f"{day.year}年{day.month}月{day.day}日"


def columns_for(carriers: list[dict[str, str]]) -> dict[str, str]:
    """Column → heading: the required ones always, the others where any row fills them."""
    fields = {name: Carrier.__table__.columns[name].info for name in granted(Carrier)}
    return {
        name: str(info["label"])
        for name, info in fields.items()
        if name == "position" or info.get("required") or any(name in row for row in carriers)
    }


def total_of(carriers: list[dict[str, str]]) -> str:
    """共 3 条；020-片 1500；140-盒 20: how many rows, and the sum for each unit."""
    sums: dict[str, Decimal] = {}
    for row in carriers:
        sums[row["unit"]] = sums.get(row["unit"], Decimal()) + Decimal(row["quantity"])
    parts = [_("共 %(count)s 条", count=len(carriers))] + [f"{unit} {tidy(sums[unit])}" for unit in sorted(sums)]
    return "；".join(parts)
