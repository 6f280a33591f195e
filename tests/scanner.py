"""A daemon that speaks the protocol of clamd, on a real socket, and finds one virus: the letters EICAR."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread
from typing import Any

VIRUS, FOUND = b"EICAR", "Eicar-Test-Signature"


class Daemon(StreamRequestHandler):
    """A clamd; a non-empty `server.answer` replaces its verdict."""

    def handle(self) -> None:
        if (command := self._word()) == b"PING":
            self.wfile.write(b"PONG\0")
            return
        assert command == b"INSTREAM"
        content = b""
        while size := int.from_bytes(self.rfile.read(4)):
            content += self.rfile.read(size)
        true = f"stream: {FOUND} FOUND" if VIRUS in content else "stream: OK"
        self.wfile.write((getattr(self.server, "answer", "") or true).encode() + b"\0")

    def _word(self) -> bytes:
        assert self.rfile.read(1) == b"z"
        word = b""
        while (sign := self.rfile.read(1)) != b"\0":
            word += sign
        return word


@contextmanager
def scanner_at(path: Path | None = None, answer: str = "") -> Iterator[str]:
    """Run the daemon; yields its address: a Unix socket at `path`, else a TCP port. `answer` replaces its verdict."""
    server: Any = ThreadingUnixStreamServer(str(path), Daemon) if path else ThreadingTCPServer(("127.0.0.1", 0), Daemon)
    server.answer, server.daemon_threads = answer, True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"unix:{path}" if path else f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """A port that reads everything and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
