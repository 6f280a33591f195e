"""What a certificate costs: `python -m tests.bench.certificates [N]`. N grants, 1,000 unless told; one run."""

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
from models import access, filing
from models.application import Application
from models.certificate import Certificate
from models.db import db
from models.glyphs import STYLE
from models.vocabulary import Action
from tests.cast import account_of, bring_on, draft, small_pdf
from views import authority
from views.certificate import PRESS, complete, order, paper
from views.office import keys, office, store

TURNS = 20


def median(work: Callable[[], object], turns: int = TURNS) -> float:
    """Seconds of the middle one of some turns; the first is left out."""
    work()
    taken = []
    for _ in range(turns):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return sorted(taken)[turns // 2]


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def made(folder: Path) -> Flask:
    """An application on an empty SQLite register, with the cast and the keys of a demonstration."""
    from flask_migrate import upgrade

    settings = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/filing.sqlite", "SECRET_KEY": "bench", "TESTING": True}
    app = create_app(settings | {"STORE": str(folder / "store"), "SIGNING_KEY": str(folder / "keys"), "CAPTCHA": False})
    with app.app_context():
        upgrade()
        authority.establish(folder / "keys", ["320000"])
        bring_on(db.session())
    return app


def submitted(app: Flask, count: int, a_file: Callable[[str], bytes], carriers: int = 3) -> list[int]:
    """As many applications that wait for the province."""
    waiting = [draft(app, "publisher", carriers, {}, a_file) for _ in range(count)]
    with app.app_context():
        filer = account_of("publisher")
        access.enter(filer)
        for key in waiting:
            filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), filer)
            db.session.commit()
    return waiting


def grant(app: Flask, key: int) -> int:
    """Grant it as the province does, and make its paper; the certificate's number in the database."""
    with app.app_context():
        reviewer = account_of("reviewer")
        access.enter(reviewer)
        application = db.session.get_one(Application, key)
        filing.perform(db.session(), Action.GRANT, application, reviewer, office=office())
        db.session.commit()
        granted: Any = application.certificate
        complete(granted.id, store(), keys())
        return int(granted.id)


def compare_with_bare_type(app: Flask, key: int) -> None:
    """Render and sign, warm, against WeasyPrint alone on the same HTML and style."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    with app.app_context(), access.everything() as session:
        granted = session.get_one(Certificate, key)
        whole = order(granted, "320000", keys())
        fonts = FontConfiguration()
        style = CSS(filename=STYLE, font_config=fonts)
        bare = median(lambda: HTML(string=whole.html).write_pdf(stylesheets=[style], font_config=fonts))
        ours = median(lambda: PRESS.made(whole))
        kept = median(lambda: paper(granted, store(), keys()), 200)
    print(f"render and sign / bare WeasyPrint   {ours / bare:8.2f}   ({ours * 1000:.0f} ms / {bare * 1000:.0f} ms)")
    print(f"fresh render / stored print         {ours / kept:8.0f}   ({ours * 1000:.0f} ms / {kept * 1000:.2f} ms)")


def run(count: int) -> None:
    """All of it, on a register of its own."""
    with tempfile.TemporaryDirectory() as folder:
        app = made(Path(folder))
        waiting = submitted(app, count + 1, small_pdf)
        first = grant(app, waiting.pop())
        early, began, ours = 0.0, perf_counter(), process_time()
        for turn, key in enumerate(waiting):
            grant(app, key)
            if turn == count // 10:
                early = resident(PRESS.process.pid)
        took, here = perf_counter() - began, process_time() - ours
        late = resident(PRESS.process.pid)
        print(f"grants with their papers, a second  {count / took:8.1f}   (one press; {here / took:.0%} elsewhere)")
        print(f"memory of the press, late / early   {late / early:8.2f}   ({late:.0f} MB / {early:.0f} MB)")
        compare_with_bare_type(app, first)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    os._exit(0)
