"""The two ways to customs: a folder pair in the manner of the E-port client, and HTTP(S) with mutual TLS."""

import json
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from flask_babel import gettext as _

from models.workflow import Refused

TIMEOUT = 20  # seconds
MOST = 64 << 20
BOXES = ("SentBox", "OutBox", "InBox", "FailBox")  # to send, sent, receipts, could not be sent
FOLDER = "folder:"
BUSY = {408, 429}


class NoAnswer(Refused):
    """Customs did not answer, or not as agreed. `sent`: it may have arrived; `fault`: this message's, not the way's."""

    def __init__(self, words: str, sent: bool, fault: bool = False) -> None:
        super().__init__(words)
        self.sent, self.fault = sent, fault


class Gateway(Protocol):
    """What any way to customs can do; each raises NoAnswer."""

    def send(self, name: str, letter: bytes) -> bytes | None:
        """Hand over a letter; the receipt, where one comes back at once."""

    def receipts(self) -> Iterator[tuple[str, bytes]]:
        """(name, bytes) of every receipt that waits; it goes on waiting until it is dropped."""

    def drop(self, name: str) -> None:
        """Remove a receipt, now that it is kept here; one that is gone already is gone."""

    def ledger(self, since: date, until: date) -> Any:
        """What customs has received in these days: a list of {"message_id", "accepted", "day"}."""


def gateway_of(address: str, home: Path, settings: Mapping[str, Any]) -> Gateway:
    """`folder:PATH` (relative to `home`) or `http(s)://…`; `settings` name the files of mutual TLS."""
    if address.startswith(FOLDER):
        return FolderPair(home / address.removeprefix(FOLDER))
    if address.startswith(("http://", "https://")):
        return Http(address, trusted(settings) if address.startswith("https") else None)
    raise Refused(_("FILING_CUSTOMS_GATEWAY 应为 folder:文件夹 或 http(s)://地址，请改正后再试。"))


def trusted(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """Customs is known by CUSTOMS_CA, we by CUSTOMS_CLIENT (both PEM; the latter certificate and key)."""
    context = ssl.create_default_context(cafile=settings["CUSTOMS_CA"])
    if settings["CUSTOMS_CLIENT"]:
        context.load_cert_chain(settings["CUSTOMS_CLIENT"])
    return context


def read_json(raw: bytes) -> Any:
    """A list from customs."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise NoAnswer(_("海关网关的应答不符合约定格式。"), sent=True, fault=True) from None


class Http:
    """POST / takes a letter; /inbox lists, gives and deletes receipts; /ledger tells what was received."""

    def __init__(self, address: str, context: ssl.SSLContext | None = None) -> None:
        self.parts, self.context = urlsplit(address), context

    def send(self, name: str, letter: bytes) -> bytes | None:
        return self._asked("POST", "/", letter, {"Content-Type": "application/xml; charset=utf-8"}) or None

    def receipts(self) -> Iterator[tuple[str, bytes]]:
        for name in map(str, read_json(self._asked("GET", "/inbox"))):
            try:
                raw = self._asked("GET", f"/inbox/{quote(name, safe='')}")
            except NoAnswer as gone:
                if not gone.fault:
                    raise
                continue  # another deliverer took it
            yield name, raw

    def drop(self, name: str) -> None:
        self._asked("DELETE", f"/inbox/{quote(name, safe='')}")

    def ledger(self, since: date, until: date) -> Any:
        return read_json(self._asked("GET", f"/ledger?{urlencode({'since': since, 'until': until})}"))

    def _asked(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """One request, to this address alone: http.client follows no redirect and no proxy."""
        line = (
            HTTPSConnection(self.parts.netloc, timeout=TIMEOUT, context=self.context)
            if self.context
            else HTTPConnection(self.parts.netloc, timeout=TIMEOUT)
        )
        sent = False
        try:
            line.connect()
            sent = True
            line.request(method, self.parts.path.rstrip("/") + path, body, headers or {})
            reply = line.getresponse()
            if reply.status == 200:
                return reply.read(MOST)
            fault = reply.status < 500 and reply.status not in BUSY
            raise NoAnswer(_("海关网关应答状态 %(status)s。", status=reply.status), sent, fault)
        except (OSError, HTTPException) as broken:
            raise NoAnswer(_("海关网关没有应答（%(why)s）。", why=broken or type(broken).__name__), sent) from broken
        finally:
            line.close()


class FolderPair:
    """Letters are put into SentBox, receipts taken from InBox; a name never stands for half a file of ours."""

    settled = 1.0  # seconds: a younger receipt may still be in the writing
    patience = float(TIMEOUT)

    def __init__(self, folder: Path) -> None:
        self.folder, self.writing = folder, folder / "Writing"
        for box in (*BOXES, "Writing"):
            (folder / box).mkdir(parents=True, exist_ok=True)

    def send(self, name: str, letter: bytes) -> bytes | None:
        self.put("SentBox", f"{name}.xml", letter)
        return None

    def put(self, box: str, name: str, content: bytes) -> None:
        """Write beside the boxes, flush, then rename: whatever kills us, the box holds all of it or nothing."""
        half = self.writing / f"{os.getpid()}-{name}"
        try:
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, self.folder / box / name)
            self._sync(self.folder / box)
        except OSError as broken:
            raise NoAnswer(_("交换文件夹不可写（%(why)s）。", why=broken.strerror), sent=False) from broken

    def _sync(self, box: Path) -> None:
        handle = os.open(box, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def receipts(self) -> Iterator[tuple[str, bytes]]:
        now = time.time()
        for left in self.writing.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < now - 3600:
                    left.unlink()  # whoever wrote it was killed
        for file in sorted((self.folder / "InBox").iterdir()):
            with suppress(FileNotFoundError):  # another deliverer took it
                if not file.name.startswith("Ledger_") and file.stat().st_mtime <= now - self.settled:
                    yield file.name, file.read_bytes()

    def drop(self, name: str) -> None:
        (self.folder / "InBox" / name).unlink(missing_ok=True)

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
        raw = told.read_bytes()
        told.unlink(missing_ok=True)
        return read_json(raw)
