"""State machine: whether a role may do an act in a status, and the sentence if not (手册 第二章)."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from flask_babel import gettext as _

from models.language import is_english
from models.vocabulary import Action, Delivery, Role, Status, Step, Word
from models.workflow.act import Act, Holder, Presentation
from models.workflow.acts import ACTS
from models.workflow.customs_acts import MESSAGE_ACTS, RECEIPTS, SETTLEMENTS, USES
from models.workflow.hints import DENIED, UNANSWERED, advice
from models.workflow.statuses import (
    AWAITING,
    EDITABLE,
    ISSUED,
    PRIVATE,
    SENT_BACK,
    UNDECIDED,
    VALID,
    progress,
    stopped,
)

__all__ = [
    "ACTS", "AWAITING", "DECISIONS", "DENIED", "EDITABLE", "INTERNAL", "ISSUED", "MESSAGE_ACTS", "PRIVATE", "QUIET",
    "RECEIPTS", "SENT_BACK", "SETTLEMENTS", "UNANSWERED", "UNDECIDED", "USES", "VALID", "Act", "Holder", "Refused",
    "advice", "progress", "stopped",
]  # fmt: skip


# Acts that make no new version, so that open forms do not conflict.
QUIET: tuple[Word, ...] = (
    Step.ATTACH,
    Step.DETACH,
    *(action for action, act in ACTS.items() if act.quiet),
    *(step for step, message_act in MESSAGE_ACTS.items() if message_act.quiet),
)


# Acts that are hidden from the applicant.
INTERNAL = tuple(action for action, act in ACTS.items() if act.internal)

# Acts that end the time for the decision.
DECISIONS = tuple(action for action, act in ACTS.items() if act.when & AWAITING and act.to not in {None, *UNDECIDED})


class Refused(Exception):
    """An act that is not allowed now: str() is the sentence to show; nothing was changed.

    `field`: the attribute that was filled in wrongly, if it is one; a form shows the sentence beside its field.
    """

    def __init__(self, sentence: str = "", field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def labels(words: Iterable[Any]) -> str:
    """「暂存」「退回」 in the order of the vocabulary."""
    chosen = set(words)
    found = [str(word.label) for kind in (Status, Role, Delivery) for word in kind if word in chosen]
    return _("「%(labels)s」", labels=_("」「").join(found))


def allowed(action: Action, status: Status, role: Role | None, rejected: bool = False) -> bool:
    """Whether `role` may do the act now; `rejected`: customs has rejected the last message about the application."""
    act = ACTS[action]
    return role in act.by and (status in act.when or (rejected and status in act.if_rejected))


def refusal(action: Action, status: Status, role: Role | None, rejected: bool = False) -> str | None:
    """The sentence that refuses `action`: what forbids it, and what would allow it; None when it is allowed."""
    return None if allowed(action, status, role, rejected) else _refusal(action, status, role, is_english())


@cache
def _refusal(action: Action, status: Status, role: Role | None, _english: bool) -> str:
    """The sentence, worded once in each language: a list asks for some dozen."""
    act = ACTS[action]
    if role not in act.by:
        return _("%(roles)s账号才能%(action)s。", roles=labels(act.by), action=action.label)
    return _(
        "当前状态为「%(status)s」，不能%(action)s；%(allowed)s状态可以%(action)s。",
        status=status.label,
        action=action.label,
        allowed=labels(act.when),
    )


def check(action: Action, status: Status, role: Role | None, rejected: bool = False) -> Act:
    """The record of an allowed act; raises Refused with the sentence otherwise."""
    sentence = refusal(action, status, role, rejected)
    if sentence:
        raise Refused(sentence)
    return ACTS[action]


def message_refusal(step: Step, state: Delivery, unanswered: bool, role: Role | None) -> str | None:
    """The sentence that refuses an act on a message to customs, or None; `unanswered`: customs is silent for long."""
    return _message_refusal(step, state, unanswered, role, is_english())


@cache
def _message_refusal(step: Step, state: Delivery, unanswered: bool, role: Role | None, _english: bool) -> str | None:
    act = MESSAGE_ACTS[step]
    if role not in act.by:
        return _("%(roles)s账号才能%(action)s。", roles=labels(act.by), action=step.label)
    if state not in act.when:
        return _(
            "报文状态为「%(state)s」，不能%(action)s；%(allowed)s状态可以%(action)s。",
            state=state.label,
            action=step.label,
            allowed=labels(act.when),
        )
    if act.unanswered and not unanswered:
        return _("发送不久，海关可能还会回执，不能%(action)s；久未回执的报文可以%(action)s。", action=step.label)
    return None


def presentation(word: Word) -> Presentation:
    """The Presentation of an act on an application or a message."""
    return ACTS[word] if isinstance(word, Action) else MESSAGE_ACTS[Step(word)]


def acts_of(roles: Iterable[Role]) -> tuple[Action, ...]:
    """The acts that any of `roles` may ever do to an application by a button, in their order."""
    return tuple(action for action, act in ACTS.items() if action is not Action.EDIT and act.by & set(roles))


@cache
def reachable(status: Status) -> frozenset[Status]:
    """Every status that an application can still reach, including the current one."""
    found, left = {status}, [status]
    while left:
        here = left.pop()
        ways = {act.to for act in (*ACTS.values(), *RECEIPTS.values()) if act.to and here in act.when}
        left += ways - found
        found |= ways
    return frozenset(found)


def impossible(action: Action, status: Status) -> bool:
    """Whether no role can do the act in this status or in any status that is still reachable."""
    act = ACTS[action]
    return not reachable(status) & (act.when | act.if_rejected)
