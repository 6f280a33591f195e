"""A customs house for tests: the simulated customs, open or closed, that answers as it is told."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

from views import simulator


class Strange(simulator.Counter):
    """The simulated customs, which answers as it is told, if it is told: by a status, or by other bytes."""

    house: "House"

    def reply(self, said: Any) -> None:
        if self.command == "GET" or not self.house.tricks:
            super().reply(said)
            return
        trick = self.house.tricks.pop(0)
        if isinstance(trick, int):
            self.send_response(trick)
            self.send_header("Location", f"{self.house.address}/elsewhere")
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(trick)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self.house.asked.append((self.command, self.path, self.headers.get("Message-Id", "")))


class House:
    """A customs house on this machine: what it was asked, what is in its ledger; it can close, and open again."""

    def __init__(self, folder: Path) -> None:
        self.path, self.port = folder / "customs.sqlite", 0
        self.tricks: list[int | bytes] = []
        self.asked: list[tuple[str, str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self.server = simulator.serve(self.path, self.port, type("Strange", (Strange,), {"house": self}))
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ledger(self) -> list[tuple[str, str, bool]]:
        """(message id, act, accepted), in the order of arrival."""
        return [(e["message_id"], e["act"], e["accepted"]) for e in simulator.Ledger(self.path).entries()]

    def run(self, statement: str) -> None:
        """Somebody's hand in the ledger."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)
