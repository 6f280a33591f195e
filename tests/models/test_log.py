"""The log of the system: what it says of a sign-in, who reads it, and that nobody changes it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from models import access, log
from models.access import Closed
from models.database import db
from models.log import LOGS, WORDS, Handout, LogEntry, Operation, Place, mark_of
from models.people import online
from models.people.sessions import sign_in
from models.people.signin_failures import slowed_until
from models.workflow import Refused
from tests.cast import PASSWORD, account_of
from tests.conftest import Acting

HOME = Place("198.51.100.7", "", "Firefox 140 · Windows")
Trying = Callable[..., None]


def entries(*kinds: str) -> list[LogEntry]:
    """Everything that is in the log, oldest first, read by a session that sees all."""
    with access.everything() as session:
        found = session.scalars(select(LogEntry).order_by(LogEntry.id)).all()
        session.expunge_all()
    return [entry for entry in found if not kinds or entry.kind in kinds]


def fail(username: str, password: str = "not-the-Pass-1", place: Place = HOME) -> None:
    with pytest.raises(Refused):
        sign_in(db.session(), username, password, place)


def told(entry: LogEntry) -> tuple[str, str, str, str]:
    return entry.kind, entry.username, entry.address, entry.program


def test_every_kind_has_one_name_and_one_log() -> None:
    assert sum(len(list(words)) for words in LOGS.values()) == len(WORDS)
    assert all(len(word.value) <= 32 and word.label for word in WORDS.values())


def test_a_sign_in_and_what_kept_one_out_are_told(app: Flask) -> None:
    with app.app_context():
        fail("publisher")
        sign_in(db.session(), "Publisher", PASSWORD, HOME)
        account_of("agent").active = False
        db.session.commit()
        fail("agent", PASSWORD)
        assert [told(entry) for entry in entries()] == [
            ("wrong_password", "publisher", HOME.address, HOME.program),
            ("signed_in", "publisher", HOME.address, HOME.program),
            ("account_disabled", "agent", HOME.address, HOME.program),
        ]


@pytest.mark.slow
def test_of_a_name_that_no_account_has_only_a_mark_is_kept(app: Flask) -> None:
    """People type their password into the field of the name."""
    with app.app_context():
        fail("My-Secret-Pass-77")
        fail("my-secret-pass-77 ")
        fail("another")
        first, again, other = entries()
        assert first.username == again.username == mark_of("my-secret-pass-77") != other.username
        assert len(first.username) == len("#0000")
        with db.engine.connect() as connection:
            row = str(connection.execute(text("SELECT * FROM log_entry ORDER BY id")).first()).casefold()
        assert "secret" not in row


def test_what_is_not_verified_is_told_as_well(app: Flask) -> None:
    with app.app_context():
        for _time in range(5):
            fail("publisher")
        fail("publisher", PASSWORD)
        assert [entry.kind for entry in entries()] == ["wrong_password"] * 5 + ["slowed"]


def test_operators_and_the_nation_read_all_of_it_and_others_their_own(app: Flask, acting: Acting) -> None:
    with app.app_context():
        sign_in(db.session(), "publisher", PASSWORD, HOME)
        sign_in(db.session(), "operator", PASSWORD, HOME)
    seen = {"operator": 2, "national": 2, "publisher": 1, "publisher2": 0, "reviewer": 0, "agent": 0}
    for who, count in seen.items():
        with acting(who):
            assert len(db.session.scalars(select(LogEntry)).all()) == count, who
    with app.app_context():
        access.enter(None)
        assert db.session.scalars(select(LogEntry)).all() == []


def test_nobody_writes_in_the_name_of_another(acting: Acting) -> None:
    with acting("operator"):
        log.record(db.session(), Handout.EXPORT, account_of("publisher"), HOME)
        with pytest.raises(Closed, match="another account"):
            db.session.flush()


ATTACKS = ("UPDATE log_entry SET words = ''", "UPDATE log_entry SET at = at", "DELETE FROM log_entry")
OWN_ATTACK = {"sqlite": "REPLACE INTO log_entry SELECT * FROM log_entry", "postgresql": "TRUNCATE log_entry"}


def test_no_raw_sql_changes_or_clears_it(app: Flask) -> None:
    with app.app_context():
        sign_in(db.session(), "publisher", PASSWORD, HOME)
        for attack in (*ATTACKS, OWN_ATTACK[db.engine.name]):
            with db.engine.connect() as connection, pytest.raises(DBAPIError, match="只能追加"):
                connection.execute(text(attack))
        assert [entry.kind for entry in entries()] == ["signed_in"]


@pytest.mark.parametrize("statement", [update(LogEntry).values(words=""), delete(LogEntry)])
def test_no_session_changes_it_either(acting: Acting, statement: object) -> None:
    with acting("operator") as operator:
        log.record(db.session(), Operation.UNLOCKED, operator, HOME, "publisher")
        db.session.commit()
        with pytest.raises(DBAPIError, match="只能追加"):
            db.session.execute(statement)  # type: ignore[call-overload]
        db.session.rollback()
        assert log.newest(db.session(), Operation.UNLOCKED) is not None


def test_an_entry_goes_with_the_act_it_tells_of(acting: Acting) -> None:
    """What is rolled back has not happened."""
    with acting("operator") as operator:
        log.record(db.session(), Operation.UNLOCKED, operator, HOME, "publisher")
        db.session.rollback()
        assert entries() == []


def test_the_operator_lifts_a_pause(app: Flask, acting: Acting) -> None:
    with app.app_context():
        for _time in range(5):
            fail("publisher")
        assert list(slowed_until(db.session(), ["publisher", "agent"])) == ["publisher"]
    with acting("operator") as operator:
        ((account, _until),) = online.slowed(db.session())
        assert account.username == "publisher"
        online.unlock(db.session(), account, operator, HOME)
        db.session.commit()
        with pytest.raises(Refused, match="没有登录限制"):
            online.unlock(db.session(), account, operator, HOME)
    with app.app_context():
        assert online.slowed(db.session()) == []
        assert sign_in(db.session(), "publisher", PASSWORD, HOME).username == "publisher"
        assert [entry.about for entry in entries("unlocked")] == ["publisher"]
