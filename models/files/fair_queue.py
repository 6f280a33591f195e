"""Queue with round robin between owners: one task runs at a time; an owner of many tasks does not delay the others."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any


class QueueFull(RuntimeError):
    """The owner has as many tasks in the queue as one owner may have."""


class WaitedTooLong(RuntimeError):
    """The task did not get its turn within `patience` seconds."""


class FairQueue:
    """One turn at a time, first come, first served for one owner, round robin between owners.

    `most`: limit of waiting and running tasks of one owner; 0: no limit; the owner None has none. Per process.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._lock = Lock()
        self._running: Any = None  # the owner whose turn it is, as a 1-tuple: an owner may be None
        self._waiting: dict[Any, deque[Condition]] = {}  # owners in the order in which they are served next

    @contextmanager
    def turn(self, owner: Any, patience: float = -1) -> Iterator[None]:
        """Wait for the turn, at most `patience` seconds (-1: for ever). Raises QueueFull or WaitedTooLong."""
        with self._lock:
            self._begin(owner, patience)
        try:
            yield
        finally:
            with self._lock:
                self._pass_on()

    def count(self, owner: Any) -> int:
        """How many tasks of this owner wait or run."""
        return len(self._waiting.get(owner, ())) + (self._running == (owner,))

    def _begin(self, owner: Any, patience: float) -> None:
        if self.most and owner is not None and self.count(owner) >= self.most:
            raise QueueFull
        if self._running is None:
            self._running = (owner,)
            return
        ticket = Condition(self._lock)
        self._waiting.setdefault(owner, deque()).append(ticket)
        if not ticket.wait_for(lambda: not self._is_waiting(owner, ticket), None if patience < 0 else patience):
            self._leave(owner, ticket)
            raise WaitedTooLong

    def _is_waiting(self, owner: Any, ticket: Condition) -> bool:
        return ticket in self._waiting.get(owner, ())

    def _leave(self, owner: Any, ticket: Condition) -> None:
        self._waiting[owner].remove(ticket)
        if not self._waiting[owner]:
            del self._waiting[owner]

    def _pass_on(self) -> None:
        """Start the next task of the owner who has waited longest; that owner's other tasks go to the end."""
        if not self._waiting:
            self._running = None
            return
        owner = next(iter(self._waiting))
        tickets = self._waiting.pop(owner)
        ticket = tickets.popleft()
        if tickets:
            self._waiting[owner] = tickets
        self._running = (owner,)
        ticket.notify()
