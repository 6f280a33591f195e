"""RULES: which event notifies whom, and in which words. Acts that are not in it send no notification.

None is sent when the paper of a certificate is ready: that takes seconds, and 准予备案 has sent one already.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from models.vocabulary import Action, Role, Step, Word
from models.workflow.acts import APPLICANT, PROVINCE


class Event(Word):
    """Events of notifications besides acts and receipts."""

    REVOCATION_REJECTED = "revocation_rejected", _l("海关没有接收作废通知")
    REVOKED_USED = "revoked_used", _l("作废的证明被使用")
    DUE_SOON = "due_soon", _l("办结期限临近")
    TAKEN_OVER = "taken_over", _l("申请已由他人接手")
    ENTRUSTMENT_OFFERED = "entrustment_offered", _l("委托邀请")
    ENTRUSTED = "entrusted", _l("委托登记")
    ENTRUSTMENT_CHANGED = "entrustment_changed", _l("委托变更")
    ENTRUSTMENT_ENDED = "entrustment_ended", _l("委托终止")
    ENTRUSTMENT_DECLINED = "entrustment_declined", _l("委托邀请谢绝")
    ENTRUSTMENT_WITHDRAWN = "entrustment_withdrawn", _l("委托邀请撤销")
    KEY_ENDING = "key_ending", _l("签章证书即将到期")
    SIGN_IN_CHANGED = "sign_in_changed", _l("登录方式变更")
    ANNOUNCED = "announced", _l("通知公告")


@dataclass(frozen=True)
class Rule:
    """`to`: the applicant's accounts (出版单位), the reviewers of the province, or both; empty if the event is about no
    application, or for one account. `words`: with %(number)s of the application, and %(detail)s. `tone`: of the tag.
    """

    to: Set[Role]
    words: Any
    tone: str = "info"


NOBODY: Set[Role] = frozenset()
RULES: dict[Word, Rule] = {
    Action.SUBMIT: Rule(PROVINCE, _l("%(number)s 已申报，等待审核。")),
    Action.RETURN: Rule(APPLICANT, _l("%(number)s 已退回，请查看意见，修改后再次申报。"), "warning"),
    Action.DECLINE: Rule(
        APPLICANT,
        _l(
            "%(number)s 不予受理，请打开申请，查看意见；可以另行申请，"
            "不服的可以申请行政复议或者提起行政诉讼，期限见申请页面。"
        ),
        "danger",
    ),
    Action.REFUSE: Rule(
        APPLICANT,
        _l(
            "%(number)s 不予备案，请打开申请，查看意见；可以另行申请，"
            "不服的可以申请行政复议或者提起行政诉讼，期限见申请页面。"
        ),
        "danger",
    ),
    Action.EXTEND: Rule(APPLICANT, _l("%(number)s 的办结期限已延长，请查看新的期限和理由。")),
    Action.GRANT: Rule(APPLICANT, _l("%(number)s 已准予备案，可以打印证明。"), "success"),
    Action.REVOKE: Rule(APPLICANT, _l("%(number)s 的证明已作废，请查看原因，勿再使用。"), "danger"),
    Step.CUSTOMS_ACCEPTED: Rule(APPLICANT, _l("海关已接收 %(number)s 的证明。"), "success"),
    Step.CUSTOMS_REJECTED: Rule(APPLICANT | PROVINCE, _l("海关没有接收 %(number)s 的证明，请查看处理办法。"), "danger"),
    Step.SETTLE_ACCEPTED: Rule(APPLICANT, _l("%(number)s 的证明经核实已由海关接收。"), "success"),
    Step.SETTLE_REJECTED: Rule(APPLICANT, _l("%(number)s 的证明经核实没有被海关接收，请查看说明。"), "danger"),
    Step.USE_NOTED: Rule(APPLICANT, _l("海关已核注 %(number)s 的证明。")),
    Step.WRITTEN_OFF: Rule(APPLICANT, _l("海关已核销 %(number)s 的证明。"), "success"),
    Event.REVOKED_USED: Rule(PROVINCE, _l("%(number)s 的证明已经作废，海关仍报告使用，请向海关核实。"), "danger"),
    Event.REVOCATION_REJECTED: Rule(PROVINCE, _l("海关没有接收 %(number)s 的作废通知，请核实后重发。"), "danger"),
    Event.DUE_SOON: Rule(PROVINCE, _l("%(number)s 的办结期限是 %(detail)s，请及时办理。"), "warning"),
    Event.TAKEN_OVER: Rule(NOBODY, _l("您接办的 %(number)s 已由%(detail)s接手办理。"), "warning"),
    Event.ENTRUSTMENT_OFFERED: Rule(NOBODY, _l("委托邀请：%(detail)s，待受托单位在「委托」中接受。")),
    Event.ENTRUSTED: Rule(NOBODY, _l("已登记委托：%(detail)s。"), "success"),
    Event.ENTRUSTMENT_CHANGED: Rule(NOBODY, _l("委托已变更：%(detail)s。")),
    Event.ENTRUSTMENT_ENDED: Rule(NOBODY, _l("委托已终止：%(detail)s。"), "warning"),
    Event.ENTRUSTMENT_DECLINED: Rule(NOBODY, _l("委托邀请已谢绝：%(detail)s。"), "warning"),
    Event.ENTRUSTMENT_WITHDRAWN: Rule(NOBODY, _l("委托邀请已撤销：%(detail)s。")),
    Event.SIGN_IN_CHANGED: Rule(
        NOBODY, _l("%(detail)s。如非本人办理或要求，请立即修改密码，并告知系统管理员。"), "warning"
    ),
    Event.KEY_ENDING: Rule(NOBODY, _l("%(detail)s。请向证书签发机构更换，并按运行手册安装。"), "warning"),
    Event.ANNOUNCED: Rule(NOBODY, _l("%(detail)s")),
}
OF_ENTRUSTMENTS = frozenset(event for event in Event if event.value.startswith("entrust"))
# Their detail is a clause of the system with names in it; those of other events are names and dates.
WORDED = OF_ENTRUSTMENTS | {Event.SIGN_IN_CHANGED, Event.KEY_ENDING}
EVENTS: dict[str, Word] = {word.value: word for word in RULES}
