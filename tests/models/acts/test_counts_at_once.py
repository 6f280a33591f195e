"""Decisions are counted while other decisions are made and statistics are read."""

from collections.abc import Callable
from datetime import date

from flask import Flask

from models import access, statistics
from models.database import db
from models.statistics import Asked, folding
from models.statistics.periods import Period
from models.vocabulary import Action
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.models.acts.at_once import Work, at_once

EVER = Asked(Period(date(2000, 1, 1), date(2099, 12, 31)), None)


def test_no_decision_is_counted_twice_or_missed(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work]
) -> None:
    """Six decisions, two counting processes and a reader: the figures never fall, and end at the right number."""
    keys = [make_application(status="pending") for _ in range(6)]
    seen: list[int] = []

    def fold() -> None:
        for _ in range(5):
            with app.app_context(), access.everything() as session:
                folding.fold(session)

    def read() -> None:
        for _ in range(10):
            seen.append(granted(app))

    grants = [prepare_act("grant", key, "reviewer") for key in keys[:4]]
    at_once(*grants, *(prepare_act("refuse", key, "reviewer") for key in keys[4:]), fold, fold, read)
    assert seen == sorted(seen)
    assert granted(app) == 4
    with app.app_context(), access.everything() as session:
        assert folding.check(session)
        folding.fold(session)
        assert folding.check(session)
    assert granted(app) == 4


def granted(app: Flask) -> int:
    """The certificates that 统计 shows the reviewer."""
    with app.app_context():
        access.enter(account_of("reviewer"))
        return statistics.count(db.session(), EVER)[1].acts[Action.GRANT]
