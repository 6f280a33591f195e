"""导出 one at a time a person: a lease in the database, which all machines share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask

from models import access, clock
from models.people import export_leases
from models.people.export_leases import LEASE

Later = Callable[[timedelta], None]


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch) -> Later:
    """`advance_clock(interval)`: move the clock forward; backward if the interval is negative."""
    really, passed = clock.now, [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: really() + passed[0])

    def go_on(interval: timedelta) -> None:
        passed[0] += interval

    return go_on


def claim(app: Flask, account_id: int) -> str | None:
    with app.app_context(), access.everything() as session:
        return export_leases.claim(session, account_id)


def renew(app: Flask, account_id: int, token: str) -> bool:
    with app.app_context(), access.everything() as session:
        return export_leases.renew(session, account_id, token)


def test_a_second_lease_is_given_once_the_first_was_given_back(app: Flask, cast: SimpleNamespace) -> None:
    first = claim(app, cast.publisher)
    assert first
    assert claim(app, cast.publisher) is None
    assert claim(app, cast.publisher2)
    with app.app_context(), access.everything() as session:
        export_leases.end(session, cast.publisher, "another")
        assert export_leases.claim(session, cast.publisher) is None
        export_leases.end(session, cast.publisher, first)
        assert export_leases.claim(session, cast.publisher)


def test_the_lease_of_a_killed_process_expires(app: Flask, cast: SimpleNamespace, advance_clock: Later) -> None:
    """A renewed lease stays valid; renewing after another claim is refused."""
    first = claim(app, cast.publisher)
    assert first
    advance_clock(LEASE - timedelta(seconds=5))
    assert renew(app, cast.publisher, first)
    advance_clock(LEASE - timedelta(seconds=5))
    assert claim(app, cast.publisher) is None
    advance_clock(timedelta(seconds=6))
    assert claim(app, cast.publisher)
    assert not renew(app, cast.publisher, first)


def test_a_lease_with_a_future_time_does_not_block(app: Flask, cast: SimpleNamespace, advance_clock: Later) -> None:
    advance_clock(timedelta(days=3))
    claim(app, cast.publisher)
    advance_clock(timedelta(days=-3))
    assert claim(app, cast.publisher)


@pytest.mark.slow
def test_parallel_claims_give_one_lease(app: Flask, cast: SimpleNamespace) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = [*pool.map(lambda _n: claim(app, cast.publisher), range(24))]
    assert len([*filter(None, tokens)]) == 1
