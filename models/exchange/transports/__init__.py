"""Transports to customs: their common protocol, and HTTP(S) with mutual TLS; folders.py is the other one."""

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

TIMEOUT = 20  # seconds for one request and its whole answer; less than half a lease
LEDGER_TIMEOUT = 300  # seconds for a ledger, which may be long
COLLECTING = 60  # seconds to fetch receipts in one round; the rest waits for the next
MOST = 32 << 20  # bytes of one answer
MESSAGE_FAULTS = {413, 422}  # HTTP statuses: the message is too long, or not understood
NOT_FOUND = {404, 410}


class NoAnswer(Refused):
    """Customs did not answer, or not as agreed. `sent`: the request may have been delivered; `status`: HTTP, or 0."""

    def __init__(self, words: str, sent: bool, status: int = 0) -> None:
        super().__init__(words)
        self.sent, self.status = sent, status

    @property
    def fault(self) -> bool:
        """Whether the message is at fault, not the transport."""
        return self.status in MESSAGE_FAULTS


class TooLong(NoAnswer):
    """The answer exceeds the limit; `part`: what was read of it."""

    def __init__(self, words: str, sent: bool, part: bytes) -> None:
        super().__init__(words, sent)
        self.part = part


class Gateway(Protocol):
    """A transport to customs; every method may raise NoAnswer."""

    def send(self, name: str, letter: bytes) -> bytes | None:
        """Send a letter; returns the receipt if customs answers at once, else None."""

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        """(name, bytes) of every waiting receipt; None for an unreadable one. They stay until dropped."""

    def drop(self, name: str) -> None:
        """Delete a receipt at customs; no error if it is already deleted."""

    def ledger(self, since: date, until: date) -> Any:
        """What customs received on these days (inclusive): a list of {"message_id", "accepted", "day"}."""


def tls_context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """TLS context: trusts CUSTOMS_CA, presents CUSTOMS_CLIENT (PEM, certificate and key). Raises Refused without it."""
    if not settings["CUSTOMS_CLIENT"]:
        raise Refused(_("https:// 须有我方证书，请设置 FILING_CUSTOMS_CLIENT（PEM，含证书和私钥）后再试。"))
    context = ssl.create_default_context(cafile=settings["CUSTOMS_CA"])
    context.load_cert_chain(settings["CUSTOMS_CLIENT"])
    return context


def read_list(raw: bytes, kind: type) -> Any:
    """A JSON list whose items are all of type `kind`; raises NoAnswer otherwise."""
    try:
        items = json.loads(raw)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
        raise NoAnswer(_("海关网关的应答不符合约定格式。"), sent=True)
    return items


class Http:
    """Client of: POST / (a letter), GET /inbox and /inbox/NAME, DELETE /inbox/NAME (receipts), GET /ledger."""

    def __init__(self, address: str, context: ssl.SSLContext | None = None, within: float = TIMEOUT) -> None:
        """`within`: seconds for one request and its answer."""
        self.parts, self.context, self.within = urlsplit(address), context, within

    def send(self, name: str, letter: bytes) -> bytes | None:
        kind = {"Content-Type": "application/xml; charset=utf-8"}
        return self._request("POST", "/", letter, kind, receipt.MOST) or None

    def receipts(self) -> Iterator[tuple[str, bytes | None]]:
        ended = monotonic() + COLLECTING
        for name in read_list(self._request("GET", "/inbox"), str):
            if monotonic() > ended:
                return
            try:
                raw = self._request("GET", _inbox(name), most=receipt.MOST)
            except TooLong as long:
                raw = long.part
            except NoAnswer as error:
                if error.status not in NOT_FOUND:
                    raise
                continue  # another deliverer fetched it
            yield name, raw

    def drop(self, name: str) -> None:
        try:
            self._request("DELETE", _inbox(name))
        except NoAnswer as error:
            if error.status not in NOT_FOUND:
                raise

    def ledger(self, since: date, until: date) -> Any:
        """A range whose answer exceeds MOST is requested again in two halves."""
        try:
            path = f"/ledger?{urlencode({'since': since, 'until': until})}"
            return read_list(self._request("GET", path, most=MOST, within=max(self.within, LEDGER_TIMEOUT)), dict)
        except TooLong:
            if since >= until:
                raise
        middle = since + (until - since) // 2
        return self.ledger(since, middle) + self.ledger(middle + timedelta(days=1), until)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        most: int = MOST,
        within: float | None = None,
    ) -> bytes:
        """The body of the answer to one request. http.client follows no redirect and uses no proxy.

        ask() is not used here: a failure must say whether the letter may have arrived, and TooLong keeps the part read.
        """
        line = TimedConnection(self.parts.netloc, within or self.within, self.context)
        sent = False
        try:
            line.connect()
            sent = True
            line.request(method, self.parts.path.rstrip("/") + path, body, headers or {})
            reply = line.getresponse()
            if reply.status != 200:
                raise NoAnswer(_("海关网关应答状态 %(status)s。", status=reply.status), sent, reply.status)
            content = reply.read(most + 1)
        except (OSError, HTTPException) as broken:
            raise NoAnswer(_("海关网关没有应答（%(why)s）。", why=broken or type(broken).__name__), sent) from broken
        finally:
            line.close()
        if len(content) > most:
            raise TooLong(_("海关网关的应答过长，请向海关核实。"), sent, content)
        return content


def _inbox(name: str) -> str:
    return f"/inbox/{quote(name, safe='', errors='surrogatepass')}"
