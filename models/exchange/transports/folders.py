"""Transport over folders, as the E-port client uses them."""

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
from models.files.durable import flush_folder
from models.files.plain_file import open_plain

BOXES = ("SentBox", "OutBox", "InBox", "FailBox")  # to send, sent, receipts, could not be sent


class FolderPair:
    """Letters go into SentBox, receipts come from InBox and FailBox. Files are written atomically."""

    settled = 1.0  # seconds: a younger receipt may still be being written
    patience = float(TIMEOUT)

    def __init__(self, folder: Path) -> None:
        self.folder, self.writing = folder, folder / "Writing"
        for box in (*BOXES, "Writing"):
            (folder / box).mkdir(parents=True, exist_ok=True)

    def send(self, name: str, letter: bytes) -> bytes | None:
        """Raises NoAnswer for a query while SentBox holds a letter of the message: a query must not overtake it."""
        about, query_attempt = receipt.parse_letter_name(name)
        box = self.folder / "SentBox"
        try:
            waiting = [receipt.parse_letter_name(file.stem)[0] for file in box.glob("*.xml")] if query_attempt else []
        except OSError as broken:  # of the share, not of the message
            raise NoAnswer(_("读写失败：%(why)s。", why=broken.strerror or broken), sent=True) from broken
        if about in waiting:
            raise NoAnswer(_("上一份报文仍在 SentBox，尚未由客户端取走，请检查客户端是否在运行。"), sent=True)
        self.put("SentBox", f"{name}.xml", letter)
        return None

    def put(self, box: str, name: str, content: bytes) -> None:
        """Write to Writing/, fsync, rename into the box, which so never holds a partial file. Raises NoAnswer."""
        half = self.writing / f"{secrets.token_hex(8)}-{name}"  # random: several machines may share the folder
        try:
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, self.folder / box / name)
        except OSError as broken:
            raise NoAnswer(_("交换文件夹不可写（%(why)s）。", why=broken.strerror), sent=False) from broken
        with suppress(OSError):  # the rename is done; not every file system can fsync a folder
            flush_folder(self.folder / box)

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        """Files of InBox, and of FailBox as `FailBox/…`, each sorted by name. Links are not followed."""
        self._sweep()
        for file in (*self._files("InBox"), *self._files("FailBox")):
            with suppress(FileNotFoundError):  # another deliverer fetched it
                if not file.name.startswith("Ledger_") and file.lstat().st_mtime <= time.time() - self.settled:
                    yield file.name if file.parent.name == "InBox" else f"FailBox/{file.name}", self._read(file)

    def _files(self, box: str) -> list[Path]:
        try:
            return sorted((self.folder / box).iterdir())
        except OSError as broken:
            raise NoAnswer(_("交换文件夹不可读（%(why)s）。", why=broken.strerror), sent=False) from broken

    def _sweep(self) -> None:
        """Delete what nobody waits for after an hour: partial files of killed processes, ledgers that came too late."""
        ledgers = [file for file in self._files("InBox") if file.name.startswith("Ledger_")]
        for left in (*self._files("Writing"), *ledgers):
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - 3600:
                    left.unlink()

    def _read(self, file: Path, most: int = receipt.MOST) -> bytes | None:
        """The first `most` bytes; None for a link, a folder, a pipe or an unreadable file."""
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
        """Each request has a name of its own: a trial restore, which may share the folder, gets no answer of others."""
        name = f"Ledger_{since}_{until}_{secrets.token_hex(8)}"
        asked, answer = self.folder / "SentBox" / f"{name}.ask", self.folder / "InBox" / f"{name}.json"
        self.put("SentBox", asked.name, b"")
        ended = time.monotonic() + self.patience
        while not answer.exists():
            if time.monotonic() > ended:
                with suppress(OSError):
                    asked.unlink()
                raise NoAnswer(_("海关没有在限定时间内给出台账，请稍后再试。"), sent=True)
            time.sleep(0.05)
        raw = self._read(answer, MOST)
        answer.unlink(missing_ok=True)
        return read_list(raw or b"", dict)
