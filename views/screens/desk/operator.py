"""The desk of the operator: state of the system, the calendar and the exchange with customs; no application."""

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import access, deadlines
from models.customs.health import health
from models.language import in_sentences
from models.notifications import key_ends
from models.signing.installed_keys import ending
from views.resources import keys, pace
from views.screens import condition
from views.screens.condition_lines import Level
from views.screens.condition_sentences import of_calendar
from views.screens.desk.parts import Desk, Figure


def desk() -> Desk:
    """An alert for each line of 运行状态 that needs something done, and the queue of messages in figures."""
    with access.everything() as session:
        exchange, (known, ask) = health(session, pace()), of_calendar(deadlines.horizon(session))
    traffic, days = url_for("traffic.index_view"), url_for("calendar.index_view")
    figures = [Figure(state.label, count, traffic) for state, count in exchange.counts.items()]
    figures.append(Figure(_l("久未回执"), exchange.unanswered, traffic, "danger"))
    calendar = ("danger" if ask else "info", in_sentences(filter(None, (known, ask))), days)
    ends = [_("%(detail)s。", detail=key_ends.sentence(key)) for key in ending(keys())]
    certificates = [("warning", words, url_for("condition.index")) for words in ends]
    wrong = [*_wrong_but_for(days)]
    if not wrong and not ask:
        wrong = [("success", _("系统运行正常：数据库、附件存储、签章密钥、证明制作和报文投递均无异常。"), "")]
    return Desk(figures, alerts=[calendar, *certificates, *wrong])


def _wrong_but_for(told: str) -> Iterator[tuple[str, str, str]]:
    """The lines that 运行状态 counts as 须处理, without the one of address `told`, and without 单一窗口.

    The page that opens after sign-in waits for no other system.
    """
    for line in condition.lines(ask_portal=False):
        if line.level is Level.WRONG and line.address != told:
            words = _("%(about)s：%(words)s", about=line.about, words=line.to_do)
            yield "danger", words, line.address or url_for("condition.index")
