"""An HTTP connection with one deadline for connecting, sending, and the whole answer.

A socket timeout restarts with every byte received, so it does not limit a peer that sends slowly.
"""

import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

PIECE = 64 << 10  # bytes sent at a time


HERE = {"127.0.0.1", "::1", "localhost"}  # hosts that may be asked without TLS


@dataclass(frozen=True)
class Limits:
    """Of one request: seconds until its whole answer is there, bytes of the answer, and whom TLS trusts (None: as the
    system does)."""

    within: float
    most: int
    context: ssl.SSLContext | None = None


class TimedConnection(HTTPConnection):
    """One request within `within` seconds, through TLS where there is a `context`. Raises TimeoutError."""

    def __init__(self, host: str, within: float, context: ssl.SSLContext | None = None) -> None:
        self.default_port = 443 if context else 80
        super().__init__(host, timeout=within)
        self.deadline, self.context = monotonic() + within, context

    def left(self) -> float:
        """Seconds until the deadline; raises TimeoutError after it."""
        seconds = self.deadline - monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds

    def connect(self) -> None:
        """Connect to the first address of the host that answers, with TLS if there is a context."""
        self.sock: Any = TimedSocket(self._with_tls(self._open_socket()), self)

    def _open_socket(self) -> socket.socket:
        found, why = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM), OSError("no address")
        for family, kind, protocol, _name, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.left())
                sock.connect(address)
            except OSError as failed:
                sock.close()
                why = failed
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise why

    def _with_tls(self, sock: socket.socket) -> socket.socket:
        if self.context is None:
            return sock
        try:
            sock.settimeout(self.left())
            return self.context.wrap_socket(sock, server_hostname=self.host)
        except OSError:
            sock.close()
            raise


def ask(
    method: str, address: str, body: bytes | None, limits: Limits, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """(HTTP status, body) of one request to an http or https address; follows no redirect.

    Raises OSError or HTTPException without an answer, also for one that is longer than `limits` allow.
    """
    parts = urlsplit(address)
    context = (limits.context or ssl.create_default_context()) if parts.scheme == "https" else None
    connection = TimedConnection(parts.netloc, limits.within, context)
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        content = answer.read(limits.most + 1)
    finally:
        connection.close()
    if len(content) > limits.most:
        raise HTTPException(f"more than {limits.most} bytes")
    return answer.status, content


class TimedSocket:
    """The part of a socket that http.client uses: sendall(), makefile() and close()."""

    def __init__(self, sock: socket.socket, line: TimedConnection) -> None:
        self.sock, self.line = sock, line

    def sendall(self, data: bytes) -> None:
        for begin in range(0, len(data), PIECE):
            self.sock.settimeout(self.line.left())
            self.sock.sendall(data[begin : begin + PIECE])

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self.sock, self.line))

    def close(self) -> None:
        """http.client calls this before it reads the answer; the makefile() keeps the connection open."""
        self.sock.close()


class TimedReader(io.RawIOBase):
    """Raw stream of the answer; every read is limited by the deadline."""

    def __init__(self, sock: socket.socket, line: TimedConnection) -> None:
        self.sock, self.line, self.raw = sock, line, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self.sock.settimeout(self.line.left())
        return self.raw.readinto(buffer)

    def close(self) -> None:
        self.raw.close()
        super().close()
