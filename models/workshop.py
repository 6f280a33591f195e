"""A process beside ours for one kind of work, one piece after the other: what is slow to load, or must not harm us."""

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any


class Unfinished(RuntimeError):
    """The work raised something (which is named), took too long, or its process ended over it."""


def nothing() -> None:
    """What need not be done."""


@dataclass(frozen=True)
class Craft:
    """What is done in the process; every function is one of a module.

    `memory`: bytes it may use; `lasts`: orders after which a new process takes over. 0: any number.
    """

    work: Callable[[Any], Any]
    open_up: Callable[[], None] = nothing
    tidy_up: Callable[[], None] = nothing
    memory: int = 0
    lasts: int = 0


class Workshop:
    """Started by the first order, replaced when it dies, ended when the process that asked it ends."""

    def __init__(self, craft: Craft, longest: float) -> None:
        self.craft, self.longest = craft, longest
        self.turn = Lock()
        self.line: Connection | None = None
        self.process: Any = None
        self.owner = self.orders = 0

    def done(self, order: Any) -> Any:
        """What the work makes of the order; raises Unfinished. A process that died is replaced once."""
        with self.turn:
            for _attempt in range(2):
                try:
                    return self._asked(order)
                except (EOFError, OSError):
                    self._stop()
        raise Unfinished("the process died twice of one order, or could not be started")

    def _asked(self, order: Any) -> Any:
        line = self.line if self.line and self.owner == os.getpid() else self._started()  # a fork has none yet
        line.send(order)
        if not line.poll(self.longest):
            self._stop()
            raise Unfinished("the process hung over this order")  # and would again: it is not asked twice
        finished, answer = line.recv()
        self.orders += 1
        if self.orders == self.craft.lasts:
            self._stop()
        if not finished:
            raise Unfinished(answer)
        return answer

    def _started(self) -> Connection:
        context = get_context("spawn")  # never a fork: this process has threads
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.craft), daemon=True)
        process.start()
        theirs.close()
        self.line, self.process, self.owner, self.orders = ours, process, os.getpid(), 0
        return ours

    def _stop(self) -> None:
        if self.process and self.owner == os.getpid():
            self.process.kill()
            self.process.join()
        self.line = self.process = None


def serve(line: Connection, craft: Craft) -> None:
    """The life of the process: one order after the other, until nobody is left to ask."""
    if craft.memory:
        resource.setrlimit(resource.RLIMIT_AS, (craft.memory, craft.memory))
    craft.open_up()
    while True:
        try:
            order = line.recv()
        except EOFError:
            return
        try:
            line.send((True, craft.work(order)))
        except Exception as broken:
            line.send((False, f"{type(broken).__name__}: {broken}"))
        craft.tidy_up()
