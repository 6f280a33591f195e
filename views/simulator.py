"""模拟海关: a counterpart for trying things out, with a ledger of its own. It is not customs, and says so."""

import json
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped,unused-ignore]

from models import customs
from models.vocabulary import Action

COLUMNS = ("message_id", "certificate", "act", "accepted", "code", "words")
REFUSED_TITLE = "测试拒收"
TABLE = f"CREATE TABLE IF NOT EXISTS entry ({', '.join(COLUMNS)}, PRIMARY KEY (message_id))"


class Ledger:
    """What arrived, and how it was answered; a message seen before gets the answer it got then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._run(TABLE)

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            rows = connection.execute(statement, values).fetchall()
        entries = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        return [entry | {"accepted": bool(entry["accepted"])} for entry in entries]

    def take(self, name: str, xml: bytes) -> dict[str, Any]:
        """The answer to a message: given once, repeated ever after."""
        places = ", ".join("?" * len(COLUMNS))
        self._run(f"INSERT OR IGNORE INTO entry VALUES ({places})", (name, *judged(name, xml)))
        return self._run("SELECT * FROM entry WHERE message_id = ?", (name,))[0]

    def entries(self) -> list[dict[str, Any]]:
        """All of it, in the order of arrival."""
        return self._run("SELECT * FROM entry ORDER BY rowid")


def judged(name: str, xml: bytes) -> tuple[str, str, bool, str, str]:
    """(certificate, act, accepted, code, words) as this customs would have it."""
    try:
        root = customs.parsed(xml)
    except etree.LxmlError:
        return "", "", False, "1001", "报文不符合格式（模拟海关）"
    about, act = root.findtext("{*}certificate/{*}number"), root.findtext("{*}act")
    if root.findtext("{*}message_id") != name:
        return about, act, False, "1002", "报文编号不一致（模拟海关）"
    if act != Action.REVOKE and REFUSED_TITLE in root.findtext("{*}application/{*}title"):
        return about, act, False, "2001", f"商品名称含“{REFUSED_TITLE}”（模拟海关）"
    return about, act, True, "0000", "已接收（模拟海关）"


class Counter(BaseHTTPRequestHandler):
    """POST hands in a message, GET shows the ledger."""

    server_version, sys_version = "SimulatedCustoms", ""
    ledger: Ledger

    def do_POST(self) -> None:
        """One message, named by its header."""
        xml = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.headers.get("Message-Id")
        self.reply(self.ledger.take(name, xml)) if name else self.send_error(400)

    def do_GET(self) -> None:
        """The whole ledger."""
        self.reply(self.ledger.entries())

    def reply(self, said: Any) -> None:
        """JSON, in UTF-8."""
        body = json.dumps(said, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(path: Path, port: int, counter: type[Counter] = Counter) -> ThreadingHTTPServer:
    """A server on this machine, ready for `serve_forever()`."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Counter", (counter,), {"ledger": Ledger(path)}))
