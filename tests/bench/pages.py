"""The pages of `make bench` on a filled database: each page here, its SQL alone, and the same page of the peers."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from flask import Flask
from sqlalchemy import event

from models.database import db
from tests import ROOT
from tests.bench.addresses import busiest, visitor
from tests.bench.table import LIST, PEER, Goal, Line
from tests.browsing import Browser, signed_in

PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
FLAT, HALF = Goal(1.5, LIST), Goal(0.5, LIST)
# (who, page in tests/bench/lists.py) → (name in the table, page of the peers, goal).
WANTED: dict[tuple[str, str], tuple[str, str, Goal]] = {
    ("nation", "plain"): ("列表 of the nation", "list", Goal(1, PEER)),
    ("nation", "200 rows"): ("… 200 rows on the page", "", Goal(5, LIST)),
    ("nation", "row 5,000"): ("… row 5,000", "row 5,000", Goal(1.2, LIST)),
    ("nation", "status"): ("… 数据状态", "status", FLAT),
    ("nation", "title, 1 common"): ("… 商品名称, one common character", "common", FLAT),
    ("nation", "title, absent"): ("… 商品名称, absent", "absent", FLAT),
    ("nation", "publisher, one"): ("… 出版单位", "", FLAT),
    ("nation", "publisher and title"): ("… 出版单位 and 商品名称", "", FLAT),
    ("nation", "certificate's number"): ("… 证明编号", "", FLAT),
    ("nation", "amounts, many"): ("… 进口数量, many", "", FLAT),
    ("nation", "amounts, none"): ("… 进口数量, none", "", FLAT),
    ("nation", "by title"): ("… sorted by 商品名称", "by title", FLAT),
    ("nation", "desk"): ("工作台 of the nation", "", FLAT),
    ("nation", "statistics"): ("统计 of the nation", "", FLAT),
    ("nation", "statistics, odd days"): ("… of odd days", "", FLAT),
    ("nation", "statistics by publisher"): ("… by 出版单位", "", FLAT),
    ("nation", "statistics by publisher, odd days"): ("… by 出版单位, of odd days", "", FLAT),
    ("nation", "statistics by kind"): ("… by 载体类型", "", FLAT),
    ("nation", "statistics by kind, odd days"): ("… by 载体类型, of odd days", "", FLAT),
    ("nation", "statistics by country"): ("… by 国别", "", FLAT),
    ("nation", "statistics by country, odd days"): ("… by 国别, of odd days", "", FLAT),
    ("nation", "statistics by month"): ("… by 月份", "", FLAT),
    ("nation", "acts"): ("办理日志", "", FLAT),
    ("nation", "prints"): ("打印与导出日志 of the nation", "", FLAT),
    ("nation", "feed"): ("接口: applications, 50 rows", "", FLAT),
    ("nation", "changes"): ("接口: changes, 50 rows", "", FLAT),
    ("publisher", "plain"): ("列表 of the busiest publisher", "list", Goal(1, PEER)),
    ("publisher", "details"): ("详情", "", Goal(0.7, LIST)),
    ("publisher", "edit form"): ("编辑", "form", Goal(1, PEER)),
    ("publisher", "desk"): ("工作台 of that publisher", "", FLAT),
    ("publisher", "messages"): ("消息 of that publisher", "", FLAT),
    ("large", "plain"): ("列表 of the largest province", "list", Goal(1, PEER)),
    ("large", "amounts, many"): ("… 进口数量 there", "", FLAT),
    ("large", "review"): ("待审核 there", "", FLAT),
    ("large", "desk"): ("工作台 there", "", FLAT),
    ("large", "messages"): ("消息 there", "", FLAT),
    ("large", "exchange"): ("数据交换 there", "", FLAT),
    ("large", "statistics"): ("统计 there", "", FLAT),
    ("large", "statistics, odd days"): ("… of odd days there", "", FLAT),
    ("small", "plain"): ("列表 of a small province", "list", Goal(1, PEER)),
    ("small", "exchange"): ("数据交换 there, small", "", FLAT),
    ("operator", "desk"): ("工作台 of the operator", "", FLAT),
    ("operator", "online"): ("在线用户", "", FLAT),
    ("operator", "signins"): ("登录日志", "", FLAT),
    ("operator", "signins of an account"): ("… 用户名", "", FLAT),
    ("operator", "operations"): ("操作日志", "", FLAT),
    ("operator", "prints"): ("打印与导出日志", "", FLAT),
}


@dataclass
class Page:
    """One line of the table: the calls that are measured, and the milliseconds of each turn."""

    who: str
    name: str
    peer_page: str
    goal: Goal
    open: Callable[[], Any]
    bare: Callable[[], Any]
    own_times: list[float] = field(default_factory=list)
    bare_times: list[float] = field(default_factory=list)
    peer_times: dict[str, list[float]] = field(default_factory=dict)


class Peer:
    """A process with one of the peers on the same database."""

    def __init__(self, python: Path, name: str, address: str) -> None:
        command = [str(python), "-m", "tests.bench.peers", name, address]
        self.name = name
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, page: str) -> float | None:
        """Milliseconds of a page; None if this peer has no such page."""
        assert self.process.stdin and self.process.stdout
        print(page, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        return None if answer == "-" else float(answer)


@contextmanager
def peers(address: str) -> Iterator[list[Peer]]:
    """Both peers; Django only where `make bench` has installed it."""
    found = {"flask-admin": Path(sys.executable)} | ({"django": PEERS} if PEERS.exists() else {})
    asked = [Peer(python, name, address) for name, python in found.items()]
    try:
        yield asked
    finally:
        for peer in asked:
            peer.process.kill()
            peer.process.communicate()


def measure(app: Flask, turns: int, address: str) -> list[Line]:
    """A line for every page, all of them in turn, so that a busy moment of the machine slows both sides alike.

    Of somebody without a list of applications it is compared with the nation's.
    """
    places = [name for name, *_rest in WANTED.values()]
    pages = sorted(of_lists(app), key=lambda page: places.index(page.name) if page.who else len(places))
    with peers(address) as asked:
        for turn in range(turns + 1):  # the first fills caches
            for page in pages:
                _measure_once(page, asked, record=turn > 0)
    names = {who: name for (who, page), (name, *_rest) in WANTED.items() if page == "plain"}
    plain = {page.who: median(page.own_times) for page in pages if page.name == names.get(page.who)}
    return [line_of(page, plain.get(page.who, plain["nation"])) for page in pages]


def _measure_once(page: Page, asked: list[Peer], record: bool) -> None:
    own, bare = milliseconds(page.open), milliseconds(page.bare)
    theirs = {peer.name: peer.ask(page.peer_page) for peer in asked}
    if record:
        page.own_times.append(own)
        page.bare_times.append(bare)
        for name, took in theirs.items():
            page.peer_times.setdefault(name, []).extend([] if took is None else [took])


def milliseconds(work: Callable[[], Any]) -> float:
    """Milliseconds of one call."""
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000


def line_of(page: Page, plain: float) -> Line:
    """The medians; of the peers that have such a page, the faster one counts."""
    times = [(median(times), name) for name, times in page.peer_times.items() if times]
    peer, name = min(times, default=(None, ""))
    return Line(page.name, median(page.own_times), peer, name, median(page.bare_times), plain, page.goal)


def of_lists(app: Flask) -> Iterator[Page]:
    """The pages of WANTED for every person, with the SQL that each page runs."""
    for who, account, addresses in busiest(app):
        browser = visitor(app, who, account)
        for (whose, page), (name, peer_page, goal) in WANTED.items():
            if whose == who:
                yield _page(app, browser, addresses[page], who, name, peer_page, goal)
    yield _page(app, signed_in(app, None), "/healthz", "", "/healthz", "", HALF)


def _page(app: Flask, browser: Browser, address: str, who: str, name: str, peer_page: str, goal: Goal) -> Page:
    def open_it() -> None:
        assert browser.get(address).status_code in (200, 503), address  # 503: /healthz without workers

    return Page(who, name, peer_page, goal, open_it, alone(app, read_by(app, open_it)))


def read_by(app: Flask, open_it: Callable[[], None]) -> list[tuple[str, Any]]:
    """The SELECT statements of a page, with their parameters."""
    open_it()
    with app.app_context():
        engine = db.engine
    noted: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            noted.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    open_it()
    event.remove(engine, "before_cursor_execute", note)
    return noted


def alone(app: Flask, statements: list[tuple[str, Any]]) -> Callable[[], None]:
    """A call that runs these statements on a cursor of the driver, and fetches what they find."""

    def run() -> None:
        with app.app_context():
            connection = db.engine.raw_connection()
            try:
                cursor = connection.cursor()
                for statement, parameters in statements:
                    cursor.execute(statement, parameters)
                    cursor.fetchall()
            finally:
                connection.close()

    return run
