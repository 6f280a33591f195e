"""Virus scan by clamd over its socket (command INSTREAM, clamd(8))."""

import socket
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

CHUNK = 64 << 10
ANSWER = 4096  # bytes
UNIX = "unix:"


class ScannerAway(Exception):
    """clamd did not answer in time, or with an error; args[0]: why, in English, for the log."""


@dataclass(frozen=True)
class Scanner:
    """`address`: unix:PATH, or host:port. `within`: seconds for one file, connecting and answer included."""

    address: str
    within: float = 60

    def scan(self, path: Path) -> str | None:
        """The name of the virus in a file; None: clean. Raises ScannerAway."""
        deadline = monotonic() + self.within
        try:
            with self._connected(deadline) as line, path.open("rb") as file:
                line.sendall(b"zINSTREAM\0")
                while chunk := file.read(CHUNK):
                    line.settimeout(_left(deadline))
                    line.sendall(len(chunk).to_bytes(4) + chunk)
                line.sendall(bytes(4))
                answer = _answer(line, deadline)
        except (OSError, UnicodeError) as failed:  # time-outs too; UnicodeError: an invalid host name
            raise ScannerAway(str(failed)) from failed
        return _found(answer)

    def ping(self) -> bool:
        """Whether it answers within five seconds."""
        deadline = monotonic() + min(5, self.within)
        try:
            with self._connected(deadline) as line:
                line.sendall(b"zPING\0")
                return _answer(line, deadline) == "PONG"
        except (OSError, UnicodeError):
            return False

    def _connected(self, deadline: float) -> socket.socket:
        if not self.address.startswith(UNIX):
            host, _colon, port = self.address.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), _left(deadline))
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(_left(deadline))
            line.connect(self.address.removeprefix(UNIX))
        except OSError:
            line.close()
            raise
        return line


def is_address(text: str) -> bool:
    """Whether a setting can be the address of a daemon."""
    host, _colon, port = text.rpartition(":")
    if text.startswith(f"{UNIX}/"):
        return True
    try:
        is_host = bool(host.encode("idna")) and host != "unix"
    except UnicodeError:
        return False
    return is_host and port.isdecimal() and 0 < int(port) < 1 << 16


def _left(deadline: float) -> float:
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def _answer(line: socket.socket, deadline: float) -> str:
    """The answer up to the first NUL or the end of the connection."""
    received = b""
    while b"\0" not in received and len(received) < ANSWER:
        line.settimeout(_left(deadline))
        if not (part := line.recv(ANSWER)):
            break
        received += part
    return received.partition(b"\0")[0].decode(errors="replace").strip()


def _found(answer: str) -> str | None:
    """The name in `stream: NAME FOUND`; None for `stream: OK`. Raises ScannerAway for anything else."""
    if answer == "stream: OK":
        return None
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerAway(answer[:200] or "no answer")
