"""The transports of the simulated customs: HTTP on this machine only, and a folder pair."""

import json
import os
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models.exchange.transports.folders import FolderPair
from views.demo.simulator import Customs

POLL = 0.1  # seconds between two looks into the folders


class GatewayHandler(BaseHTTPRequestHandler):
    """POST /: a letter; GET /inbox: no receipts, since each letter is answered at once; GET /ledger: what came."""

    server_version, sys_version = "SimulatedCustoms", ""
    customs: Customs

    def do_POST(self) -> None:
        """Receive a letter; answer with its receipt, or with an empty body."""
        letter = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(self.receive(letter) or b"")

    def receive(self, letter: bytes) -> bytes | None:
        """The receipt of a letter; tests override this."""
        return self.customs.take(letter)

    def do_GET(self) -> None:
        """The ledger, or an empty list of receipts."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/ledger":
            self.reply_json(self.customs.entries(query.get("since", ""), query.get("until", "9999")))
        elif parts.path == "/inbox":
            self.reply_json([])
        else:
            self.send_error(404)

    def reply_json(self, value: Any) -> None:
        """Answer 200 with this value as JSON."""
        self.reply(json.dumps(value, ensure_ascii=False).encode())

    def reply(self, body: bytes) -> None:
        """Answer 200 with these bytes."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(customs: Customs, port: int, handler: type[GatewayHandler] = GatewayHandler) -> ThreadingHTTPServer:
    """An HTTP server on 127.0.0.1, ready for `serve_forever()`; port 0: any free port."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("GatewayHandler", (handler,), {"customs": customs}))


def process_folders(customs: Customs, pair: FolderPair) -> None:
    """Process once what lies in SentBox; safe to repeat after a crash at any point."""
    for file in _oldest_first(pair.folder / "SentBox"):
        with suppress(FileNotFoundError):  # another process was faster
            if file.suffix == ".ask":
                ledger = json.dumps(customs.entries(*file.stem.split("_")[1:3]), ensure_ascii=False)
                pair.put("InBox", f"{file.stem}.json", ledger.encode())
                file.unlink()
            else:
                _receive_file(customs, pair, file)


def _oldest_first(box: Path) -> list[Path]:
    """The files of a box by modification time, so that letters keep their order."""
    files = []
    for file in box.iterdir():
        with suppress(FileNotFoundError):
            files.append((file.stat().st_mtime_ns, file.name, file))
    return [file for _moment, _name, file in sorted(files)]


def _receive_file(customs: Customs, pair: FolderPair, file: Path) -> None:
    """Process a letter: receipt to InBox, letter to OutBox, or FailBox when refused."""
    receipt = customs.take(file.read_bytes())
    if receipt is not None:
        pair.put("InBox", f"Receipt_{file.stem}_{time.time_ns()}.xml", receipt)
    failed = b"<ResponseCode>-" in (receipt or b"")
    os.replace(file, pair.folder / ("FailBox" if failed else "OutBox") / file.name)
