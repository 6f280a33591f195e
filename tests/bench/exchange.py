"""The speed of the exchange: `python -m tests.bench.exchange [N]` delivers N certificates (default: 200).

One deliverer and the simulated customs in a process of its own, over HTTP, on SQLite: messages a second against the
commits a second that the same database makes.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from flask import Flask
from sqlalchemy import select, update

from models import access
from models.customs import CustomsMessage
from models.exchange import delivery
from models.signing import signatures
from models.vocabulary import Action
from tests.bench.certificates import made, submitted
from tests.cast import perform_step, small_pdf
from tests.views.customs_server import simulated
from views.resources import keys
from views.terminal.customs import channel

COMMITS = 300


def a_second(work: Callable[[], object], count: int) -> float:
    """How many a second, measured by one call of `work`, which does it `count` times."""
    began = perf_counter()
    work()
    return count / (perf_counter() - began)


def bare_commits(app: Flask) -> None:
    """Commit COMMITS times after changing one row: the smallest work of a database."""
    with app.app_context(), access.everything() as session:
        key = session.scalars(select(CustomsMessage.id)).first()
        for turn in range(COMMITS):
            session.execute(update(CustomsMessage).where(CustomsMessage.id == key).values(attempts=turn))
            session.commit()


def deliver(app: Flask) -> None:
    """Deliver every message of the outbox."""
    with app.app_context(), access.everything() as session:
        for line in delivery.deliver(session, channel()):
            assert "接收成功" in line, line


def rates(count: int) -> tuple[float, float]:
    """(messages, bare commits) a second, on a new database."""
    with tempfile.TemporaryDirectory() as folder:
        app = made(Path(folder))
        for key in submitted(app, count, small_pdf, carriers=1):
            perform_step(app, Action.GRANT, key, "publisher")
        with app.app_context():
            signatures.cms(keys().signer("320000").pyhanko_signer, b"")  # load the signing libraries before measuring
        commits = a_second(lambda: bare_commits(app), COMMITS)
        app.config["CUSTOMS_PACE"] = {"per_minute": 10**9}
        with simulated(Path(folder)) as app.config["CUSTOMS_GATEWAY"]:
            return a_second(lambda: deliver(app), count), commits


def run(count: int) -> None:
    """Print both, and their ratio."""
    messages, commits = rates(count)
    print(f"messages a second, one deliverer    {messages:8.1f}   (claimed, signed, sent, received, noted)")
    print(f"bare commits a second / messages    {commits / messages:8.2f}   ({commits:.0f} commits a second)")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
