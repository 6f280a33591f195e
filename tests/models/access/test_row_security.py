"""Row-level security of PostgreSQL: raw SQL through the application's own connection, past the session's rule."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from models import access
from models.database import db
from models.database.triggers import SENTENCE
from models.people.accounts import Account
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.signing_in import begin

pytestmark = pytest.mark.parametrize("app", ["row_security"], indirect=True)
Raw = Callable[[str], AbstractContextManager[Connection]]
OF_AN_APPLICATION = (
    "application", "carrier", "attachment", "trail_entry", "certificate", "customs_message", "paper_task",
)  # fmt: skip
WITHOUT_MERCY = (
    "UPDATE trail_entry SET opinion = 'x'",
    "DELETE FROM trail_entry",
    "TRUNCATE trail_entry CASCADE",
    "UPDATE log_entry SET words = 'x'",
    "DELETE FROM log_entry",
    "DELETE FROM application",
    "DROP TRIGGER keep_trail_entry_update ON trail_entry",
    "ALTER TABLE trail_entry DISABLE TRIGGER ALL",
    "ALTER TABLE application DISABLE ROW LEVEL SECURITY",
    "DROP POLICY filing_all ON application",
    "CREATE OR REPLACE FUNCTION keep_trail_entry_update() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SET session_replication_role = replica",
    "DROP TABLE kept_query",
)
EVERYBODY = ("publisher", "publisher2", "reviewer", "national", "operator", "", "jobs")


@pytest.fixture
def connect_as(app: Flask) -> Raw:
    """`with connect_as("reviewer") as connection:` is the connection of a session that serves this person."""

    @contextmanager
    def opened(username: str) -> Iterator[Connection]:
        with app.app_context():
            if username == "jobs":
                with access.everything() as session:
                    yield session.connection()
                return
            if username:
                access.enter(account_of(username))
            yield db.session().connection()

    return opened


def count(connection: Connection, table: str, key: int) -> int:
    column = "id" if table == "application" else "application_id"
    return int(connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {column} = {key}")) or 0)


def test_raw_sql_sees_only_rows_its_account_may_see(make_application: MakeApplication, connect_as: Raw) -> None:
    """AD2: the two ways past the session's rule, session.connection() and Core, end at row-level security."""
    issued, draft = make_application(status="filed"), make_application(status="draft")
    seen = {}
    for who in (*EVERYBODY, "agent", "reviewer2"):
        with connect_as(who) as connection:
            seen[who] = {key: {t for t in OF_AN_APPLICATION if count(connection, t, key)} for key in (issued, draft)}
    whole = set(OF_AN_APPLICATION)
    for who in ("publisher", "reviewer", "national", "jobs"):
        assert seen[who][issued] == whole, who
    assert [who for who in seen if seen[who][draft]] == ["publisher", "jobs"]
    for who in ("publisher2", "agent", "reviewer2", "operator", ""):
        assert seen[who] == {issued: set(), draft: set()}, who


@pytest.mark.parametrize("who", EVERYBODY)
def test_no_role_can_change_trail_log_or_trigger(make_application: MakeApplication, connect_as: Raw, who: str) -> None:
    make_application(status="filed")
    for statement in WITHOUT_MERCY:
        with connect_as(who) as connection, pytest.raises(DBAPIError, match=r"denied|must be owner"):
            connection.execute(text(statement))


@pytest.mark.parametrize("who", [person for person in EVERYBODY if person != "jobs"])
def test_no_account_can_mark_a_file_as_scanned(make_application: MakeApplication, connect_as: Raw, who: str) -> None:
    make_application(status="draft")
    with connect_as(who) as connection, pytest.raises(DBAPIError, match="denied"):
        connection.execute(text("UPDATE attachment SET scanned_at = uploaded_at"))


def test_a_foreign_row_can_be_neither_changed_nor_put_under_an_application(
    make_application: MakeApplication, connect_as: Raw
) -> None:
    own, foreign = make_application(status="draft"), make_application(by="agent", status="draft")
    with connect_as("publisher") as connection:
        changed = connection.execute(text(f"UPDATE application SET title = 'x' WHERE id = {foreign}"))
        assert changed.rowcount == 0
        assert connection.execute(text(f"DELETE FROM carrier WHERE application_id = {foreign}")).rowcount == 0
    for statement in (
        f"UPDATE carrier SET application_id = {foreign} WHERE application_id = {own}",
        f"UPDATE application SET applicant_id = applicant_id + 1 WHERE id = {own}",
    ):
        with connect_as("publisher") as connection, pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(text(statement))


def test_a_connection_without_an_account_may_do_nothing(app: Flask, make_application: MakeApplication) -> None:
    """The login inherits no role: a transaction without a role is refused, and so is one after its role was reset."""
    make_application(status="filed")
    with app.app_context(), db.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("SELECT count(*) FROM application"))
        connection.rollback()
        connection.execute(text("SELECT set_config('role', 'filing_jobs', true)"))
        assert connection.scalar(text("SELECT count(*) FROM application")) == 1
        connection.rollback()
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("SELECT count(*) FROM application"))


