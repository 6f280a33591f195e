"""模拟海关: a simulated customs with its own ledger, which accepts, rejects or waits. Not the real customs."""

import hashlib
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.x509 import Certificate
from lxml import etree  # type: ignore[import-untyped,unused-ignore]

from models import clock
from models.customs import envelope
from models.customs.envelope import Letter, port
from models.database.sqlite import library as sqlite
from models.signing import signatures
from models.vocabulary import Action, Reply
from models.workflow import Refused

SETTLED_COLUMNS = ("message_id", "certificate", "act", "accepted", "code", "words", "day")
REFUSED_TITLE, WAITING_TITLE, USED_TITLE = "测试拒收", "测试等待", "测试核销"
TABLES = f"""
CREATE TABLE IF NOT EXISTS entry ({", ".join(SETTLED_COLUMNS)}, PRIMARY KEY (message_id));
CREATE TABLE IF NOT EXISTS arrival (message_id);
"""


class Customs:
    """Receives letters, records one entry per message and answers with a receipt; the title decides which.

    `trusted`: roots for the signatures of letters; without them signatures are not checked.
    """

    def __init__(self, path: Path, trusted: list[Certificate] | None = None) -> None:
        self.path, self.trusted, self.lock = path, trusted or [], Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite.connect(path)) as connection:
            connection.executescript(TABLES)

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Execute one statement on the ledger and commit; its rows."""
        with closing(sqlite.connect(self.path, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def take(self, raw: bytes) -> bytes | None:
        """Process a letter; returns its receipt. A subclass may return None: the receipt comes later or never."""
        with self.lock:
            try:
                letter = envelope.opened(raw)
                if self.trusted:
                    signatures.cms_signer(letter.signature or b"", letter.data, self.trusted)
                root = envelope.parsed(letter.data)
            except (etree.LxmlError, ValueError):
                return receipt("", "-1201001", "报文格式错误（模拟海关）")
            except Refused:
                return receipt(letter.name, "-1201002", "签名验证失败（模拟海关）")
            return self._process(letter, root.findtext("{*}message_id"), root)

    def _process(self, letter: Letter, name: str, root: Any) -> bytes | None:
        """Record the message `name` once, also if its receipt is lost later; a query records nothing."""
        title = root.findtext("{*}application/{*}title") or ""
        if letter.kind == envelope.CERTIFICATE:
            self.run("INSERT INTO arrival VALUES (?)", name)
            if WAITING_TITLE in title:
                return receipt(letter.name, "0", "已转交海关，请等待业务回执（模拟海关）")
            values = (name, *self.decision(letter, root), str(clock.today()))
            self.run(f"INSERT OR IGNORE INTO entry VALUES ({', '.join('?' * len(values))})", *values)
        is_used = USED_TITLE in title and root.findtext("{*}act") != Action.REVOKE
        return self.answer(letter.name, self._result(name), *(uses(name) if is_used else ()))

    def answer(self, about: str, *parts: Any) -> bytes | None:
        """The receipt about the letter `about`, with these results."""
        return receipt(about, "0", "", *parts)

    def decision(self, letter: Letter, root: Any) -> tuple[str, str, bool, str, str]:
        """(certificate, act, accepted, code, words). Rejected: by title, or when ids differ."""
        about, act = root.findtext("{*}certificate/{*}number"), root.findtext("{*}act")
        if root.findtext("{*}message_id") != letter.name:
            return about, act, False, "1002", "报文编号不一致（模拟海关）"
        if act != Action.REVOKE and REFUSED_TITLE in root.findtext("{*}application/{*}title"):
            return about, act, False, "2001", f"商品名称含“{REFUSED_TITLE}”（模拟海关）"
        return about, act, True, "0000", "已接收（模拟海关）"

    def _result(self, name: str) -> Any:
        """The recorded result of the message `name`, as a part of a receipt."""
        rows = self.run("SELECT accepted, code, words FROM entry WHERE message_id = ?", name)
        if not rows:
            arrived = self.run("SELECT 1 FROM arrival WHERE message_id = ?", name)
            return result(name, Reply.WAITING if arrived else Reply.UNKNOWN, "", "")
        accepted, code, words = rows[0]
        return result(name, Reply.ACCEPTED if accepted else Reply.REJECTED, code, words)

    def entries(self, since: str = "", until: str = "9999") -> list[dict[str, Any]]:
        """The ledger of these days (ISO dates, inclusive), in order of arrival."""
        rows = self.run("SELECT * FROM entry WHERE day BETWEEN ? AND ? ORDER BY rowid", since, until)
        entries = (dict(zip(SETTLED_COLUMNS, row, strict=True)) for row in rows)
        return [entry | {"accepted": bool(entry["accepted"])} for entry in entries]

    def arrivals(self) -> list[str]:
        """The id of every certificate message that arrived, once per arrival."""
        return [name for (name,) in self.run("SELECT message_id FROM arrival ORDER BY rowid")]


def result(name: str, says: Reply, code: str, words: str) -> Any:
    """The result of one message, as a part of a DxpRep."""
    details = (port.Code(code), port.Info(words)) if code else ()
    return port.Result(port.CopMsgId(name), port.State(says.value), *details)


def use(name: str, says: Reply, reference: str, at: datetime) -> Any:
    """What happened to the certificate of the message `name`, as a part of a DxpRep."""
    details = (port.Code("0000"), port.Info("（模拟海关）"), port.Reference(reference), port.UsedAt(at.isoformat()))
    return port.Result(port.CopMsgId(name), port.State(says.value), *details)


def uses(name: str) -> list[Any]:
    """核注 and 核销 of a certificate, both at once, which real customs never sends."""
    number = "2201" + hashlib.sha256(name.encode()).hexdigest()[:14].upper()
    return [use(name, says, number, clock.now().replace(microsecond=0)) for says in (Reply.NOTED, Reply.USED_UP)]


def receipt(about: str, code: str, info: str, *parts: Any, count: int = 0) -> bytes:
    """A DxpRep (dxp.xsd) about the letter `about` with these results; `count` may announce more than there are."""
    results = [port.Results(*parts, count=str(max(count, len(parts))))] if parts else []
    root = port.DxpRep(
        port.Response(port.ResponseCode(code), port.ResponseInfo(info), *results),
        port.NoticeTime(clock.now().isoformat()),
        port.OriHead(port.CopMsgId(about or "-")),
        ver="1.0",
    )
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
