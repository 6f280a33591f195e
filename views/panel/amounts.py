"""进口数量 of an application by unit, on its page and in lists."""

from decimal import Decimal

from flask_babel import gettext as _
from markupsafe import Markup

from models.application import Application
from models.certificate.display import amounts, total_of
from models.codes import label_of
from models.columns import shown


def totals(row: Application) -> str:
    """共 3 条；1,500 片；20 盒, as on the certificate; only the number of rows while a quantity or unit is missing."""
    carriers = [{"unit": str(shown(each, "unit")), "quantity": str(each.quantity)} for each in row.carriers]
    if any(each.unit is None or each.quantity is None for each in row.carriers):
        return _("共 %(count)s 条", count=len(carriers))
    return total_of(carriers)


def stored_totals(row: Application) -> Markup | None:
    """3,000 张 · 20 套, each unbroken, no line begins with the dot; None while a quantity or unit is missing."""
    sums = {label_of("unit", unit): Decimal(total) for unit, total in (row.totals or {}).items()}
    return (
        Markup("\N{NO-BREAK SPACE}· ").join(map(Markup('<span class="amount">{}</span>').format, amounts(sums))) or None
    )
