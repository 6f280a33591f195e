"""What to do next with an application, worded for its reader: the applicant, its province, or another authority."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.language import in_sentences
from models.vocabulary import Action, Role, Status
from models.workflow.acts import ACTS
from models.workflow.statuses import UNDECIDED


@dataclass(frozen=True, kw_only=True)
class Advice:
    """`fact`: what has happened, may be empty; then what the `province` and the `applicant` may do, each as it would
    read its own part. The parts are whole sentences."""

    fact: Any = ""
    province: Any = ""
    applicant: Any

    def for_reader(self, reader: Role | None) -> str:
        """The applicant reads its own part alone; others read every part, with the name of whom it is for unless it is
        their own."""
        if reader is Role.PUBLISHER:
            return in_sentences(filter(None, (self.fact, self.applicant)))
        province = self.province
        if province and reader is not Role.REVIEWER:
            province = _("省级主管部门：%(advice)s", advice=province)
        return in_sentences(filter(None, (self.fact, province, _("申请单位：%(advice)s", advice=self.applicant))))


CALL_PROVINCE = _l("请与省级主管部门联系，无需重复申报。")

REJECTED = Advice(
    fact=_l("海关没有接收本证明，货物暂不能凭此证明通关。"),
    province=_l("属传输或登记等技术原因的，排除后点击「重发」；属证明内容有误的，请作废后由申请单位重新申请。"),
    applicant=CALL_PROVINCE,
)
LOST_REVOCATION = Advice(
    fact=_l("海关没有接收本证明的作废通知，海关仍可能按有效证明办理。"),
    province=_l("请与海关核实，排除原因后点击「重发」。"),
    applicant=_l("本证明已经作废，请勿使用。"),
)
UNANSWERED = Advice(
    province=_l("请与海关核实，在数据交换中再次查询、搁置，或人工登记结果。"),
    applicant=CALL_PROVINCE,
)

# Status → what the applicant may do after the act that led to it.
_AFTER = {act.to: Advice(applicant=act.advice) for act in ACTS.values() if act.to is not None and act.advice}
DENIED = frozenset(_AFTER) - UNDECIDED  # decided against the applicant
ADVICE: dict[Status, Advice] = dict.fromkeys(ACTS[Action.RESEND].when, REJECTED) | _AFTER


def advice(status: Status, reader: Role | None, rejected: bool = False) -> str | None:
    """The hint what to do next, for an account with the role `reader`; None: there is none. `rejected`: customs has
    rejected the last message about the application."""
    lost = rejected and any(status in act.if_rejected for act in ACTS.values())
    found = LOST_REVOCATION if lost else ADVICE.get(status)
    return found.for_reader(reader) if found else None
