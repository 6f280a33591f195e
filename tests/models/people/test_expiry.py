"""Sessions that have timed out are ended and logged by a job, once, and by the limit that they have passed."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from models import access, clock
from models.database import db
from models.log import LogEntry
from models.people import expiry
from models.people.online import resume_visit_and_commit
from models.people.sessions import Visit
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from tests.models.people.test_visits import later
from tests.signing_in import sign_in
from tests.views.panel.test_plans import SCANS, plan, statements
from tests.views.terminal.commands import run_command

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)


def ended(app: Flask) -> list[tuple[str, str]]:
    """(kind, user name) of the logged ends, oldest first."""
    rows = select(LogEntry.kind, LogEntry.username).where(LogEntry.kind.endswith("_ended")).order_by(LogEntry.id)
    with app.app_context(), access.everything() as session:
        return [tuple(row) for row in session.execute(rows)]


def end_expired(app: Flask) -> int:
    with app.app_context(), access.everything() as session:
        return expiry.end_expired(session, IDLE, LONGEST)


def test_an_idle_session_and_a_long_one_are_ended_each_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        sign_in(db.session(), "publisher", PASSWORD)
        token = sign_in(db.session(), "agent", PASSWORD).get_id()
    for minutes in range(29, 12 * 60, 29):
        with later(monkeypatch, minutes), app.app_context():
            assert resume_visit_and_commit(db.session(), token, IDLE) is not None
    with later(monkeypatch, 29):
        assert end_expired(app) == 0
    with later(monkeypatch, 30.9):
        assert end_expired(app) == 0, "the clock of this process may be a minute ahead"
    with later(monkeypatch, 31.1):
        assert (end_expired(app), end_expired(app)) == (1, 0)
    with later(monkeypatch, 12 * 60 + 1.1):
        sign_in_again = client_of(app)
        assert (end_expired(app), end_expired(app)) == (1, 0)
    assert ended(app) == [("idle_ended", "publisher"), ("lifetime_ended", "agent")]
    assert sign_in_again != token


def client_of(app: Flask) -> str:
    """The token of a new session, which is not ended with the old ones."""
    with app.app_context():
        return sign_in(db.session(), "national", PASSWORD).get_id()


def test_an_ended_session_is_not_ended_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context(), access.everything() as session:
        sign_in(db.session(), "publisher", PASSWORD)
        session.scalars(select(Visit)).one().ended_at = clock.now()
        session.commit()
    with later(monkeypatch, 24 * 60):
        assert end_expired(app) == 0


def test_the_job_reads_only_the_open_sessions_and_writes_only_when_one_has_expired(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the plans of the database itself."""
    with app.app_context():
        for _time in range(3):
            sign_in(db.session(), "publisher", PASSWORD)
    with statements(app, "") as asked:
        assert end_expired(app) == 0
    assert [sql.partition(" ")[0] for sql, _parameters in asked if "visit" in sql] == ["SELECT"] * 2
    with later(monkeypatch, 60), statements(app, "") as asked:
        assert end_expired(app) == 3
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))  # which is quicker for a few rows
        plans = [plan(connection, *each) for each in asked if re.match("(SELECT|UPDATE).* visit", each[0], re.DOTALL)]
    assert len(plans) == 4, asked
    assert all("ix_visit_open" in found for found in plans[:2]), plans
    assert not any(SCANS.search(found) for found in plans), plans


@pytest.mark.parametrize("job_ran", [False, True])
def test_the_page_after_a_time_out_says_so_whether_or_not_the_job_has_run(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, job_ran: bool
) -> None:
    browser = client_as("publisher")
    assert browser.get("/desk/").status_code == 200
    moment = clock.now() + timedelta(minutes=40)
    monkeypatch.setattr(clock, "now", lambda: moment)
    if job_ran:
        assert run_command(app, "certificate", "work").exit_code == 0
    assert [kind for kind, _name in ended(app)] == (["idle_ended"] if job_ran else [])
    page = browser.get(browser.get("/desk/").location).text
    assert "登录已超时，请重新登录。" in page
    assert "密码已修改" not in page
