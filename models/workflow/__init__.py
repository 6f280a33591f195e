"""THE state machine: may this person do this act now, and the sentence if not (手册 第二章)."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from flask_babel import gettext as _

from models.vocabulary import Action, Delivery, Role, Status, Step, Word
from models.workflow.acts import ACTS, Act, Holder, Presentation
from models.workflow.customs_acts import MESSAGE_ACTS, RECEIPTS, SETTLEMENTS
from models.workflow.statuses import (
    ADVICE,
    AWAITING,
    EDITABLE,
    ISSUED,
    LOST_REVOCATION,
    PRIVATE,
    SENT_BACK,
    UNDECIDED,
    VALID,
    progress,
    stopped,
)

__all__ = [
    "ACTS", "AWAITING", "DECISIONS", "EDITABLE", "INTERNAL", "ISSUED", "MESSAGE_ACTS", "PRIVATE", "QUIET", "RECEIPTS",
    "SENT_BACK", "SETTLEMENTS", "UNDECIDED", "VALID", "Act", "Holder", "Refused", "progress", "stopped",
]  # fmt: skip


# What leaves the version of an application, and any open form, alone.
QUIET: tuple[Word, ...] = (
    Step.ATTACH,
    Step.DETACH,
    *(action for action, act in ACTS.items() if act.quiet),
    *(step for step, message_act in MESSAGE_ACTS.items() if message_act.quiet),
)


# What the applicant does not read of.
INTERNAL = tuple(action for action, act in ACTS.items() if act.internal)

# What ends the time for the decision for good.
DECISIONS = tuple(action for action, act in ACTS.items() if act.when & AWAITING and act.to not in {None, *UNDECIDED})


class Refused(Exception):
    """An act that may not be done now: str() is the sentence to show; nothing has been changed."""


def labels(words: Iterable[Any]) -> str:
    """「暂存」「退回」 in the order of the vocabulary."""
    chosen = set(words)
    return "".join(f"「{word.label}」" for kind in (Status, Role, Delivery) for word in kind if word in chosen)


def allowed(action: Action, status: Status, role: Role | None, rejected: bool = False) -> bool:
    """Whether `role` may do the act now; `rejected`: customs has rejected the last message about the application."""
    act = ACTS[action]
    return role in act.by and (status in act.when or (rejected and status in act.if_rejected))


def refusal(action: Action, status: Status, role: Role | None, rejected: bool = False) -> str | None:
    """The sentence that refuses `action`, or None when it is allowed: what forbids it, and what would allow it."""
    if allowed(action, status, role, rejected):
        return None
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
    """What any act asks and shows."""
    return ACTS[word] if isinstance(word, Action) else MESSAGE_ACTS[Step(word)]


def acts_of(roles: Iterable[Role]) -> tuple[Action, ...]:
    """The acts that any of `roles` may ever do to an application by a button, in their order."""
    return tuple(action for action, act in ACTS.items() if action is not Action.EDIT and act.by & set(roles))


@cache
def reachable(status: Status) -> frozenset[Status]:
    """Every status that an application may still come to, the present one included."""
    found, left = {status}, [status]
    while left:
        here = left.pop()
        ways = {act.to for act in (*ACTS.values(), *RECEIPTS.values()) if act.to and here in act.when}
        left += ways - found
        found |= ways
    return frozenset(found)


def impossible(action: Action, status: Status) -> bool:
    """Whether nobody can do the act from here on, whatever else happens to the application."""
    act = ACTS[action]
    return not reachable(status) & (act.when | act.if_rejected)


def advice(status: Status, rejected: bool) -> Any:
    """What to do next, if anything in particular; `rejected` as in allowed()."""
    lost = rejected and any(status in act.if_rejected for act in ACTS.values())
    return LOST_REVOCATION if lost else ADVICE.get(status)
