"""The other way to customs: a folder pair in the manner of the E-port client."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from models.customs import receipt
from models.exchange.transports import MOST, TIMEOUT, NoAnswer, read_list
from models.files.plain_file import open_plain

BOXES = ("SentBox", "OutBox", "InBox", "FailBox")  # to send, sent, receipts, could not be sent


class FolderPair:
    """Letters are put into SentBox, receipts taken from InBox; a name never stands for half a file of ours."""

    settled = 1.0  # seconds: a younger receipt may still be in the writing
    patience = float(TIMEOUT)

    def __init__(self, folder: Path) -> None:
        self.folder, self.writing = folder, folder / "Writing"
        for box in (*BOXES, "Writing"):
            (folder / box).mkdir(parents=True, exist_ok=True)

    def send(self, name: str, letter: bytes) -> bytes | None:
        """A message has at most one letter in SentBox: no question overtakes what it asks about, and none pile up."""
        about, asked_in = receipt.asked(name)
        box = self.folder / "SentBox"
        if asked_in and any(receipt.asked(file.stem)[0] == about for file in box.glob("*.xml")):
            raise NoAnswer(_("上一份报文仍在 SentBox，尚未由客户端取走，请检查客户端是否在运行。"), sent=True)
        self.put("SentBox", f"{name}.xml", letter)
        return None

    def put(self, box: str, name: str, content: bytes) -> None:
        """Write beside the boxes, flush, then rename: whatever kills us, the box holds all of it or nothing."""
        half = self.writing / f"{secrets.token_hex(8)}-{name}"  # by lot: several machines may share the folder
        try:
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, self.folder / box / name)
        except OSError as broken:
            raise NoAnswer(_("交换文件夹不可写（%(why)s）。", why=broken.strerror), sent=False) from broken
        with suppress(OSError):  # it is there, and may be taken; not every file system can flush a folder
            self._sync(self.folder / box)

    def _sync(self, box: Path) -> None:
        handle = os.open(box, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        """InBox by name, and what came back through FailBox as `FailBox/…`. No link is followed."""
        self._sweep()
        for file in (*self._lying("InBox"), *self._lying("FailBox")):
            with suppress(FileNotFoundError):  # another deliverer took it
                if not file.name.startswith("Ledger_") and file.lstat().st_mtime <= time.time() - self.settled:
                    yield file.name if file.parent.name == "InBox" else f"FailBox/{file.name}", self._read(file)

    def _lying(self, box: str) -> list[Path]:
        try:
            return sorted((self.folder / box).iterdir())
        except OSError as broken:
            raise NoAnswer(_("交换文件夹不可读（%(why)s）。", why=broken.strerror), sent=False) from broken

    def _sweep(self) -> None:
        """Remove what somebody was writing when they were killed."""
        for left in self._lying("Writing"):
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - 3600:
                    left.unlink()

    def _read(self, file: Path, most: int = receipt.MOST) -> bytes | None:
        """At most so many bytes; None for a link, a folder, a pipe, and what cannot be read."""
        opened = open_plain(file)
        if opened is None:
            return None
        with opened, suppress(OSError):
            return opened.read(most)
        return None

    def drop(self, name: str) -> None:
        box, _slash, file = name.rpartition("/")
        (self.folder / (box or "InBox") / file).unlink(missing_ok=True)

    def ledger(self, since: date, until: date) -> Any:
        name = f"Ledger_{since}_{until}"
        told = self.folder / "InBox" / f"{name}.json"
        told.unlink(missing_ok=True)
        self.put("SentBox", f"{name}.ask", b"")
        ended = time.monotonic() + self.patience
        while not told.exists():
            if time.monotonic() > ended:
                raise NoAnswer(_("海关没有在限定时间内给出台账，请稍后再试。"), sent=True)
            time.sleep(0.05)
        raw = self._read(told, MOST)
        told.unlink(missing_ok=True)
        return read_list(raw or b"", dict)
