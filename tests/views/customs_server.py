"""A simulated customs for tests, which can be closed, opened, and given fixed answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

from tests import ROOT
from tests.views.faulty_customs import FaultInjection, FaultyCustoms, FaultyHandler
from views.demo import simulator_transports


class CustomsHandler(FaultyHandler):
    """The simulated customs, with optional fixed answers to letters: an HTTP status, or other bytes."""

    customs_server: "CustomsServer"

    def receive(self, letter: bytes) -> bytes | None:
        (name,) = re.findall(rb"<CopMsgId>(.*?)</CopMsgId>", letter)
        self.customs_server.asked.append(name.decode())
        return super().receive(letter)

    def reply(self, body: bytes) -> None:
        trick = self.customs_server.tricks.pop(0) if self.customs_server.tricks and self.command == "POST" else body
        if isinstance(trick, bytes):
            super().reply(trick)
            return
        self.send_response(trick)
        self.send_header("Location", f"{self.customs_server.address}/elsewhere")
        self.end_headers()

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self.customs_server.paths.add(self.path)


class CustomsServer:
    """A customs gateway on this machine with its requests and its ledger; it can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.customs, self.port = FaultyCustoms(folder / "customs.sqlite"), 0
        self.tricks: list[int | bytes] = []
        self.asked: list[str] = []
        self.paths: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self.server = simulator_transports.serve(
            self.customs, self.port, type("Handler", (CustomsHandler,), {"customs_server": self})
        )
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ledger(self) -> list[tuple[str, str, bool]]:
        """(message id, act, accepted), in the order of arrival."""
        return [(e["message_id"], e["act"], e["accepted"]) for e in self.customs.entries()]

    def forget(self, name: str) -> None:
        """Delete a message from the ledger, as if it had never arrived."""
        for table in ("entry", "arrival"):
            self.customs.run(f"DELETE FROM {table} WHERE message_id = ?", name)

    def enter(self, name: str, accepted: bool = True, day: date | None = None) -> None:
        """Insert an entry into the ledger by hand."""
        row = (name, "", "grant", accepted, "0000", "", str(day))
        self.customs.run("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", *row)


@contextmanager
def simulated(folder: Path, faults: FaultInjection | None = None, boxes: Path | None = None) -> Iterator[str]:
    """A customs in a process of its own, with the keys in `folder`; the address of the gateway.

    Without `faults` it is the simulated customs of views/demo, over HTTP.
    """
    if faults is None:
        command = ["flask", "--app", "app", "customs", "simulate", "--port", "0"]
        command += ["--ledger", str(folder / "customs.sqlite")]
    else:
        command = ["tests.views.faulty_customs", str(folder), json.dumps(faults.chances)]
        command += [str(faults.pause), str(faults.seed), *([str(boxes)] if boxes else [])]
    settings = {"FILING_SECRET_KEY": "x", "FILING_STORE": str(folder / "store"), "PYTHONIOENCODING": "utf-8"}
    settings |= {"FILING_SIGNING_KEY": str(folder / "keys"), "PYTHONUNBUFFERED": "1"}
    with (
        (folder / "requests.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        assert process.stdout is not None
        (address,) = re.findall(r"=(http://127\.0\.0\.1:\d+|folder:\S+)", process.stdout.readline().decode())
        yield address
        process.terminate()
