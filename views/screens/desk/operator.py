"""The desk of the operator: state of the system, the calendar and the exchange with customs; no application."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import access, deadlines
from models.customs.health import health
from models.language import in_sentences
from models.notifications import key_ends
from models.signing.installed_keys import ending
from views.entrance.health import problems
from views.resources import keys, pace
from views.screens import condition
from views.screens.condition_sentences import of_calendar
from views.screens.desk.parts import Desk, Figure


def desk() -> Desk:
    """An alert for each line of 运行状态 that is 须处理, and the queue of messages in figures.

    This page opens after sign-in: it waits for no other system, so that 单一窗口 is asked by 运行状态 alone.
    """
    with access.everything() as session:
        exchange, (known, ask) = health(session, pace()), of_calendar(deadlines.horizon(session))
    wrong = set(problems(exchange))
    with access.everything() as session:
        urgent = condition.urgent(session, wrong)
    traffic, state = url_for("traffic.index_view"), url_for("condition.index")
    figures = [Figure(delivery.label, count, traffic) for delivery, count in exchange.counts.items()]
    figures.append(Figure(_l("久未回执"), exchange.unanswered, traffic, "danger"))
    words = in_sentences(filter(None, (known, ask)))
    alerts = [("danger" if ask else "info", words, url_for("calendar.index_view"))]
    alerts += [("warning", _("%(detail)s。", detail=key_ends.sentence(key)), state) for key in ending(keys())]
    alerts += [("danger", _("%(about)s：%(words)s", about=x.about, words=x.to_do), x.address or state) for x in urgent]
    if not urgent and not ask:
        alerts.append(("success", _("系统运行正常：数据库、附件存储、签章密钥、证明制作和报文投递均无异常。"), ""))
    return Desk(figures, alerts=alerts)
