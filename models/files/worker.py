"""Worker subprocess: one task at a time, with limits of memory and time, for what is slow to load or could harm us."""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from models.files.fair_queue import FairQueue, QueueFull, WaitedTooLong

START = 120  # seconds that a process may take to load what it needs


class Unfinished(RuntimeError):
    """The task raised an exception (which is named), took too long, or its process died of it."""


class Busy(Unfinished):
    """There was no time for the task, or no memory to start a process; nothing is known of the task itself."""


class TooMany(Busy):
    """The owner of the task has as many others in the queue as one owner may have."""


def nothing() -> None:
    """No-op default."""


@dataclass(frozen=True)
class WorkerTask:
    """What the process does; every function is one of a module, so that it can be pickled. 0: no limit.

    `memory`: bytes of the process; `cpu`: seconds of processor time for one task, however busy the machine is;
    `lasts`: tasks after which a new process takes over.
    """

    work: Callable[[Any], Any]
    start_up: Callable[[], None] = nothing
    clean_up: Callable[[], None] = nothing
    memory: int = 0
    cpu: int = 0
    lasts: int = 0


class WorkerProcess:
    """One worker process: started by the first task, replaced when it dies, ended when the process that uses it ends.

    `longest`: seconds to wait for an answer; `patience`: seconds to wait for one's turn, -1: for ever; `each`: tasks
    that one owner may have in the queue, 0: no limit.
    """

    def __init__(self, task: WorkerTask, longest: float, patience: float = -1, each: int = 0) -> None:
        self.task, self.longest, self.patience = task, longest, patience
        self.queue = FairQueue(each)
        self.line: Connection | None = None
        self.process: Any = None
        self.owner = self.orders = 0

    def done(self, order: Any, owner: Any = None) -> Any:
        """The result of one task of an `owner` (anything that can be a key); owners take turns.

        Raises Unfinished, Busy or TooMany. A task whose process died is tried once more.
        """
        try:
            with self.queue.turn(owner, self.patience):
                return self._tried(order)
        except QueueFull:
            raise TooMany("other tasks of this owner wait") from None
        except WaitedTooLong:
            raise Busy("other tasks took all the time") from None

    def _tried(self, order: Any) -> Any:
        for _attempt in range(2):
            try:
                return self._asked(order)
            except (EOFError, OSError):
                if self._stop() == -signal.SIGPROF:
                    raise Unfinished("the task took all its processor time") from None  # and would again
        raise Unfinished("the process died twice of one task")

    def _asked(self, order: Any) -> Any:
        line = self.line if self.line and self.owner == os.getpid() else self._started()  # a fork has none yet
        line.send(order)
        if not line.poll(self.longest):  # it is not asked twice: it would hang again
            self._stop()
            raise Busy("no answer in time") if self.task.cpu else Unfinished("the process hung over this task")
        finished, answer = line.recv()
        self.orders += 1
        if self.orders == self.task.lasts:
            self._stop()
        if not finished:
            raise Unfinished(answer)
        return answer

    def _started(self) -> Connection:
        """A process that has loaded everything, which takes many seconds on a busy machine; raises Busy."""
        context = get_context("spawn")  # never a fork: this process has threads
        try:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, self.task), daemon=True)
            process.start()
            self.line, self.process, self.owner, self.orders = ours, process, os.getpid(), 0
            theirs.close()
            if not ours.poll(START):
                raise EOFError
            ours.recv()
        except (EOFError, OSError):
            self._stop()
            raise Busy("no process could be started") from None
        return ours

    def _stop(self) -> int | None:
        """End the process; its exit code, negative: the signal that ended it."""
        code = None
        if self.process and self.owner == os.getpid():
            self.process.kill()
            self.process.join()
            code = self.process.exitcode
        self.line = self.process = None
        return code


def serve(line: Connection, task: WorkerTask) -> None:
    """Main loop of the process: one task after the other, until the other end of the pipe is closed."""
    if task.memory:
        resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    task.start_up()
    line.send(True)
    while True:
        try:
            order = line.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, task.cpu)  # its signal ends the process, even within a C library
        try:
            answer = True, task.work(order)
        except Exception as broken:
            answer = False, f"{type(broken).__name__}: {broken}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        line.send(answer)
        task.clean_up()
