"""The two doors of the simulated customs: HTTP on this machine only, and a folder pair."""

import json
import os
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from models.exchange.transports.folders import FolderPair
from views.demo.simulator import Customs, Silence

POLL = 0.1  # seconds


class Counter(BaseHTTPRequestHandler):
    """POST / hands in a letter, /inbox holds receipts, /ledger shows what was received."""

    server_version, sys_version = "SimulatedCustoms", ""
    customs: Customs

    def do_POST(self) -> None:
        """One letter; the receipt, where it comes at once."""
        letter = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.closed():
            with suppress(Silence):
                self.reply(self.taken(letter) or b"")

    def taken(self, letter: bytes) -> bytes | None:
        """What customs says to a letter."""
        return self.customs.take(letter)

    def do_GET(self) -> None:
        """Receipts that wait, one of them, or the ledger."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        waiting = dict(self.customs.waiting())
        if self.closed():
            return
        if parts.path == "/ledger":
            self.tell(self.customs.entries(asked.get("since", ""), asked.get("until", "9999")))
        elif parts.path == "/inbox":
            self.tell(list(waiting))
        elif raw := waiting.get(unquote(parts.path.removeprefix("/inbox/"))):
            self.reply(raw)
        else:
            self.send_error(404)

    def do_DELETE(self) -> None:
        """Forget a receipt."""
        if not self.closed():
            self.customs.drop(unquote(self.path.removeprefix("/inbox/")))
            self.reply(b"")

    def closed(self) -> bool:
        """Whether the house is closed for a while, and says so."""
        if down := self.customs.mischief.down():
            self.send_error(503)
        return down

    def tell(self, said: Any) -> None:
        """JSON."""
        self.reply(json.dumps(said, ensure_ascii=False).encode())

    def reply(self, body: bytes) -> None:
        """200, with these bytes."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(customs: Customs, port: int, counter: type[Counter] = Counter) -> ThreadingHTTPServer:
    """A server on this machine, ready for `serve_forever()`."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Counter", (counter,), {"customs": customs}))


def attend(customs: Customs, pair: FolderPair) -> None:
    """One look into the boxes of a folder pair, from the other side; killed anywhere, the next look takes up."""
    if customs.mischief.down():
        return
    for file in _oldest_first(pair.folder / "SentBox"):
        with suppress(FileNotFoundError):  # somebody else attends too
            if file.suffix == ".ask":
                told = json.dumps(customs.entries(*file.stem.split("_")[1:]), ensure_ascii=False)
                pair.put("InBox", f"{file.stem}.json", told.encode())
                file.unlink()
            else:
                _handed_in(customs, pair, file)
    for name, raw in customs.waiting():
        pair.put("InBox", name, raw)
        customs.drop(name)


def _oldest_first(box: Path) -> list[Path]:
    """What lies in a box: nothing overtakes what was put there before it."""
    found = []
    for file in box.iterdir():
        with suppress(FileNotFoundError):
            found.append((file.stat().st_mtime_ns, file.name, file))
    return [file for _moment, _name, file in sorted(found)]


def _handed_in(customs: Customs, pair: FolderPair, file: Path) -> None:
    try:
        told = customs.take(file.read_bytes())
    except Silence:
        file.unlink()
        return
    if told is not None:
        pair.put("InBox", f"Receipt_{file.stem}_{time.time_ns()}.xml", told)
    failed = b"<ResponseCode>-" in (told or b"")
    os.replace(file, pair.folder / ("FailBox" if failed else "OutBox") / file.name)
