"""Work done at once, by threads with sessions of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from models import access
from models.database import db
from models.people.accounts import Account
from models.workflow import Refused
from tests.cast import account_of

Work = Callable[[], object]


def work_of(app: Flask, by: str, act: Callable[[Account], object]) -> Work:
    """`act(account)` in a session of that person, committed, as a task for a thread; returns its result."""

    def work() -> object:
        with app.app_context():
            access.enter(account := account_of(by))
            result = act(account)
            db.session.commit()
            return result

    return work


def at_once(*works: Work) -> list[object]:
    """Run each in a thread of its own, all at the same moment; their results, or the Refused that they raised."""
    gate = threading.Barrier(len(works))

    def run(work: Work) -> object:
        gate.wait(timeout=30)
        try:
            return work()
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(works)) as threads:
        return [done.result(timeout=90) for done in [threads.submit(run, work) for work in works]]
