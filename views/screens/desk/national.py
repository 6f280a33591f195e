"""The desk of the national authority: certificates issued this month, by province."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import clock, statistics
from models.codes import names_of
from models.database import db
from models.statistics.periods import Dimension, Period
from models.vocabulary import Action
from views.screens.desk.parts import MOST, Desk, Figure, Line, Part


def desk() -> Desk:
    """Figures and list by province, from the counts of acts, as 统计 shows them."""
    first = clock.today().replace(day=1)
    asked = statistics.Asked(Period(first, clock.today()), Dimension.PROVINCE)
    rows, total = statistics.count(db.session(), asked)
    first_day, month_so_far = first.isoformat(), min(total.acts[Action.GRANT], MOST + 1)
    issued = {province or "": row.acts[Action.GRANT] for province, row in rows.items() if row.acts[Action.GRANT]}
    lines = [
        Line(
            names_of("province").get(province, ""),
            url_for("register.index_view", province=province, issued=first_day),
            _("%(count)s 份", count=issued[province]),
        )
        for province in sorted(issued, key=lambda province: (-issued[province], province))
    ]
    month = _("本月（%(first)s 起）签发", first=first_day)
    figures = [Figure(month, month_so_far, url_for("register.index_view", issued=first_day))]
    return Desk(figures, [Part(_l("本月签发，按省份"), lines, "", _l("本月还没有签发备案证明。"))])
