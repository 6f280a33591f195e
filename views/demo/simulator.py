"""模拟海关: a counterpart for trying things out, with a ledger of its own, and faults on demand. It is not customs."""

import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
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
REFUSED_TITLE, WAITING_TITLE = "测试拒收", "测试等待"
TABLES = f"""
CREATE TABLE IF NOT EXISTS entry ({", ".join(SETTLED_COLUMNS)}, PRIMARY KEY (message_id));
CREATE TABLE IF NOT EXISTS arrival (message_id);
CREATE TABLE IF NOT EXISTS receipt (name PRIMARY KEY, raw, due);
"""
FAULTS = ("lost", "unanswered", "duplicated", "reordered", "late", "malformed", "half", "rejected", "down")


class Silence(Exception):
    """No word to whoever asks: the letter was lost on its way, or the house is closed."""


@dataclass
class Mischief:
    """What goes wrong, each with a probability from 0 to 1; `pause` is how long «late» and «down» last, in seconds."""

    chances: dict[str, float] = field(default_factory=dict)
    seed: int | None = None
    pause: float = 2.0

    def __post_init__(self) -> None:
        self.dice, self.until = random.Random(self.seed), 0.0

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens now."""
        return self.dice.random() < self.chances.get(fault, 0)

    def down(self) -> bool:
        """Whether the house is closed now; it may close any moment, and opens by itself."""
        if self.strikes("down"):
            self.until = time.monotonic() + self.pause
        return time.monotonic() < self.until


class Customs:
    """Takes letters, keeps one entry a message, answers with receipts: at once, later, or not at all."""

    def __init__(self, path: Path, mischief: Mischief | None = None, trusted: list[Certificate] | None = None) -> None:
        self.path, self.mischief, self.trusted = path, mischief or Mischief(), trusted or []
        self.lock, self.serial = Lock(), count()
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite.connect(path)) as connection:
            connection.executescript(TABLES)

    def run(self, statement: str, *values: Any) -> list[Any]:
        """One statement, committed."""
        with closing(sqlite.connect(self.path, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def take(self, raw: bytes) -> bytes | None:
        """The receipt for a letter, where it comes at once. Raises Silence when the letter is lost."""
        with self.lock:
            if self.mischief.strikes("lost"):
                raise Silence
            try:
                handed = envelope.opened(raw)
                if self.trusted:
                    signatures.cms_signer(handed.signature or b"", handed.data, self.trusted)
                root = envelope.parsed(handed.data)
            except (etree.LxmlError, ValueError):
                return receipt("", "-1201001", "报文格式错误（模拟海关）")
            except Refused:
                return receipt(handed.name, "-1201002", "签名验证失败（模拟海关）")
            return self._told(handed, root.findtext("{*}message_id"), root)

    def _told(self, handed: Letter, name: str, root: Any) -> bytes | None:
        """Note a message once, whatever happens to the receipt; a question notes nothing."""
        if handed.kind == envelope.CERTIFICATE:
            self.run("INSERT INTO arrival VALUES (?)", name)
            if WAITING_TITLE in (root.findtext("{*}application/{*}title") or ""):
                return receipt(handed.name, "0", "已转交海关，请等待业务回执（模拟海关）")
            values = (name, *self._judged(handed, root), str(clock.today()))
            self.run(f"INSERT OR IGNORE INTO entry VALUES ({', '.join('?' * len(values))})", *values)
        return self._troubled(handed.name, self._result(name))

    def _judged(self, handed: Letter, root: Any) -> tuple[str, str, bool, str, str]:
        """(certificate, act, accepted, code, words) as this customs would have it."""
        about, act = root.findtext("{*}certificate/{*}number"), root.findtext("{*}act")
        if root.findtext("{*}message_id") != handed.name:
            return about, act, False, "1002", "报文编号不一致（模拟海关）"
        if act != Action.REVOKE and REFUSED_TITLE in root.findtext("{*}application/{*}title"):
            return about, act, False, "2001", f"商品名称含“{REFUSED_TITLE}”（模拟海关）"
        if self.mischief.strikes("rejected"):
            return about, act, False, "2002", "收货单位的海关备案信息未找到（模拟海关）"
        return about, act, True, "0000", "已接收（模拟海关）"

    def _result(self, name: str) -> Any:
        found = self.run("SELECT accepted, code, words FROM entry WHERE message_id = ?", name)
        if not found:
            arrived = self.run("SELECT 1 FROM arrival WHERE message_id = ?", name)
            return result(name, Reply.WAITING if arrived else Reply.UNKNOWN, "", "")
        accepted, code, words = found[0]
        return result(name, Reply.ACCEPTED if accepted else Reply.REJECTED, code, words)

    def _troubled(self, about: str, told: Any) -> bytes | None:
        """The receipt as it leaves a house where things go wrong."""
        strikes, now = self.mischief.strikes, time.time()
        raw = receipt(about, "0", "", told)
        if strikes("unanswered"):
            return None
        if strikes("malformed"):
            return self.mischief.dice.choice([b"", b"<DxpRep/>", raw[:-20], b"\xff\xfe\x00", "已接收".encode("gbk")])
        if strikes("half"):  # of two results only the other one is there
            return receipt(about, "0", "", result("Z0020000000000-1", Reply.ACCEPTED, "0000", ""), count=2)
        if strikes("duplicated"):
            for _again in range(2):
                self.post(about, raw, now)
        if strikes("late"):
            self.post(about, raw, now + self.mischief.pause)
            return receipt(about, "0", "已转交海关，请等待业务回执（模拟海关）")
        if strikes("reordered"):
            self.post(about, raw, now + self.mischief.pause * self.mischief.dice.random())
            return None
        return raw

    def post(self, about: str, raw: bytes, due: float) -> None:
        """Put a receipt where it is fetched from, at a moment (Unix time)."""
        name = f"Receipt_{about}_{time.time_ns()}{next(self.serial)}.xml"
        self.run("INSERT INTO receipt VALUES (?, ?, ?)", name, raw, due)

    def waiting(self) -> list[tuple[str, bytes]]:
        """The receipts that are due, in no order that anybody could rely on."""
        found = self.run("SELECT name, raw FROM receipt WHERE due <= ?", time.time())
        self.mischief.dice.shuffle(found)
        return found

    def drop(self, name: str) -> None:
        """Forget a receipt that was fetched."""
        self.run("DELETE FROM receipt WHERE name = ?", name)

    def entries(self, since: str = "", until: str = "9999") -> list[dict[str, Any]]:
        """What was received in these days, in the order of arrival."""
        found = self.run("SELECT * FROM entry WHERE day BETWEEN ? AND ? ORDER BY rowid", since, until)
        rows = (dict(zip(SETTLED_COLUMNS, row, strict=True)) for row in found)
        return [row | {"accepted": bool(row["accepted"])} for row in rows]

    def arrivals(self) -> list[str]:
        """The id of every certificate message that arrived, as often as it did."""
        return [name for (name,) in self.run("SELECT message_id FROM arrival ORDER BY rowid")]


def result(name: str, says: Reply, code: str, words: str) -> Any:
    """One business receipt, as a part of a DxpRep."""
    told = (port.Code(code), port.Info(words)) if code else ()
    return port.Result(port.CopMsgId(name), port.State(says.value), *told)


def receipt(about: str, code: str, info: str, *told: Any, count: int = 0) -> bytes:
    """A DxpRep, by dxp.xsd."""
    results = [port.Results(*told, count=str(max(count, len(told))))] if told else []
    root = port.DxpRep(
        port.Response(port.ResponseCode(code), port.ResponseInfo(info), *results),
        port.NoticeTime(clock.now().isoformat()),
        port.OriHead(port.CopMsgId(about or "-")),
        ver="1.0",
    )
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
