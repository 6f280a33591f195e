"""The folder of checkpoints: append-only, best on another machine than the database.

checkpoint            the newest one
checkpoints/4711      each one, by the number of entries it covers
tile/0/x001/234       the hashes of 256 entries, 32 bytes each (the lowest level of c2sp.org/tlog-tiles)
tile/0/018.p/103      of the last entries, where they are fewer than 256
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from flask_babel import gettext as _

from models.checkpoint import merkle
from models.checkpoint.note import Checkpoint, Verifier
from models.files.durable import flush_folder
from models.workflow import Refused

HASH = 32  # bytes
WIDTH = 256  # hashes in a tile
MARKER = "filing-witness"  # a file of a witness's folder: without it, the disk is not mounted
LOCK = ".lock"  # a file beside the chains' folders


class Missing(Exception):
    """A tile that a checkpoint needs is missing or too short."""


class CheckpointFolder:
    """The folder; it need not exist before the first checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self, verifier: Verifier) -> Checkpoint | None:
        """The newest checkpoint, None before the first; raises Unverified, also for a file that is not text."""
        try:
            return verifier.read((self.folder / "checkpoint").read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return None

    def leaves(self, size: int, start: int = 0) -> Iterator[bytes]:
        """The hashes of the first `size` entries, from the entry `start` (from 0) on; raises Missing."""
        for number in range(start // WIDTH, -(-size // WIDTH)):
            here = min(WIDTH, size - number * WIDTH)
            yield from islice(_split(self._tile(number, here), here), max(0, start - number * WIDTH), None)

    def root_of(self, size: int, start: int, end: int) -> bytes:
        """The root hash over the entries from `start` (from 0) to before `end`, of a checkpoint over `size` entries.

        Raises Missing.
        """
        return merkle.root(islice(self.leaves(size, start), end - start))

    def _tile(self, number: int, width: int) -> bytes:
        """The content of a tile with at least `width` hashes: the full one, or the partial one."""
        for path in (self._path(number), self._path(number, width)):
            if path.is_file():
                return path.read_bytes()
        raise Missing(self._path(number))

    def _path(self, number: int, width: int = WIDTH) -> Path:
        groups = f"{number:,}".split(",")
        names = [f"x{int(group):03}" for group in groups[:-1]] + [f"{int(groups[-1]):03}"]
        path = Path(self.folder, "tile", "0", *names)
        return path if width == WIDTH else path.with_name(f"{path.name}.p") / str(width)

    def add_tile(self, number: int, content: bytes) -> None:
        """Write the hashes of tile `number`, replacing those of an interrupted run."""
        path = self._path(number, len(content) // HASH)
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, content)

    def publish(self, checkpoint: Checkpoint, note: str) -> None:
        """Write the signed note, as the last step: until then the former checkpoint is the newest."""
        for path in (self.folder / "checkpoints" / str(checkpoint.size), self.folder / "checkpoint"):
            write_whole(path, note.encode())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock the folder against other signing processes; raises Refused if it is locked. Ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder, wait=False))
        except BlockingIOError:
            raise Refused(_("另一个 trail checkpoint 正在写入这个文件夹，没有重复签署，请等它结束。")) from None
        yield


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[None]:
    """Lock an existing folder against other processes and threads; raises BlockingIOError unless it may `wait`."""
    file = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(file)


def _split(content: bytes, count: int) -> Iterator[bytes]:
    if len(content) < count * HASH:
        raise Missing(count)
    for index in range(count):
        yield content[index * HASH : (index + 1) * HASH]


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file as a whole, durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    flush_folder(path.parent)
