"""A customs house for tests: the simulated customs, open or closed, that answers as it is told."""

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
from views.demo import simulator_transports
from views.demo.simulator import Customs


class Strange(simulator_transports.GatewayHandler):
    """The simulated customs, which answers a letter as it is told, if it is told: by a status, or by other bytes."""

    house: "House"

    def receive(self, letter: bytes) -> bytes | None:
        (name,) = re.findall(rb"<CopMsgId>(.*?)</CopMsgId>", letter)
        self.house.asked.append(name.decode())
        return super().receive(letter)

    def reply(self, body: bytes) -> None:
        trick = self.house.tricks.pop(0) if self.house.tricks and self.command == "POST" else body
        if isinstance(trick, bytes):
            super().reply(trick)
            return
        self.send_response(trick)
        self.send_header("Location", f"{self.house.address}/elsewhere")
        self.end_headers()

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self.house.paths.add(self.path)


class House:
    """A customs house on this machine: what it was asked, what is in its ledger; it can close, and open again."""

    def __init__(self, folder: Path) -> None:
        self.customs, self.port = Customs(folder / "customs.sqlite"), 0
        self.tricks: list[int | bytes] = []
        self.asked: list[str] = []
        self.paths: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self.server = simulator_transports.serve(self.customs, self.port, type("Strange", (Strange,), {"house": self}))
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ledger(self) -> list[tuple[str, str, bool]]:
        """(message id, act, accepted), in the order of arrival."""
        return [(e["message_id"], e["act"], e["accepted"]) for e in self.customs.entries()]

    def forget(self, name: str) -> None:
        """As if the letter had never arrived."""
        for table in ("entry", "arrival"):
            self.customs.run(f"DELETE FROM {table} WHERE message_id = ?", name)

    def enter(self, name: str, accepted: bool = True, day: date | None = None) -> None:
        """Somebody's hand in the ledger."""
        row = (name, "", "grant", accepted, "0000", "", str(day))
        self.customs.run("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", *row)


@contextmanager
def simulated(folder: Path, *words: str) -> Iterator[str]:
    """The simulated customs in a process of its own, with the keys in `folder`; the address of the gateway."""
    place = ["--port", "0", "--ledger", str(folder / "customs.sqlite")]
    settings = {"FILING_SECRET_KEY": "x", "FILING_STORE": str(folder / "store"), "PYTHONIOENCODING": "utf-8"}
    settings |= {"FILING_SIGNING_KEY": str(folder / "keys"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "flask", "--app", "app", "customs", "simulate", *place, *words]
    with (
        (folder / "requests.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        found = re.search(r"=(http://127\.0\.0\.1:\d+)", said)
        yield found[1] if found else f"folder:{words[words.index('--folder') + 1]}"
        process.terminate()
