"""THE state machine: which act, by whom, from which status, to which. Nobody else lists statuses (手册 第二章)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.vocabulary import Action, Delivery, Role, Status, Step

EDITABLE = frozenset({Status.DRAFT, Status.RETURNED})
ISSUED = frozenset({Status.FILED, Status.CUSTOMS_RECEIVED, Status.CUSTOMS_FAILED, Status.REVOKED})
VALID = ISSUED - {Status.REVOKED}
AWAITING = frozenset({Status.PENDING})
PRIVATE = frozenset({Status.DRAFT})
UNDECIDED = EDITABLE | AWAITING


class Refused(Exception):
    """An act that may not be done now: str() is the sentence to show; nothing has been changed."""


@dataclass(frozen=True)
class Rule:
    """One act: `to` is None where the status stays; `opinion` where words must be given.

    `if_rejected`: statuses in which it is allowed too, and which it leaves as they are, but only while customs has
    rejected what it was told last.
    """

    by: frozenset[Role]
    when: frozenset[Status]
    to: Status | None = None
    opinion: bool = False
    if_rejected: frozenset[Status] = frozenset()

    def leads(self, status: Status) -> Status | None:
        """The status after the act; None where an act does not touch it."""
        return status if status in self.if_rejected else self.to


def _rule(
    by: Iterable[Role],
    when: Iterable[Status],
    to: Status | None = None,
    opinion: bool = False,
    if_rejected: Iterable[Status] = (),
) -> Rule:
    return Rule(frozenset(by), frozenset(when), to, opinion, frozenset(if_rejected))


RULES: dict[Action, Rule] = {
    Action.EDIT: _rule({Role.PUBLISHER}, EDITABLE),
    Action.SUBMIT: _rule({Role.PUBLISHER}, EDITABLE, to=Status.PENDING),
    Action.DELETE: _rule({Role.PUBLISHER}, {Status.DRAFT, Status.NOT_ACCEPTED, Status.REFUSED}),
    # The manual forbids printing by six statuses; we allow by two, so that a new status can never print by accident.
    Action.PRINT: _rule({Role.PUBLISHER, Role.REVIEWER, Role.NATIONAL}, {Status.FILED, Status.CUSTOMS_RECEIVED}),
    Action.RETURN: _rule({Role.REVIEWER}, AWAITING, to=Status.RETURNED, opinion=True),
    Action.DECLINE: _rule({Role.REVIEWER}, AWAITING, to=Status.NOT_ACCEPTED, opinion=True),
    Action.REFUSE: _rule({Role.REVIEWER}, AWAITING, to=Status.REFUSED, opinion=True),
    Action.GRANT: _rule({Role.REVIEWER}, AWAITING, to=Status.FILED),
    # What customs did not take is told anew: the certificate, or its revocation.
    Action.RESEND: _rule({Role.REVIEWER}, {Status.CUSTOMS_FAILED}, to=Status.FILED, if_rejected={Status.REVOKED}),
    Action.REVOKE: _rule({Role.REVIEWER}, VALID, to=Status.REVOKED, opinion=True),
    Action.COPY: _rule({Role.PUBLISHER}, {Status.REVOKED}),
}

# What customs' receipts do (海关接收成功 / 海关接收失败): no person's act, so no button and no role.
RECEIPTS: dict[Step, Rule] = {
    Step.CUSTOMS_ACCEPTED: _rule((), {Status.FILED}, to=Status.CUSTOMS_RECEIVED),
    Step.CUSTOMS_REJECTED: _rule((), {Status.FILED}, to=Status.CUSTOMS_FAILED),
}

# What a person settles by hand does what the receipt would have done; it needs a reason.
SETTLEMENTS: dict[Step, Rule] = {
    by_hand: replace(RECEIPTS[receipt], by=frozenset({Role.REVIEWER}), opinion=True)
    for by_hand, receipt in (
        (Step.SETTLE_ACCEPTED, Step.CUSTOMS_ACCEPTED),
        (Step.SETTLE_REJECTED, Step.CUSTOMS_REJECTED),
    )
}

# An act on a message that leaves the status of its application as it is.
ON_MESSAGE = _rule({Role.REVIEWER}, ISSUED)


@dataclass(frozen=True)
class MessageRule:
    """One act on a message to customs; `unanswered`: only when customs has been silent for long (久未回执)."""

    by: frozenset[Role]
    when: frozenset[Delivery]
    unanswered: bool = False
    opinion: bool = False


MESSAGE_RULES: dict[Step, MessageRule] = {
    Step.RELEASE: MessageRule(ON_MESSAGE.by, frozenset({Delivery.SET_ASIDE})),
    Step.ASK: MessageRule(ON_MESSAGE.by, frozenset({Delivery.SENT})),
    Step.SET_ASIDE: MessageRule(ON_MESSAGE.by, frozenset({Delivery.SENT}), unanswered=True),
} | {
    act: MessageRule(rule.by, frozenset({Delivery.SENT, Delivery.SET_ASIDE}), unanswered=True, opinion=rule.opinion)
    for act, rule in SETTLEMENTS.items()
}

# What to do next, where the status alone does not say it.
ADVICE: dict[Status, Any] = {
    Status.CUSTOMS_FAILED: _l(
        "海关没有接收本证明，货物暂不能凭此证明通关。省级主管部门：属传输或登记等技术原因的，排除后点击「重发」；"
        "属证明内容有误的，请作废后由申请单位重新申请。申请单位：请与省级主管部门联系，无需重复申报。"
    )
}

LOST_REVOCATION = _l(
    "海关没有接收本证明的作废通知，海关仍可能按有效证明办理。省级主管部门：请与海关核实，排除原因后点击「重发」。"
    "申请单位：本证明已经作废，请勿使用。"
)


def advice(status: Status, rejected: bool) -> Any:
    """What to do next, if anything in particular; `rejected` as in refusal()."""
    lost = rejected and any(status in rule.if_rejected for rule in RULES.values())
    return LOST_REVOCATION if lost else ADVICE.get(status)


STAGES = (_l("填写"), _l("申报"), _l("审核"), _l("备案"), _l("海关接收"))

# 办理进度: how far each status has come on STAGES, and how that stage stands.
PROGRESS: dict[Status, tuple[int, str]] = {
    Status.DRAFT: (0, "process"),
    Status.PENDING: (2, "process"),
    Status.RETURNED: (0, "error"),
    Status.NOT_ACCEPTED: (2, "error"),
    Status.REFUSED: (2, "error"),
    Status.FILED: (4, "process"),
    Status.CUSTOMS_RECEIVED: (4, "finish"),
    Status.CUSTOMS_FAILED: (4, "error"),
    Status.REVOKED: (3, "error"),
}


def progress(status: Status) -> list[tuple[Any, str]]:
    """办理进度 as (stage, "finish" | "process" | "error" | "wait"), in order."""
    at, how = PROGRESS[status]
    return [(stage, "finish" if i < at else how if i == at else "wait") for i, stage in enumerate(STAGES)]


def labels(words: Iterable[Any]) -> str:
    """「暂存」「退回」 in the order of the vocabulary."""
    chosen = set(words)
    return "".join(f"「{word.label}」" for kind in (Status, Role, Delivery) for word in kind if word in chosen)


def refusal(action: Action, status: Status, role: Role | None, rejected: bool = False) -> str | None:
    """The sentence that refuses `action`, or None when it is allowed.

    Names what forbids it and what would allow it. `rejected`: whether customs has rejected what it was told last.
    """
    rule = RULES[action]
    if role not in rule.by:
        return _("%(roles)s账号才能%(action)s。", roles=labels(rule.by), action=action.label)
    if status not in rule.when and not (rejected and status in rule.if_rejected):
        return _(
            "当前状态为「%(status)s」，不能%(action)s；%(allowed)s状态可以%(action)s。",
            status=status.label,
            action=action.label,
            allowed=labels(rule.when),
        )
    return None


def check(action: Action, status: Status, role: Role | None, rejected: bool = False) -> Rule:
    """The rule of an allowed act; raises Refused with the sentence otherwise."""
    sentence = refusal(action, status, role, rejected)
    if sentence:
        raise Refused(sentence)
    return RULES[action]


def message_refusal(act: Step, state: Delivery, unanswered: bool, role: Role | None) -> str | None:
    """The sentence that refuses an act on a message to customs, or None; `unanswered`: customs is silent for long."""
    rule = MESSAGE_RULES[act]
    if role not in rule.by:
        return _("%(roles)s账号才能%(action)s。", roles=labels(rule.by), action=act.label)
    if state not in rule.when:
        return _(
            "报文状态为「%(state)s」，不能%(action)s；%(allowed)s状态可以%(action)s。",
            state=state.label,
            action=act.label,
            allowed=labels(rule.when),
        )
    if rule.unanswered and not unanswered:
        return _("发送不久，海关可能还会回执，不能%(action)s；久未回执的报文可以%(action)s。", action=act.label)
    return None
