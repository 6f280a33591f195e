"""The cost of a certificate: `python -m tests.bench.certificates [N]` measures N grants (default: 1,000).

Prints whether each goal was met; exit status 1 if one was missed.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from flask import Flask

from app import create_app
from models import access
from models.acts import filing
from models.acts.papers import TYPESETTER, make_and_commit, order, paper
from models.application import Application
from models.certificate import Certificate
from models.certificate.fonts import STYLE
from models.database import db
from models.vocabulary import Action
from tests.cast import account_of, add_cast, draft, small_pdf
from views.certificate import page
from views.demo import signing_keys
from views.resources import keys, office, store

TURNS = 20
SLOWEST, STORED, GROWN = 1.5, 50.0, 1.15  # goals: at most, at least, at most


def median(work: Callable[[], object], turns: int = TURNS) -> float:
    """The median of the seconds of some turns, after one turn that is not measured."""
    work()
    times = []
    for _ in range(turns):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return sorted(times)[turns // 2]


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def busy(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def typesetter_memory() -> float:
    """Megabytes of the current typesetter process, which is replaced from time to time."""
    return resident(TYPESETTER.process.pid) if TYPESETTER.process else 0.0


def typesetter_seconds() -> float:
    """Seconds of processor time of the current typesetter process and of those before it."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + (busy(TYPESETTER.process.pid) if TYPESETTER.process else 0.0)


def report(what: str, value: float, goal: str, met: bool, more: str) -> bool:
    """Print one line: what was measured, and whether it meets the goal."""
    print(f"{what:36}{value:8.2f}   {goal} {'met' if met else 'MISSED'}   ({more})")
    return met


def made(folder: Path) -> Flask:
    """An application on an empty SQLite register, with the cast and the keys of a demonstration."""
    from flask_migrate import upgrade

    settings = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/filing.sqlite", "SECRET_KEY": "bench", "TESTING": True}
    app = create_app(settings | {"STORE": str(folder / "store"), "SIGNING_KEY": str(folder / "keys"), "CAPTCHA": False})
    with app.app_context():
        upgrade()
        signing_keys.establish(folder / "keys", ["320000"])
        with access.everything() as session:
            add_cast(session)
    return app


def submitted(app: Flask, count: int, a_file: Callable[[str], bytes], carriers: int = 3) -> list[int]:
    """Create this many pending applications; their ids."""
    waiting = [draft(app, "publisher", carriers, {}, a_file) for _ in range(count)]
    with app.app_context():
        filer = account_of("publisher")
        access.enter(filer)
        for key in waiting:
            filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), filer)
            db.session.commit()
    return waiting


def grant(app: Flask, key: int) -> int:
    """Grant it as the province does, and make its paper; the id of the certificate."""
    with app.app_context():
        reviewer = account_of("reviewer")
        access.enter(reviewer)
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.GRANT, application, reviewer, office=office())
        db.session.commit()
        granted: Any = application.certificate
        make_and_commit(granted.id, store(), keys(), page)
        return int(granted.id)


def typesetting(app: Flask, key: int, turns: int = TURNS) -> tuple[float, float, float]:
    """Seconds, warm: render and sign; WeasyPrint alone on the same HTML and style; a print of the stored paper."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    with app.app_context(), access.everything() as session:
        granted = session.get_one(Certificate, key)
        whole = order(granted, "320000", keys(), page)
        fonts = FontConfiguration()
        style = CSS(filename=STYLE, font_config=fonts)
        bare = median(lambda: HTML(string=whole.html).write_pdf(stylesheets=[style], font_config=fonts), turns)
        own_time = median(lambda: TYPESETTER.make_pdf(whole), turns)
        return own_time, bare, median(lambda: paper(granted, store()), 10 * turns)


def compare_with_bare_type(app: Flask, key: int) -> bool:
    """Compare rendering and signing with WeasyPrint alone, and reading a stored paper with both."""
    own_time, bare, stored_time = typesetting(app, key)
    times = f"{own_time * 1000:.0f} ms / {bare * 1000:.0f} ms"
    ratio = own_time / bare
    fine = report("render and sign / bare WeasyPrint", ratio, f"≤ {SLOWEST}", ratio <= SLOWEST, times)
    times = f"{own_time * 1000:.0f} ms / {stored_time * 1000:.2f} ms"
    ratio = own_time / stored_time
    return report("fresh render / stored print", ratio, f"≥ {STORED:.0f}", ratio >= STORED, times) and fine


def grant_many(app: Flask, waiting: list[int]) -> bool:
    """Grant them all with their papers: the rate of one core, and whether the typesetter's memory stays constant."""
    memory_sizes, began, own_time, theirs = [], perf_counter(), process_time(), typesetter_seconds()
    for key in waiting:
        grant(app, key)
        memory_sizes.append(typesetter_memory())
    took, count = perf_counter() - began, len(waiting)
    here, there = process_time() - own_time, typesetter_seconds() - theirs
    half = count // 2
    early, late = max(memory_sizes[:half]), max(memory_sizes[half:])
    share = f"{count / took:.1f} a second in one row, {there / (here + there):.0%} of the work in the typesetter"
    print(f"{'grants with papers, a second a core':36}{count / (here + there):8.2f}   ({share})")
    sizes = f"{late:.0f} MB / {early:.0f} MB"
    return report("most memory, second half / first", late / early, f"≤ {GROWN}", late / early <= GROWN, sizes)


def run(count: int) -> bool:
    """Measure everything on a new database; whether every goal was met."""
    with tempfile.TemporaryDirectory() as folder:
        app = made(Path(folder))
        waiting = submitted(app, count + 1, small_pdf)
        first = grant(app, waiting.pop())
        flat = grant_many(app, waiting)
        return compare_with_bare_type(app, first) and flat


if __name__ == "__main__":
    met = run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    sys.stdout.flush()
    os._exit(not met)
