"""Worker subprocess: one task at a time, limited in memory and time, for slow-loading libraries and untrusted files."""

import os
import resource
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from models.files.fair_queue import FairQueue, QueueFull, WaitedTooLong
from models.files.slots import MachineSlots, NoSlot

START = 120  # seconds that a process may take to start


class Unfinished(RuntimeError):
    """The task raised an exception (named in args[0]), exceeded a limit, or crashed its process."""


class Busy(Unfinished):
    """The task was not run: no turn or processor time in time, or no process could be started."""


class TooMany(Busy):
    """The owner has reached its limit of tasks in the queue."""


def no_op() -> None:
    """No-op default."""


@dataclass(frozen=True)
class WorkerTask:
    """What the process runs; functions must be picklable, so of a module. Limits (0: none):

    `memory`: bytes of the process; `cpu`: seconds of processor time of one task; `max_tasks`: tasks after which the
    process is replaced.
    """

    work: Callable[[Any], Any]
    start_up: Callable[[], None] = no_op
    clean_up: Callable[[], None] = no_op
    memory: int = 0
    cpu: int = 0
    max_tasks: int = 0


class WorkerProcess:
    """One worker process: started by the first task, replaced when it dies, ended with its parent process.

    `timeout`: seconds to wait for a result; `patience`: seconds to wait for the turn, -1: without limit; `each`: tasks
    that one owner may have in the queue, 0: without limit.
    """

    def __init__(self, task: WorkerTask, timeout: float, patience: float = -1, each: int = 0) -> None:
        self.task, self.timeout, self.patience = task, timeout, patience
        self.queue = FairQueue(each)
        self.slots: MachineSlots | None = None  # shared by the processes of this machine; None: no such limit
        self.pipe: Connection | None = None
        self.process: Any = None
        self.owner = self.tasks_done = 0

    def run(self, order: Any, owner: Any = None) -> Any:
        """The result of one task; owners (any hashable) take turns. Retries once when the process dies.

        Raises Unfinished, Busy or TooMany.
        """
        try:
            with self.queue.turn(owner, self.patience), self._slot():
                return self._run_with_retry(order)
        except QueueFull:
            raise TooMany("other tasks of this owner wait") from None
        except (WaitedTooLong, NoSlot):
            raise Busy("other tasks took all the time") from None

    def _slot(self) -> AbstractContextManager[None]:
        return self.slots.slot(max(self.patience, 0)) if self.slots else nullcontext()

    def _run_with_retry(self, order: Any) -> Any:
        for _attempt in range(2):
            try:
                return self._run_once(order)
            except (EOFError, OSError):
                if self._stop() == -signal.SIGPROF:
                    raise Unfinished("the task took all its processor time") from None  # no retry: it would again
        raise Unfinished("the process died twice of one task")

    def _run_once(self, order: Any) -> Any:
        pipe = self.pipe if self.pipe and self.owner == os.getpid() else self._start()  # a fork has none yet
        pipe.send(order)
        if not pipe.poll(self.timeout):  # no retry: it would hang again
            self._stop()
            raise Busy("no answer in time") if self.task.cpu else Unfinished("the process hung over this task")
        finished, answer = pipe.recv()
        self.tasks_done += 1
        if self.tasks_done == self.task.max_tasks:
            self._stop()
        if not finished:
            raise Unfinished(answer)
        return answer

    def _start(self) -> Connection:
        """Start a process and wait until it is ready, up to START seconds; its pipe. Raises Busy."""
        context = get_context("spawn")  # never a fork: this process has threads
        try:
            local, remote = context.Pipe()
            process = context.Process(target=serve, args=(remote, self.task), daemon=True)
            process.start()
            self.pipe, self.process, self.owner, self.tasks_done = local, process, os.getpid(), 0
            remote.close()
            if not local.poll(START):
                raise EOFError
            local.recv()
        except (EOFError, OSError):
            self._stop()
            raise Busy("no process could be started") from None
        return local

    def _stop(self) -> int | None:
        """Kill the process; its exit code, negative: the number of the signal that ended it."""
        code = None
        if self.process and self.owner == os.getpid():
            self.process.kill()
            self.process.join()
            code = self.process.exitcode
        self.pipe = self.process = None
        return code


def serve(pipe: Connection, task: WorkerTask) -> None:
    """Main loop of the worker process: one task after the other, until the pipe is closed."""
    if task.memory:
        resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    task.start_up()
    pipe.send(True)
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, task.cpu)  # SIGPROF ends the process, even within a C library
        try:
            answer = True, task.work(order)
        except Exception as broken:
            answer = False, f"{type(broken).__name__}: {broken}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(answer)
        task.clean_up()
