"""The temporary folder of a drill."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

SCRATCH = "filing-drill-"  # the beginning of its name


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A temporary folder, locked while it is used; those of drills that were killed are deleted."""
    for path in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with suppress(OSError), _locked(path):  # used, or of another person
            shutil.rmtree(path, ignore_errors=True)
    with ExitStack() as stack:
        yield _made_and_locked(stack)


def _made_and_locked(stack: ExitStack) -> Path:
    """A new folder, deleted with the stack. Another drill may take it for a left one until it is locked: then again."""
    while True:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=SCRATCH)))
        with suppress(BlockingIOError, FileNotFoundError):
            stack.enter_context(_locked(folder))
            if folder.exists():  # else the lock is on a folder that was deleted before
                return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder; raises OSError when another process has it."""
    lock = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
