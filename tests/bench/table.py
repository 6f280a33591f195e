"""The table of `make bench`: measured times, what they are compared with, and whether goals were met."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

BEGIN, END = "<!-- bench: make bench -->\n", "<!-- bench end -->\n"
LIST, PEER, LIMIT, SECONDS = "列表", "peer", "limit", "s"
HEAD = "| on | page or act | product, ms | peer, ms | limit, ms | ratio | goal | |\n|---|---|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Goal:
    """The highest allowed ratio, and what it is the ratio to; of SECONDS the most seconds."""

    most: float
    to: str


@dataclass(frozen=True)
class Line:
    """One page or act: milliseconds measured, of the fastest peer if any, of the limit, of the same person's list."""

    name: str
    own: float
    peer: float | None
    peer_name: str
    limit: float | None
    plain: float | None
    goal: Goal | None

    @property
    def ratio(self) -> float | None:
        """The measured time divided by the base of the goal; None if the base was not measured."""
        bases = {LIST: self.plain, PEER: self.peer, LIMIT: self.limit, SECONDS: 1000}
        base = bases[self.goal.to] if self.goal else None
        return self.own / base if base else None

    @property
    def verdict(self) -> str:
        """Whether the goal was met, in a word."""
        if self.goal is None or self.ratio is None:
            return "–"
        return "met" if self.ratio <= self.goal.most else "**missed**"

    def markdown(self, database: str) -> str:
        """Its row of the table."""
        peer = "–" if self.peer is None else f"{self.peer:.1f} {self.peer_name}"
        limit = "–" if self.limit is None else f"{self.limit:.2f}"
        unit = " s" if self.goal and self.goal.to == SECONDS else ""
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}{unit}"
        goal = f"≤ {self.goal.most:g}{unit or f' × {self.goal.to}'}" if self.goal else "–"
        return f"| {database} | {self.name} | {self.own:.1f} | {peer} | {limit} | {ratio} | {goal} | {self.verdict} |"


def markdown(lines: Iterable[tuple[str, Line]]) -> str:
    """The table of (database, line)."""
    return HEAD + "\n".join(line.markdown(database) for database, line in lines) + "\n"


def machine() -> str:
    """Date, processor, memory and Python version, for the heading of the table."""
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    chip = f"{names[0]}, " if names else ""
    return f"{date.today()}: {chip}{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"


def write(readme: Path, text: str) -> None:
    """Replace the text between the marks."""
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    readme.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")
