"""Measures submissions a second: `python -m tests.bench.writes [WRITERS] [READERS] [GRANTERS] [SECONDS] [DATABASE]`.

gunicorn as `make run` starts it, and papers made beside it. A submission is a draft, four files and 申报; READERS open
lists, GRANTERS grant what was submitted. DATABASE: `sqlite`, `postgresql`, or both by default. All callers are one
process on the same processors; its share of processor time is printed, too.
"""

import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from statistics import quantiles
from threading import Thread
from typing import Any

import psycopg

from models import access
from models.application import Application
from models.columns import written
from models.people.accounts import Account
from models.vocabulary import ALWAYS_REQUIRED, Role
from tests import ROOT
from tests.apps import POSTGRESQL, new_database, prepare_app
from tests.bench.certificates import busy
from tests.cast import FIELDS, account_of, small_pdf
from tests.served.story import CARRIER
from tests.serving import SHARED, Answer, Client, Server, serving
from tests.views.pages import form_of

LISTS = {"publisher": "/applications/", "reviewer": "/filings/", "national": "/register/"}
WARM = 8.0  # seconds before anything is measured
THINK = 0.1  # seconds between two pages of a reader
KINDS = sorted(kind.value for kind in ALWAYS_REQUIRED)


class Bench:
    """Callers of one server until `ended` (time.monotonic()), and the seconds that each kind of request took."""

    def __init__(self, server: Server, ended: float) -> None:
        self.server, self.ended = server, ended
        self.times: dict[str, list[float]] = defaultdict(list)
        self.refused: dict[str, int] = defaultdict(int)
        self.submitted: Queue[str] = Queue()
        self.errors: list[str] = []

    def is_on(self) -> bool:
        return time.monotonic() < self.ended

    def timed(self, what: str, status: int, ask: Callable[[], Answer]) -> Answer | None:
        """The answer, if it has this status; others are counted as refused."""
        began = time.perf_counter()
        answer = ask()
        self.times[what].append(time.perf_counter() - began)
        if answer.status == status:
            return answer
        self.refused[f"{what} {answer.status}"] += 1
        return None

    def write(self, client: Client, blank: dict[str, str]) -> None:
        """Submissions one after the other."""
        while self.is_on():
            began = time.perf_counter()
            form = blank | {"page_key": secrets.token_urlsafe(18), "title": f"唱片{secrets.token_hex(3)}"}
            opened = self.timed("create", 302, lambda form=form: client.post("/applications/new/", form))  # type: ignore[misc]
            key = opened.location.rpartition("=")[2] if opened else ""
            for kind in KINDS if opened else ():
                fields = {"id": key, "kind": kind, "file": (small_pdf(secrets.token_hex(8)), f"{kind}.pdf")}
                self.timed("upload", 200, lambda fields=fields: client.post("/applications/upload/", fields))  # type: ignore[misc]
            if opened and self.timed("submit", 303, lambda key=key: client.post("/applications/submit/", {"id": key})):  # type: ignore[misc]
                self.times["submission"].append(time.perf_counter() - began)
                self.submitted.put(key)

    def read(self, client: Client, address: str) -> None:
        while self.is_on():
            self.timed("list", 200, lambda: client.get(address))
            time.sleep(THINK * random.uniform(0.5, 1.5))

    def grant(self, client: Client, _address: str) -> None:
        """Grant the submissions of the writers as they come in."""
        while self.is_on():
            try:
                key = self.submitted.get(timeout=0.2)
            except Empty:
                continue
            self.timed("grant", 303, lambda key=key: client.post("/review/grant/", {"id": key}))  # type: ignore[misc]

    def guarded(self, work: Callable[..., None], *given: Any) -> None:
        try:
            work(*given)
        except Exception as broken:
            self.errors.append(f"{type(broken).__name__}: {broken}")


def filled(client: Client) -> dict[str, str]:
    """The blank form of a publisher, filled in."""
    fields = {
        name: str(getattr(FIELDS[name], "value", FIELDS[name])) for name in written(Application) if name in FIELDS
    }
    return form_of(client.get("/applications/new/").text) | fields | {f"carriers-0-{k}": v for k, v in CARRIER.items()}


