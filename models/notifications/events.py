"""THE table of messages: which event tells whom, and in which words. Acts that are not in it tell nobody.

No separate message when the paper of a certificate is ready: it takes seconds, and 准予备案 has been told already.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from models.vocabulary import Action, Role, Step, Word
from models.workflow.acts import APPLICANT, PROVINCE


class Event(Word):
    """What a message tells of besides acts and receipts."""

    REVOCATION_REJECTED = "revocation_rejected", _l("海关没有接收作废通知")
    DUE_SOON = "due_soon", _l("办结期限临近")
    TAKEN_OVER = "taken_over", _l("申请已由他人接手")
    ENTRUSTMENT_OFFERED = "entrustment_offered", _l("委托邀请")
    ENTRUSTED = "entrusted", _l("委托登记")
    ENTRUSTMENT_CHANGED = "entrustment_changed", _l("委托变更")
    ENTRUSTMENT_ENDED = "entrustment_ended", _l("委托终止")
    SIGN_IN_CHANGED = "sign_in_changed", _l("登录方式变更")
    ANNOUNCED = "announced", _l("通知公告")


@dataclass(frozen=True)
class Telling:
    """`to`: the accounts of the applicant (出版单位), the reviewers of the province, or both; empty where the event is
    about no application, or told to one account alone. `words` name the application by %(number)s, anything else by
    %(detail)s. `tone`: of the tag.
    """

    to: Set[Role]
    words: Any
    tone: str = "info"


NOBODY: Set[Role] = frozenset()
TELLS: dict[Word, Telling] = {
    Action.SUBMIT: Telling(PROVINCE, _l("%(number)s 已申报，等待审核。")),
    Action.RETURN: Telling(APPLICANT, _l("%(number)s 已退回，请查看意见，修改后再次申报。"), "warning"),
    Action.DECLINE: Telling(APPLICANT, _l("%(number)s 不予受理，请查看意见。"), "danger"),
    Action.REFUSE: Telling(APPLICANT, _l("%(number)s 不予备案，请查看意见。"), "danger"),
    Action.EXTEND: Telling(APPLICANT, _l("%(number)s 的办结期限已延长，请查看新的期限和理由。")),
    Action.GRANT: Telling(APPLICANT, _l("%(number)s 已准予备案，可以打印证明。"), "success"),
    Action.REVOKE: Telling(APPLICANT, _l("%(number)s 的证明已作废，请查看原因，勿再使用。"), "danger"),
    Step.CUSTOMS_ACCEPTED: Telling(APPLICANT, _l("海关已接收 %(number)s 的证明。"), "success"),
    Step.CUSTOMS_REJECTED: Telling(
        APPLICANT | PROVINCE, _l("海关没有接收 %(number)s 的证明，请查看处理办法。"), "danger"
    ),
    Step.SETTLE_ACCEPTED: Telling(APPLICANT, _l("%(number)s 的证明经核实已由海关接收。"), "success"),
    Step.SETTLE_REJECTED: Telling(APPLICANT, _l("%(number)s 的证明经核实没有被海关接收，请查看说明。"), "danger"),
    Event.REVOCATION_REJECTED: Telling(PROVINCE, _l("海关没有接收 %(number)s 的作废通知，请核实后重发。"), "danger"),
    Event.DUE_SOON: Telling(PROVINCE, _l("%(number)s 的办结期限是 %(detail)s，请及时办理。"), "warning"),
    Event.TAKEN_OVER: Telling(NOBODY, _l("您接办的 %(number)s 已由%(detail)s接手办理。"), "warning"),
    Event.ENTRUSTMENT_OFFERED: Telling(NOBODY, _l("委托邀请：%(detail)s，待受托单位在「委托」中接受。")),
    Event.ENTRUSTED: Telling(NOBODY, _l("已登记委托：%(detail)s。"), "success"),
    Event.ENTRUSTMENT_CHANGED: Telling(NOBODY, _l("委托已变更：%(detail)s。")),
    Event.ENTRUSTMENT_ENDED: Telling(NOBODY, _l("委托已终止：%(detail)s。"), "warning"),
    Event.SIGN_IN_CHANGED: Telling(
        NOBODY, _l("%(detail)s。如非本人办理或要求，请立即修改密码，并告知系统管理员。"), "warning"
    ),
    Event.ANNOUNCED: Telling(NOBODY, _l("%(detail)s")),
}
OF_ENTRUSTMENTS = frozenset(event for event in Event if event.value.startswith("entrust"))
EVENTS: dict[str, Word] = {word.value: word for word in TELLS}
