"""Counts of lists stop at the reach of the pager, and are remembered for some minutes where they go beyond it."""

from collections.abc import Hashable
from time import monotonic
from typing import Any

from flask import current_app, request
from flask_login import current_user

SPARE = 1000  # rows beyond the reach, without which a count is not remembered: so many do not vanish within SECONDS
SECONDS = 300
MOST = 10_000  # counts that a process remembers
KEY = "counts_beyond_reach"
PLACES = frozenset({"page", "page_size", "sort", "desc"})  # parameters of a list's address that change no count


def is_known_beyond(endpoint: str | None) -> bool:
    """Whether this account's query of the list was counted a short time ago, and found SPARE rows beyond the reach."""
    return _known().get(_question(endpoint), 0.0) > monotonic()


def remember_beyond(endpoint: str | None) -> None:
    """Note that the query of this request has found SPARE rows beyond the reach."""
    known = _known()
    if len(known) >= MOST:
        known.clear()
    known[_question(endpoint)] = monotonic() + SECONDS


def _known() -> dict[Hashable, float]:
    """Question → until when its answer holds; of this process."""
    known: dict[Hashable, float] = current_app.extensions.setdefault(KEY, {})
    return known


def _question(endpoint: str | None) -> Hashable:
    asked: list[Any] = [(name, tuple(values)) for name, values in request.args.lists() if name not in PLACES]
    return current_user.get_id(), endpoint, tuple(sorted(asked))