def colleagues(server: Server, count: int) -> list[str]:
    """This many accounts of the publisher, because the files of one account are inspected one after the other."""
    with server.app.app_context(), access.everything() as session:
        like = account_of("publisher")
        for number in range(count):
            name = f"writer{number}"
            account = Account(username=name, name=name, role=Role.PUBLISHER, organisation_id=like.organisation_id)
            account.password_hash, account.must_change = like.password_hash, False
            session.add(account)
        session.commit()
    return [f"writer{number}" for number in range(count)]


def signed_in(server: Server, username: str) -> Client:
    client = Client(server)
    client.sign_in(username)
    client.find_token()
    return client


@contextmanager
def paper_workers(server: Server) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """One for each processor, as `make run` starts them."""
    settings = {f"FILING_{name}": json.dumps(server.app.config[name]) for name in SHARED}
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "flask", "--app", "app"]
    command += ["certificate", "work", "--watch"]
    quiet: dict[str, Any] = {"cwd": ROOT, "env": os.environ | settings, "stdout": subprocess.DEVNULL}
    started = [subprocess.Popen(command, **quiet) for _core in range(os.cpu_count() or 1)]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def family(pid: int) -> Iterator[int]:
    """The ids of a process and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def run(server: Server, writers: int, readers: int, granters: int, seconds: float) -> None:
    """Run all callers for this many seconds, and print the report."""
    names = list(LISTS)
    works: list[tuple[str, str]] = [("read", names[n % len(names)]) for n in range(readers)]
    works += [("write", name) for name in colleagues(server, writers)] + [("grant", "reviewer")] * granters
    clients = [signed_in(server, name) for _work, name in works]
    blank = filled(signed_in(server, "publisher"))
    warm = Bench(server, time.monotonic() + WARM)  # loads modules, and starts the processes that inspect files
    together(warm, works, clients, blank)
    bench = Bench(server, time.monotonic() + seconds)
    before, own, began = sum(map(busy, family(server.process.pid))), time.process_time(), time.perf_counter()
    together(bench, works, clients, blank)
    took = time.perf_counter() - began
    report(bench, took, sum(map(busy, family(server.process.pid))) - before, time.process_time() - own)


def together(bench: Bench, works: list[tuple[str, str]], clients: list[Client], blank: dict[str, str]) -> None:
    """Run all callers in threads until the bench has ended."""
    threads = [
        Thread(target=bench.guarded, args=(getattr(bench, work), client, blank if work == "write" else LISTS.get(name)))
        for (work, name), client in zip(works, clients, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report(bench: Bench, took: float, server: float, own: float) -> None:
    """A line for each kind of request: how many a second, and how long they took."""
    for what, times in bench.times.items():
        at = [1000 * value for value in quantiles(times, n=100)] if len(times) > 1 else [1000 * times[0]] * 99
        line = f"{what:12}{len(times) / took:8.1f}/s   p50 {at[49]:6.0f}   p95 {at[94]:6.0f}   p99 {at[98]:6.0f} ms"
        print(f"{line}   max {1000 * max(times):6.0f}")
    count = len(bench.times["submission"]) or 1
    print(f"processor: server {server / took:.2f}, callers {own / took:.2f} of a core;", end=" ")
    print(
        f"server {1000 * server / count:.0f} ms a submission; refused {dict(bench.refused)}; errors {bench.errors[:3]}"
    )


def main(writers: int = 8, readers: int = 0, granters: int = 0, seconds: float = 20, database: str = "") -> None:
    """Measure each database, on a new one with the cast."""
    for name in [database] if database else ["sqlite", "postgresql"]:
        print(f"{name}: {writers} writers, {readers} readers, {granters} granters, {seconds:.0f} s")
        with tempfile.TemporaryDirectory() as folder, addressed(name, folder) as address:
            app = prepare_app(address, Path(folder))
            with serving(app, Path(folder)) as server, paper_workers(server):
                run(server, writers, readers, granters, seconds)


@contextmanager
def addressed(name: str, folder: str) -> Iterator[str]:
    """The address of an empty database, which waits for the disk at each commit."""
    if name == "sqlite":
        yield f"sqlite:///{folder}/filing.sqlite"
        return
    with psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True) as server:
        database = f"filing_writes_{os.getpid()}"
        with new_database(server, database) as address:
            server.execute(f"ALTER DATABASE {database} SET synchronous_commit = on".encode())
            yield address


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *map(float, sys.argv[4:5]), *sys.argv[5:6])  # type: ignore[arg-type]
