"""Quantities that are no whole number of pieces, such as 1.5 张. A doubt, which refuses nothing (our own rule)."""

from collections.abc import Iterable
from decimal import Decimal

from flask_babel import gettext as _

from models.application.carriers import Carrier
from models.codes import names_of
from models.database import tidy
from models.language import listed

PIECES = {"058": 1_000, "059": 10_000, "052": 1_000, "057": 10_000}  # 千张, 万张, 千盒, 万套: 1.5 千张 are 1500 张
MOST_NAMED = 3


def is_split(unit: str | None, quantity: Decimal | None) -> bool:
    """Whether a piece would be divided; False while either is missing."""
    return unit is not None and quantity is not None and quantity * PIECES.get(unit, 1) % 1 != 0


def doubt(unit: str | None, quantity: Decimal | None) -> str:
    """The sentence beside one quantity; "" for none."""
    return _("%(amount)s不是整数，请核对。", amount=_amount(unit, quantity)) if is_split(unit, quantity) else ""


def doubts(carriers: Iterable[Carrier]) -> list[str]:
    """[one sentence that names the first such rows and how many there are]; [] for none."""
    split = [(place, row) for place, row in enumerate(carriers, 1) if is_split(row.unit, row.quantity)]
    if not split:
        return []
    rows = listed(
        _("第 %(place)s 行 %(amount)s", place=place, amount=_amount(row.unit, row.quantity))
        for place, row in split[:MOST_NAMED]
    )
    if len(split) > MOST_NAMED:
        rows = _("%(rows)s 等 %(count)s 行", rows=rows, count=len(split))
    return [_("载体信息%(rows)s的进口数量不是整数，请核对。", rows=rows)]


def _amount(unit: str | None, quantity: Decimal | None) -> str:
    return f"{tidy(quantity or Decimal()):f} {names_of('unit').get(unit or '', unit)}"
