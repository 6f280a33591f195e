"""The simulated customs with faults: it loses, repeats, delays and spoils; as a process: python -m (see main)."""

import argparse
import json
import random
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography.x509 import Certificate

from models.customs.envelope import Letter
from models.exchange.transports.folders import FolderPair
from models.signing.keys import Keys
from models.vocabulary import Reply
from views.demo import simulator_transports
from views.demo.simulator import Customs, receipt, result

FAULTS = ("lost", "unanswered", "duplicated", "reordered", "late", "malformed", "half", "rejected", "down")


class Lost(Exception):
    """The letter was lost in transit: its sender gets no answer."""


@dataclass
class FaultInjection:
    """Probability of each fault (0 to 1); `pause`: seconds that «late» and «down» last; `seed` makes it repeatable."""

    chances: dict[str, float] = field(default_factory=dict)
    seed: int | None = None
    pause: float = 2.0

    def __post_init__(self) -> None:
        assert self.chances.keys() <= set(FAULTS)
        self.random, self.down_until = random.Random(self.seed), 0.0

    def occurs(self, fault: str) -> bool:
        """Whether this fault occurs now, at random."""
        return self.random.random() < self.chances.get(fault, 0)

    def down(self) -> bool:
        """Whether the service is down; each call may start an outage of `pause` seconds."""
        if self.occurs("down"):
            self.down_until = time.monotonic() + self.pause
        return time.monotonic() < self.down_until


class FaultyCustoms(Customs):
    """Records each message once; its receipt comes at once, later, or not at all."""

    def __init__(
        self, path: Path, faults: FaultInjection | None = None, trusted: list[Certificate] | None = None
    ) -> None:
        super().__init__(path, trusted)
        self.faults, self.serial = faults or FaultInjection(), count()
        self.run("CREATE TABLE IF NOT EXISTS receipt (name PRIMARY KEY, raw, due)")

    def decision(self, letter: Letter, root: Any) -> tuple[str, str, bool, str, str]:
        """As the simulator decides, or rejected at random."""
        about, act, accepted, *why = super().decision(letter, root)
        if accepted and self.faults.occurs("rejected"):
            return about, act, False, "2002", "收货单位的海关备案信息未找到（模拟海关）"
        return about, act, accepted, *why

    def answer(self, about: str, *parts: Any) -> bytes | None:
        """The receipt, as the faults of this moment leave it; None: sent later or never."""
        occurs, now, raw = self.faults.occurs, time.time(), super().answer(about, *parts)
        assert raw is not None
        if occurs("unanswered"):
            return None
        if occurs("malformed"):
            return self.faults.random.choice([b"", b"<DxpRep/>", raw[:-20], b"\xff\xfe\x00", "已接收".encode("gbk")])
        if occurs("half"):  # announces two results, but contains only that of another message
            return receipt(about, "0", "", result("Z0020000000000-1", Reply.ACCEPTED, "0000", ""), count=2)
        if occurs("duplicated"):
            for _again in range(2):
                self.post(about, raw, now)
        if occurs("late"):
            self.post(about, raw, now + self.faults.pause)
            return receipt(about, "0", "已转交海关，请等待业务回执（模拟海关）")
        if occurs("reordered"):
            self.post(about, raw, now + self.faults.pause * self.faults.random.random())
            return None
        return raw

    def post(self, about: str, raw: bytes, due: float) -> None:
        """Queue a receipt to be fetched from `due` (Unix time) on."""
        name = f"Receipt_{about}_{time.time_ns()}{next(self.serial)}.xml"
        self.run("INSERT INTO receipt VALUES (?, ?, ?)", name, raw, due)

    def waiting(self) -> list[tuple[str, bytes]]:
        """(name, bytes) of the receipts that are due, in random order."""
        rows = self.run("SELECT name, raw FROM receipt WHERE due <= ?", time.time())
        self.faults.random.shuffle(rows)
        return rows

    def drop(self, name: str) -> None:
        """Delete a receipt that was fetched."""
        self.run("DELETE FROM receipt WHERE name = ?", name)


class FaultyHandler(simulator_transports.GatewayHandler):
    """Has receipts that wait: GET /inbox and /inbox/<name>, DELETE to remove one."""

    customs: FaultyCustoms

    def do_POST(self) -> None:  # noqa: N802
        if self.customs.faults.down():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_error(503)
            return
        with suppress(Lost):
            super().do_POST()

    def receive(self, letter: bytes) -> bytes | None:
        if self.customs.faults.occurs("lost"):
            raise Lost
        return super().receive(letter)

    def do_GET(self) -> None:  # noqa: N802
        waiting = dict(self.customs.waiting())
        if self.customs.faults.down():
            self.send_error(503)
        elif self.path == "/inbox":
            self.reply_json(list(waiting))
        elif raw := waiting.get(unquote(self.path.removeprefix("/inbox/"))):
            self.reply(raw)
        else:
            super().do_GET()

    def do_DELETE(self) -> None:  # noqa: N802
        if self.customs.faults.down():
            self.send_error(503)
            return
        self.customs.drop(unquote(self.path.removeprefix("/inbox/")))
        self.reply(b"")


def process_folders(customs: FaultyCustoms, pair: FolderPair) -> None:
    """Lose some letters, process the others, and deliver the receipts that are due; safe to repeat after a crash."""
    if customs.faults.down():
        return
    for file in (pair.folder / "SentBox").glob("*.xml"):
        if customs.faults.occurs("lost"):
            file.unlink(missing_ok=True)
    simulator_transports.process_folders(customs, pair)
    for name, raw in customs.waiting():
        pair.put("InBox", name, raw)
        customs.drop(name)


def main() -> None:
    """`home chances pause seed [boxes]`: JSON of the chances; keys and ledger lie in `home`; boxes: a folder pair."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("chances", type=json.loads)
    parser.add_argument("pause", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("boxes", type=Path, nargs="?")
    given = parser.parse_args()
    faults = FaultInjection(given.chances, given.seed, given.pause)
    customs = FaultyCustoms(given.home / "customs.sqlite", faults, Keys(given.home / "keys").trusted())
    if given.boxes:
        pair = FolderPair(given.boxes)
        announce(f"folder:{pair.folder}")
        while True:
            process_folders(customs, pair)
            time.sleep(simulator_transports.POLL)
    server = simulator_transports.serve(customs, 0, FaultyHandler)
    announce(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def announce(address: str) -> None:
    """Print the address for the process that started this one."""
    sys.stdout.write(f"={address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
