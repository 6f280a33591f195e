"""The system log: its entries of a sign-in, its readers, and that it cannot be changed."""

import re

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from models import access, log
from models.access import Closed
from models.database import db
from models.log import LOGS, WORDS, Handout, LogEntry, Operation, Place, mark_of
from models.people import online
from models.people.accounts import Account
from models.people.signin_failures import slowed_until
from models.workflow import Refused
from tests.apps import engine_of_owner
from tests.cast import PASSWORD, account_of
from tests.conftest import ActAs
from tests.signing_in import sign_in
from views.screens.logs import FAILURES

HOME = Place("198.51.100.7", "", "Firefox 140 · Windows")


def entries(*kinds: str) -> list[LogEntry]:
    """Everything that is in the log, oldest first, read by a session that sees all."""
    with access.everything() as session:
        found = session.scalars(select(LogEntry).order_by(LogEntry.id)).all()
        session.expunge_all()
    return [entry for entry in found if not kinds or entry.kind in kinds]


def fail(username: str, password: str = "not-the-Pass-1", place: Place = HOME) -> None:
    with pytest.raises(Refused):
        sign_in(db.session(), username, password, place)


def facts(entry: LogEntry) -> tuple[str, str, str, str]:
    return entry.kind, entry.username, entry.address, entry.program


def test_every_kind_has_one_name_and_one_log() -> None:
    assert sum(len(list(words)) for words in LOGS.values()) == len(WORDS)
    assert all(len(word.value) <= 32 and word.label for word in WORDS.values())


def test_sign_ins_and_refused_sign_ins_are_logged_with_their_reason(app: Flask) -> None:
    with app.app_context():
        fail("publisher")
        sign_in(db.session(), "Publisher", PASSWORD, HOME)
        with access.everything() as session:
            session.get_one(Account, account_of("agent").id).active = False
            session.commit()
        fail("agent", PASSWORD)
        assert [facts(entry) for entry in entries()] == [
            ("wrong_password", "publisher", HOME.address, HOME.program),
            ("signed_in", "publisher", HOME.address, HOME.program),
            ("account_disabled", "agent", HOME.address, HOME.program),
        ]


@pytest.mark.slow
def test_an_unknown_user_name_is_logged_as_a_hash_only(app: Flask) -> None:
    """People type their password into the field of the name."""
    with app.app_context():
        fail("My-Secret-Pass-77")
        fail("my-secret-pass-77 ")
        fail("another")
        first, again, other = entries()
        assert first.username == again.username == mark_of("my-secret-pass-77") != other.username
        assert len(first.username) == len("#0000")
        with engine_of_owner(app).connect() as connection:
            row = str(connection.execute(text("SELECT * FROM log_entry ORDER BY id")).first()).casefold()
        assert "secret" not in row


def test_sign_ins_refused_during_a_pause_are_logged_too(app: Flask) -> None:
    with app.app_context():
        for _time in range(5):
            fail("publisher")
        fail("publisher", PASSWORD)
        assert [entry.kind for entry in entries()] == ["wrong_password"] * 5 + ["slowed"]


def test_operators_and_the_nation_read_the_whole_log_and_others_their_own_entries(app: Flask, act_as: ActAs) -> None:
    with app.app_context():
        sign_in(db.session(), "publisher", PASSWORD, HOME)
        sign_in(db.session(), "operator", PASSWORD, HOME)
    seen = {"operator": 2, "national": 2, "publisher": 1, "publisher2": 0, "reviewer": 0, "agent": 0}
    for who, count in seen.items():
        with act_as(who):
            assert len(db.session.scalars(select(LogEntry)).all()) == count, who
    with app.app_context():
        access.enter(None)
        assert db.session.scalars(select(LogEntry)).all() == []


def test_a_log_entry_in_another_name_is_refused(act_as: ActAs) -> None:
    with act_as("operator"):
        log.record(db.session(), Handout.EXPORT, account_of("publisher"), HOME)
        with pytest.raises(Closed, match="another account"):
            db.session.flush()


ATTACKS = ("UPDATE log_entry SET words = ''", "UPDATE log_entry SET at = at", "DELETE FROM log_entry")
OWN_ATTACK = {"sqlite": "REPLACE INTO log_entry SELECT * FROM log_entry", "postgresql": "TRUNCATE log_entry"}


def test_raw_sql_cannot_change_or_clear_the_log(app: Flask) -> None:
    with app.app_context():
        sign_in(db.session(), "publisher", PASSWORD, HOME)
        for attack in (*ATTACKS, OWN_ATTACK[db.engine.name]):
            with engine_of_owner(app).connect() as connection, pytest.raises(DBAPIError, match="只能追加"):
                connection.execute(text(attack))
        assert [entry.kind for entry in entries()] == ["signed_in"]


@pytest.mark.parametrize("statement", [update(LogEntry).values(words=""), delete(LogEntry)])
def test_the_session_cannot_change_the_log(act_as: ActAs, statement: object) -> None:
    with act_as("operator") as operator:
        log.record(db.session(), Operation.UNLOCKED, operator, HOME, "publisher")
        db.session.commit()
        with pytest.raises(DBAPIError, match=r"只能追加|permission denied"):  # the latter under row-level security
            db.session.execute(statement)  # type: ignore[call-overload]
        db.session.rollback()
        assert log.newest(db.session(), Operation.UNLOCKED) is not None


def test_a_rolled_back_act_leaves_no_log_entry(act_as: ActAs) -> None:
    """The entry is in the transaction of the act."""
    with act_as("operator") as operator:
        log.record(db.session(), Operation.UNLOCKED, operator, HOME, "publisher")
        db.session.rollback()
        assert entries() == []


def test_the_operator_lifts_a_pause(app: Flask, act_as: ActAs) -> None:
    with app.app_context():
        for _time in range(5):
            fail("publisher")
        assert list(slowed_until(db.session(), ["publisher", "agent"])) == ["publisher"]
    with act_as("operator") as operator:
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


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_every_refusal_is_counted_and_marked(app: Flask) -> None:
    """By its words."""
    with app.app_context():
        refusals = {kind for kind in log.SignIn if re.search("^登录失败|没有通过核验", str(kind.label))}
    assert set(log.REFUSED) == refusals <= FAILURES
