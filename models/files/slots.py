"""Slots that all processes of a machine share, as locks on files: a process that dies frees its slot."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

PAUSE = 0.02  # seconds between two attempts


class NoSlot(RuntimeError):
    """No slot was free within the time."""


class MachineSlots:
    """`count` slots, each a file in `folder`, the same for all processes."""

    def __init__(self, folder: Path, count: int) -> None:
        self.files = [folder / f"{number}.lock" for number in range(count)]

    @contextmanager
    def slot(self, patience: float) -> Iterator[None]:
        """Hold a slot; waits for one at most `patience` seconds, then raises NoSlot. Raises OSError."""
        ended = monotonic() + patience
        while (file := self._lock_one()) is None:
            if monotonic() > ended:
                raise NoSlot
            sleep(PAUSE)
        try:
            yield
        finally:
            os.close(file)

    def _lock_one(self) -> int | None:
        """Lock a free slot and return its descriptor, which child processes do not inherit; None: no slot is free."""
        for path in self.files:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                os.close(file)
        return None
