"""This system as the witness of other registers (c2sp.org/tlog-witness): cosigns each checkpoint that continues the
last one, and stores it.

filing-witness    in the folder: an empty file made by its owner, without which nothing is cosigned
origin/4711       each note that was cosigned, by the number of its entries
"""

import base64
import re
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import clock
from models.checkpoint import merkle
from models.checkpoint.cosignature import cosign
from models.checkpoint.folder import MARKER, locked, write_whole
from models.checkpoint.note import Checkpoint, Unverified, Verifier, read_text
from models.files.durable import flush_folder

MOST = 16 << 10  # bytes of a request
BODY = re.compile(r"old (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(([^\n]+)\n.+)", re.S | re.A)


class Reason(Enum):
    """Why a checkpoint is not cosigned."""

    MALFORMED = auto()
    UNKNOWN_LOG = auto()
    NOT_SIGNED = auto()
    OTHER_STATE = auto()  # the old size is not the last one here, or the same size has another hash
    INCONSISTENT = auto()


class NotCosigned(Exception):
    """`size`: of the last checkpoint that was cosigned for this log."""

    def __init__(self, reason: Reason, size: int = 0) -> None:
        super().__init__(reason.name)
        self.reason, self.size = reason, size


@dataclass(frozen=True)
class Request:
    """A checkpoint (`note`: its signed text) of the log `origin`, and the proof that it continues `old` entries."""

    old: int
    hashes: list[bytes]
    note: str
    origin: str

    @classmethod
    def of_body(cls, body: bytes) -> "Request":
        """Raises NotCosigned."""
        found = BODY.fullmatch(body.decode(errors="replace")) if len(body) <= MOST else None
        if found is None:
            raise NotCosigned(Reason.MALFORMED)
        return cls(int(found[1]), [base64.b64decode(line) for line in found[2].split()], found[3], found[4])


@dataclass(frozen=True)
class Witness:
    """The witness of `logs`, which cosigns as `name`."""

    name: str
    key: Ed25519PrivateKey
    logs: tuple[Verifier, ...]
    folder: Path

    def add(self, body: bytes) -> str:
        """The line that cosigns the checkpoint of this request, once it is stored.

        Raises NotCosigned, and OSError; also without MARKER, because an empty folder would cosign everything again.
        """
        if not (self.folder / MARKER).is_file():
            raise FileNotFoundError(self.folder / MARKER)
        request = Request.of_body(body)
        checkpoint, signed_lines = self._verified(request)
        if request.old > checkpoint.size:
            raise NotCosigned(Reason.MALFORMED)
        place = self.folder / quote(request.origin, safe="")
        if not place.is_dir():
            place.mkdir(exist_ok=True)
            flush_folder(place.parent)
        with locked(place):
            self._check(request, checkpoint, self._last(request.origin))
            line = cosign(checkpoint.text(), self.name, self.key, clock.now())
            # Only these lines: anybody who has a note may add others to it.
            note = "\n".join([checkpoint.text(), *signed_lines, line, ""])
            write_whole(place / str(checkpoint.size), note.encode())
        return f"{line}\n"

    def newest(self, origin: str) -> str | None:
        """The last note that was cosigned for a log; None: it has none, or is unknown."""
        if not any(log.name == origin for log in self.logs):
            return None
        place = self.folder / quote(origin, safe="")
        sizes = [int(file.name) for file in place.glob("*") if file.name.isdecimal()]
        return (place / str(max(sizes))).read_text(encoding="utf-8") if sizes else None

    def _verified(self, request: Request) -> tuple[Checkpoint, list[str]]:
        """The checkpoint, and the lines by which its log has signed it. Raises NotCosigned."""
        logs = [log for log in self.logs if log.name == request.origin]
        if not logs:
            raise NotCosigned(Reason.UNKNOWN_LOG)
        try:
            checkpoint = read_text(request.note)
        except Unverified:
            raise NotCosigned(Reason.NOT_SIGNED) from None
        lines = [each for log in logs for each in log.own_lines(request.note)]
        if not lines:
            raise NotCosigned(Reason.NOT_SIGNED)
        return checkpoint, lines

    def _last(self, origin: str) -> Checkpoint:
        """The last checkpoint that was cosigned for this log; of size 0 before the first. Raises OSError if damaged.

        Its signature was verified when it was stored, perhaps by a key that has been replaced since.
        """
        note = self.newest(origin)
        try:
            return Checkpoint(origin, 0, merkle.EMPTY) if note is None else read_text(note)
        except Unverified:
            raise OSError(f"the last note of {origin} is damaged") from None

    def _check(self, request: Request, checkpoint: Checkpoint, last: Checkpoint) -> None:
        if request.old != last.size or (checkpoint.size == last.size and checkpoint.root != last.root):
            raise NotCosigned(Reason.OTHER_STATE, last.size)
        if not merkle.is_consistent(last.size, last.root, checkpoint.size, checkpoint.root, request.hashes):
            raise NotCosigned(Reason.INCONSISTENT, last.size)
