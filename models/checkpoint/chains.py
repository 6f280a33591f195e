"""The lists that are signed: the trail and the system log, both append-only, in the order of their ids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.application import trail
from models.application.trail import TrailEntry
from models.log import LogEntry, in_words


@dataclass(frozen=True)
class Chain:
    """A hash chain.

    `name`: end of the origin of its checkpoints; `label`: name of one entry. `content`: all values of an entry, which
    are hashed. `described`: the entry in one line. `in_words`: a content as labelled lines, for check-proof.
    `in_batches`: the entries of a statement, few at a time.
    """

    name: str
    label: Any
    model: type[TrailEntry] | type[LogEntry]
    content: Callable[[Any], str]
    described: Callable[[Any], str]
    in_words: Callable[[str], list[str]]
    in_batches: Callable[[Session, Any], Iterator[Any]]

    def leaf_data(self, entry: Any) -> bytes:
        """The bytes of an entry that its hash covers: its id and all its values."""
        return f"{entry.id} {self.content(entry)}".encode()


def _described_trail(entry: TrailEntry) -> str:
    moment = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    number = entry.application.number if entry.application else _("（申请已不在）")
    return _(
        "申请单号 %(number)s，%(at)s，%(who)s，%(act)s", number=number, at=moment, who=entry.actor_name, act=entry.act
    )


def _log_in_batches(session: Session, entries: Select[Any]) -> Iterator[Any]:
    return iter(session.scalars(entries.execution_options(yield_per=trail.BATCH)))


TRAIL = Chain(
    "trail", _l("办理记录"), TrailEntry, TrailEntry.content, _described_trail, lambda _content: [], trail.in_batches
)
LOG = Chain("log", _l("日志"), LogEntry, LogEntry.content, LogEntry.described, in_words, _log_in_batches)
CHAINS = {chain.name: chain for chain in (TRAIL, LOG)}


def chain_of(note: str) -> Chain:
    """The chain of a signed note, by the origin in its first line; the trail for any other text."""
    return CHAINS.get(note.partition("\n")[0].rpartition("/")[2], TRAIL)
