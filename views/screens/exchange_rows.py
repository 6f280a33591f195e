"""Rows of 数据交换: the state of a message as tags, and what stands for messages with the same acts."""

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from models.customs import CustomsMessage
from models.vocabulary import Word
from views.panel.display import once
from views.panel.query import UNANSWERED
from views.resources import pace

Offered = tuple[tuple[Word, str | None], ...]  # acts, each with the reason why it is refused, or None


@dataclass(frozen=True)
class MessageTemplate:
    """Stands for each message with the same acts in a list, as RowTemplate does for applications."""

    offered: Offered
    id: Any = "\0id\0"
    message_id: str = "\0message_id\0"
    application: Any = field(default_factory=lambda: SimpleNamespace(number="\0application.number\0"), compare=False)


def unanswered_since() -> datetime:
    """Messages sent before this moment without an answer are 久未回执; read once a request."""
    return once("unanswered since", lambda: pace().unanswered_since())


def states(message: CustomsMessage) -> list[tuple[str, Any]]:
    """(tone, label) of the delivery state of a message, and of what is unusual about it."""
    found = [(message.state.tone, message.state.label)]
    if message.unanswered(unanswered_since()):
        found.append(("warning", UNANSWERED))
    if message.by_hand:
        found.append(("warning", _("人工登记")))
    return found


def badges(message: CustomsMessage) -> Markup:
    """states() as coloured tags with text."""
    return once(("badges", *states(message)), lambda: _badges(states(message)))


def _badges(found: list[tuple[str, Any]]) -> Markup:
    return Markup(" ").join(Markup('<span class="badge badge-{}">{}</span>').format(*each) for each in found)