def test_row_security_follows_a_sign_in_within_a_transaction(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    counted = text("SELECT count(*) FROM application")
    with app.app_context():
        session = db.session()
        assert session.connection().scalar(counted) == 0
        access.enter(account_of("publisher"))
        assert session.connection().scalar(counted) == 1
        access.enter(account_of("publisher2"))
        assert session.connection().scalar(counted) == 0
        access.enter(None)
        session.rollback()
        assert session.connection().scalar(counted) == 0


FOREIGN_SEATS = (
    "UPDATE account SET role = 'operator'",
    "UPDATE account SET active = true",
    "UPDATE account SET username = 'x'",
    (
        "INSERT INTO account (username, name, role, password_hash, must_change, active)"
        " VALUES ('mine', 'x', 'operator', 'x', false, true)"
    ),
    "DELETE FROM visit",
    (
        "INSERT INTO visit (token_hash, account_id, began_at, seen_at)"
        " SELECT 'x', id, now(), now() FROM account WHERE role = 'operator'"
    ),
    "UPDATE visit SET account_id = account_id + 1",
    "DELETE FROM serial",
    "DELETE FROM spent_challenge",
    "UPDATE spent_challenge SET spent_at = now()",
    "DELETE FROM heartbeat",
    "UPDATE heartbeat SET seen_at = now()",
    "INSERT INTO heartbeat (id, seen_at) VALUES (9, now())",
    (
        "INSERT INTO portal_link (account_id, issuer, subject, name, added_at)"
        " SELECT id, 'https://i', 'x', 'x', now() FROM account LIMIT 1"
    ),
    (
        "INSERT INTO portal_request (issuer, subject, name, organisation, credit_code, address, asked_at)"
        " VALUES ('i', 's', '', '', '', '', now())"
    ),
    "INSERT INTO portal_visit (handle_hash, subject_hash, id_token, made_at) VALUES ('x', 'x', 'x', now())",
)
NOT_OF_PRESSES = "INSERT INTO certificate_use (usage) VALUES ('written_off')"


@pytest.mark.parametrize("who", ["publisher", "reviewer", "national", ""])
def test_only_the_operator_creates_accounts_and_their_credentials(app: Flask, connect_as: Raw, who: str) -> None:
    with app.app_context():
        begin(db.session(), account_of(who or "publisher"))
    for statement in FOREIGN_SEATS if who == "reviewer" else (*FOREIGN_SEATS, NOT_OF_PRESSES):
        with connect_as(who) as connection, pytest.raises(DBAPIError, match=r"denied|row-level security"):
            connection.execute(text(statement))


def test_an_account_writes_its_own_password_and_sessions_and_the_operator_writes_all(
    app: Flask, connect_as: Raw
) -> None:
    changes = "UPDATE account SET password_hash = password_hash", "UPDATE visit SET ended_at = now()"
    with app.app_context():
        people = len(db.session.scalars(select(Account)).all())
        for name in ("publisher", "reviewer", "operator"):
            begin(db.session(), account_of(name))
    for who, counts in {"publisher": (1, 1), "national": (1, 0), "operator": (people, 3)}.items():
        for statement, count in zip(changes, counts, strict=True):
            with connect_as(who) as connection:
                assert connection.execute(text(statement)).rowcount == count, (who, statement)
    with connect_as("") as connection, pytest.raises(DBAPIError, match="denied"):
        connection.execute(text(changes[0]))


OF_PROVINCES = (
    "INSERT INTO certificate (number) VALUES ('Z32202600000153')",
    "UPDATE customs_message SET accepted = true, answered_at = now()",
    "INSERT INTO customs_note (words) VALUES ('x')",
)


@pytest.mark.parametrize("who", ["publisher", "national", "operator", ""])
def test_only_provinces_write_certificates_and_messages_to_customs(connect_as: Raw, who: str) -> None:
    for statement in OF_PROVINCES:
        with connect_as(who) as connection, pytest.raises(DBAPIError, match="denied"):
            connection.execute(text(statement))


@pytest.mark.parametrize("who", ["reviewer", "reviewer2", "jobs"])
def test_no_role_moves_a_message_to_another_desk(make_application: MakeApplication, connect_as: Raw, who: str) -> None:
    """A province reads them by their own column, which must be right: plainly, and behind a temporary table."""
    key = make_application(status="filed")
    columns = "certificate_id, act, application_id, desk, message_id, queued_at, next_at, attempts"
    values = f"1, 'grant', {key}, '440000', 'Z-9', now(), now(), 0"
    added = text(f"INSERT INTO customs_message ({columns}) VALUES ({values})")
    for first in ("SELECT 1", f"CREATE TEMPORARY TABLE application AS SELECT {key} AS id, '440000' AS desk"):
        with connect_as(who) as connection:
            connection.execute(text(first))
            with pytest.raises(DBAPIError, match=SENTENCE):
                connection.execute(added)


@pytest.mark.parametrize(("who", "series"), [("publisher", "SQ"), ("reviewer", "Z32")])
def test_each_role_increments_only_its_own_serial_numbers(connect_as: Raw, who: str, series: str) -> None:
    for given in ("SQ", "Z32", "Z44"):
        counted = text(f"INSERT INTO serial (series, year, last) VALUES ('{given}', 2026, 1)")
        with connect_as(who) as connection:
            if given == series:
                connection.execute(counted)
                continue
            with pytest.raises(DBAPIError, match="row-level security"):
                connection.execute(counted)


@pytest.mark.parametrize(("who", "series"), [("publisher", "SQ"), ("reviewer", "Z32"), ("jobs", "Z32")])
@pytest.mark.parametrize("change", ["last = last - 1", "last = 0", "last = last", "last = last + 7"])
def test_no_role_can_decrease_or_skip_serial_numbers(
    connect_as: Raw, make_application: MakeApplication, who: str, series: str, change: str
) -> None:
    """A number is given once, and there are no gaps: one more is all that a role may count."""
    make_application(status="filed")
    of_series = f"WHERE series = '{series}'"
    with connect_as(who) as connection, pytest.raises(DBAPIError, match=SENTENCE):
        connection.execute(text(f"UPDATE serial SET {change} {of_series}"))
    with connect_as(who) as connection:
        assert connection.execute(text(f"UPDATE serial SET last = last + 1 {of_series}")).rowcount == 1
