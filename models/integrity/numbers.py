"""Gaps in 申请单号 and 证明编号: both are issued without gaps in a series and year, so a missing one was removed."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import numbering
from models.application import Application
from models.certificate import Certificate
from models.numbering import APPLICATIONS, Serial

MOST_NAMED = 10  # missing numbers that a sentence names
BATCH = 1000


def contradictions(session: Session) -> Iterator[str]:
    """Yield a sentence for each series and year with gaps, and for each invalid number."""
    sentence = _("%(begins)s 的证明编号应有 %(last)s 个，相差 %(missing)s 个。%(named)s")
    yield from _gaps(session, Certificate.number, numbering.certificate_series(""), 6, sentence)
    sentence = _("%(begins)s 的申请单号应有 %(last)s 个，相差 %(missing)s 个。%(named)s")
    yield from _gaps(session, Application.number, APPLICATIONS, 8, sentence)
    for number in session.scalars(select(Certificate.number).execution_options(yield_per=BATCH)):
        if not numbering.is_certificate_number(number):
            yield _("证明编号 %(number)s 的校验位不对。", number=number)


def _gaps(session: Session, column: Any, series: str, digits: int, sentence: str) -> Iterator[str]:
    last = {
        f"{row.series}{row.year}": row.last for row in session.scalars(select(Serial)) if row.series.startswith(series)
    }
    begins = func.substr(column, 1, 7 if digits == 6 else 6)
    counted = select(begins, func.count()).where(column.startswith(series)).group_by(begins)
    counts: dict[str, int] = dict(session.execute(counted).all())
    for start in sorted(last.keys() | counts.keys()):
        given, there = last.get(start, 0), counts.get(start, 0)
        named = list(islice(_missing(session, column, start, digits, given), MOST_NAMED))
        if given != there or named:
            text = _("缺少第 %(serials)s 号。", serials="、".join(map(str, named))) if named else ""
            yield sentence % {"begins": start, "last": given, "missing": given - there, "named": text}


def _missing(session: Session, column: Any, start: str, digits: int, last: int) -> Iterator[int]:
    """The serial numbers up to `last` without a row; a number is `start` followed by `digits` digits."""
    expected = 1
    numbers = select(column).where(column.startswith(start)).order_by(column).execution_options(yield_per=BATCH)
    for number in session.scalars(numbers):
        text = number[len(start) : len(start) + digits]
        serial = int(text) if text.isdecimal() else 0
        yield from range(expected, min(serial, last + 1))
        expected = max(expected, serial + 1)
    yield from range(expected, last + 1)
