"""A process beside ours for one kind of work, one piece after the other: what is slow to load, or must not harm us."""

import os
import resource
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any


class Hung(Exception):
    """The work took longer than it may; its process was ended."""


class Died(Exception):
    """The process ended over the work, or could not be started, twice."""


class Workshop:
    """Started by the first piece of work, replaced when it dies, ended when the process that asked it ends.

    `work` is a function of a module; what it raises is raised here again. `open_up` is called once in the new process.
    `memory`: bytes it may use, None for any number.
    """

    def __init__(
        self,
        work: Callable[[Any], Any],
        longest: float,
        open_up: Callable[[], None] | None = None,
        memory: int | None = None,
    ) -> None:
        self.longest, self.life = longest, (work, open_up, memory)
        self.turn = Lock()
        self.line: Connection | None = None
        self.process: Any = None
        self.owner = 0

    def done(self, order: Any) -> Any:
        """What the work makes of the order; raises what it raises, Hung or Died. A process that died is replaced once."""
        with self.turn:
            for _attempt in range(2):
                try:
                    return self._asked(order)
                except (EOFError, OSError):
                    self._stop()
        raise Died

    def _asked(self, order: Any) -> Any:
        line = self.line if self.line and self.owner == os.getpid() else self._started()  # a fork starts its own
        line.send(order)
        if not line.poll(self.longest):
            self._stop()
            raise Hung  # and would again: it is not asked twice
        made, answer = line.recv()
        if made:
            return answer
        raise answer

    def _started(self) -> Connection:
        context = get_context("spawn")  # never a fork: this process has threads
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, *self.life), daemon=True)
        process.start()
        theirs.close()
        self.line, self.process, self.owner = ours, process, os.getpid()
        return ours

    def _stop(self) -> None:
        if self.process and self.owner == os.getpid():
            self.process.kill()
            self.process.join()
        self.line = self.process = None


def serve(
    line: Connection, work: Callable[[Any], Any], open_up: Callable[[], None] | None, memory: int | None
) -> None:
    """The life of the process: one order after the other, until nobody is left to ask."""
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if open_up:
        open_up()
    while True:
        try:
            order = line.recv()
        except EOFError:
            return
        try:
            answer = (True, work(order))
        except Exception as broken:
            answer = (False, broken)
        line.send(answer)
