"""Display of a certificate's snapshot on paper and screen: labels, dates, totals."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date

from models.application import Application
from models.application.carriers import Carrier
from models.application.totals import sums_of
from models.certificate import Certificate
from models.certificate.uses import CertificateUse
from models.codes import label_of
from models.columns import granted
from models.language import in_clauses, is_english

USE_HEAD = CertificateUse.__table__.columns["usage"].info["label"]
HEADS = {column.key: column.info.get("label") for column in Certificate.__table__.columns}


def label(name: str) -> str:
    """The field's label, which is that of its column; publisher_code has that of applicant_code."""
    return str(Application.__table__.columns["applicant_code" if name == "publisher_code" else name].info["label"])


def field_text(snapshot: dict[str, Any], name: str) -> str:
    """The field's text, dates as on official papers; a dash for an empty field, so that nobody can fill it in later."""
    text = snapshot.get(name, "—")
    is_date = isinstance(Application.__table__.columns[name].type, Date)
    return dated(date.fromisoformat(text)) if is_date and text != "—" else text


def dated(day: date) -> str:
    """2026年11月3日: Arabic numerals, no leading zeros (GB/T 9704-2012, 7.3.5.4); 2026-11-03 on a screen in English."""
    if is_english():
        return f"{day:%Y-%m-%d}"
    return f"{day.year}年{day.month}月{day.day}日"


def used_text(uses: Iterable[CertificateUse]) -> str:
    """已核注 2026年11月3日（2201…）；已核销 …: the uses that customs reported, earliest first; "" if unused."""
    return in_clauses(
        f"{use.usage.label} {_('%(code)s（%(name)s）', code=dated(use.at.date()), name=use.reference)}" for use in uses
    )


def columns_for(carriers: list[dict[str, str]]) -> dict[str, str]:
    """Column → heading: position and required columns, and the others that any row fills."""
    fields = {name: Carrier.__table__.columns[name].info for name in granted(Carrier)}
    return {
        name: str(info["label"])
        for name, info in fields.items()
        if name == "position" or info.get("required") or any(name in row for row in carriers)
    }


def total_of(carriers: list[dict[str, str]]) -> str:
    """共 3 条；1,500 片；20 盒: how many rows, and the sum for each unit, in the order of the units' codes."""
    sums = sums_of((row["unit"], Decimal(row["quantity"])) for row in carriers) or {}
    return in_clauses([_("共 %(count)s 条", count=f"{len(carriers):,}"), *amounts(sums)])


def amounts(sums: dict[str, Decimal]) -> list[str]:
    """1,500 片, 20 盒: of units written as «020-片»."""
    return [f"{total:,f} {_name_of(unit)}" for unit, total in sums.items()]


def _name_of(unit: str) -> str:
    """«张» of a unit that is stored as «010-张» in the snapshot; «sheets» on English screens."""
    code, _dash, name = unit.partition("-")
    if is_english():
        name = label_of("unit", code).partition("-")[2] or name
    return name or code
