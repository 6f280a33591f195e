"""The desk of the nation: what was issued this month, by province."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from models import clock
from models.application import Application
from models.certificate import Certificate
from models.codes import names_of
from models.database import db
from views.screens.desk.parts import MOST, Desk, Figure, Line, Part


def desk() -> Desk:
    """Counted from the index of 签发日期: one month, whatever the register holds."""
    first = clock.today().replace(day=1).isoformat()
    issued_now = select(Certificate.application_id).where(Certificate.issued_on >= clock.today().replace(day=1))
    issued = (
        select(Application.province, func.count(Application.id))
        .where(Application.id.in_(issued_now))
        .group_by(Application.province)
        .order_by(func.count(Application.id).desc(), Application.province)
    )
    by_province = db.session.execute(issued).all()
    total = sum(number for _province, number in by_province)
    lines = [
        Line(
            names_of("province").get(province or "", ""),
            url_for("register.index_view", province=province, issued=first),
            _("%(count)s 份", count=number),
        )
        for province, number in by_province
    ]
    month = _("本月（%(first)s 起）签发", first=first)
    figures = [Figure(month, min(total, MOST + 1), url_for("register.index_view", issued=first))]
    return Desk(figures, [Part(_l("本月签发，按省份"), lines, "", _l("本月还没有签发备案证明。"))])
