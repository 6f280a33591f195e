"""The way to customs: what any can do, and HTTP(S) with mutual TLS; boxes.py is the other one."""

import json
import ssl
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from http.client import HTTPException
from time import monotonic
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from flask_babel import gettext as _

from models.customs import receipt
from models.exchange.transports.timed_connection import TimedConnection
from models.workflow import Refused

TIMEOUT = 20  # seconds for one request and its whole answer, however slowly that comes; less than half a lease
LEDGER_TIMEOUT = 300  # seconds for a ledger, which may be long
COLLECTING = 60  # seconds of one round in which receipts are fetched; the rest waits for the next
MOST = 32 << 20  # bytes of one answer
OURS = {413, 422}  # too long, or not understood: what the message itself is to blame for
GONE = {404, 410}


class NoAnswer(Refused):
    """Customs did not answer, or not as agreed. `sent`: what was handed over may have arrived."""

    def __init__(self, words: str, sent: bool, status: int = 0) -> None:
        super().__init__(words)
        self.sent, self.status = sent, status

    @property
    def fault(self) -> bool:
        """Whether the message is to blame, not the way to customs."""
        return self.status in OURS


class TooLong(NoAnswer):
    """An answer of which only a part was read: `part`."""

    def __init__(self, words: str, sent: bool, part: bytes) -> None:
        super().__init__(words, sent)
        self.part = part


class Gateway(Protocol):
    """What any way to customs can do; each raises NoAnswer."""

    def send(self, name: str, letter: bytes) -> bytes | None:
        """Hand over a letter; the receipt, where one comes back at once."""

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        """(name, bytes) of every receipt that waits until it is dropped; None for what cannot be read."""

    def drop(self, name: str) -> None:
        """Remove a receipt, now that it is kept here; one that is gone already is gone."""

    def ledger(self, since: date, until: date) -> Any:
        """What customs has received in these days: a list of {"message_id", "accepted", "day"}."""


def trusted(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """Customs is known by CUSTOMS_CA, we by CUSTOMS_CLIENT (both PEM; the latter certificate and key)."""
    if not settings["CUSTOMS_CLIENT"]:
        raise Refused(_("https:// 须有我方证书，请设置 FILING_CUSTOMS_CLIENT（PEM，含证书和私钥）后再试。"))
    context = ssl.create_default_context(cafile=settings["CUSTOMS_CA"])
    context.load_cert_chain(settings["CUSTOMS_CLIENT"])
    return context


def read_list(raw: bytes, kind: type) -> Any:
    """A list from customs, of this kind alone."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, list) or not all(isinstance(one, kind) for one in told):
        raise NoAnswer(_("海关网关的应答不符合约定格式。"), sent=True)
    return told


class Http:
    """POST / takes a letter; /inbox lists, gives and deletes receipts; /ledger tells what was received."""

    def __init__(self, address: str, context: ssl.SSLContext | None = None, within: float = TIMEOUT) -> None:
        """`within`: seconds for one request and its answer."""
        self.parts, self.context, self.within = urlsplit(address), context, within

    def send(self, name: str, letter: bytes) -> bytes | None:
        kind = {"Content-Type": "application/xml; charset=utf-8"}
        return self._asked("POST", "/", letter, kind, receipt.MOST) or None

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        ended = monotonic() + COLLECTING
        for name in read_list(self._asked("GET", "/inbox"), str):
            if monotonic() > ended:
                return
            try:
                raw = self._asked("GET", _inbox(name), most=receipt.MOST)
            except TooLong as long:
                raw = long.part
            except NoAnswer as gone:
                if gone.status not in GONE:
                    raise
                continue  # another deliverer took it
            yield name, raw

    def drop(self, name: str) -> None:
        try:
            self._asked("DELETE", _inbox(name))
        except NoAnswer as gone:
            if gone.status not in GONE:
                raise

    def ledger(self, since: date, until: date) -> Any:
        """Asked whole; a list too long for one answer is asked for in halves, so that nothing is cut off."""
        try:
            path = f"/ledger?{urlencode({'since': since, 'until': until})}"
            return read_list(self._asked("GET", path, most=MOST, within=max(self.within, LEDGER_TIMEOUT)), dict)
        except TooLong:
            if since >= until:
                raise
        middle = since + (until - since) // 2
        return self.ledger(since, middle) + self.ledger(middle + timedelta(days=1), until)

    def _asked(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        most: int = MOST,
        within: float | None = None,
    ) -> bytes:
        """One request, to this address alone: http.client follows no redirect and no proxy."""
        line = TimedConnection(self.parts.netloc, within or self.within, self.context)
        sent = False
        try:
            line.connect()
            sent = True
            line.request(method, self.parts.path.rstrip("/") + path, body, headers or {})
            reply = line.getresponse()
            if reply.status != 200:
                raise NoAnswer(_("海关网关应答状态 %(status)s。", status=reply.status), sent, reply.status)
            told = reply.read(most + 1)
        except (OSError, HTTPException) as broken:
            raise NoAnswer(_("海关网关没有应答（%(why)s）。", why=broken or type(broken).__name__), sent) from broken
        finally:
            line.close()
        if len(told) > most:
            raise TooLong(_("海关网关的应答过长，请向海关核实。"), sent, told)
        return told


def _inbox(name: str) -> str:
    return f"/inbox/{quote(name, safe='', errors='surrogatepass')}"
