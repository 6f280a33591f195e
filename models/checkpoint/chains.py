"""The lists that are signed: the trail and the system log, both append-only, in the order of their ids."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from models.application.trail import TrailEntry
from models.log import LogEntry


@dataclass(frozen=True)
class Chain:
    """`name`: end of the origin of its checkpoints. `content`: all values of an entry; `described`: for people."""

    name: str
    model: type[TrailEntry] | type[LogEntry]
    content: Callable[[Any], str]
    described: Callable[[Any], str]

    def leaf_data(self, entry: Any) -> bytes:
        """The bytes of an entry that its hash covers: its id and all its values."""
        return f"{entry.id} {self.content(entry)}".encode()


def _described_trail(entry: TrailEntry) -> str:
    moment = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    number = entry.application.number if entry.application else _("（申请已不在）")
    return _(
        "申请单号 %(number)s，%(at)s，%(who)s，%(act)s", number=number, at=moment, who=entry.actor_name, act=entry.act
    )


TRAIL = Chain("trail", TrailEntry, TrailEntry.content, _described_trail)
LOG = Chain("log", LogEntry, LogEntry.content, LogEntry.described)
CHAINS = {chain.name: chain for chain in (TRAIL, LOG)}
