"""Triggers: raw SQL that changes a decided application is refused on both databases."""

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from models import access
from models.customs import outbox
from models.database import db, search, triggers, uncounted_acts
from models.exchange import inbox
from tests.apps import engine_of_owner
from tests.cast import announced
from tests.conftest import MakeApplication, StoredRows

ATTACKS = {
    "a word of the trail is changed": "UPDATE trail_entry SET opinion = '同意' WHERE application_id = {key}",
    "the trail is sealed anew": "UPDATE trail_entry SET seal = '0' WHERE application_id = {key}",
    "the trail is shortened": "DELETE FROM trail_entry WHERE application_id = {key}",
    "the trail is emptied": "DELETE FROM trail_entry",
    "the certificate is rewritten": "UPDATE certificate SET content = '[]' WHERE application_id = {key}",
    "the certificate has another number": "UPDATE certificate SET number = 'Z1' WHERE application_id = {key}",
    "the certificate is erased": "DELETE FROM certificate WHERE application_id = {key}",
    "a status is set": "UPDATE application SET status = 'revoked' WHERE id = {key}",
    "a version is counted too": "UPDATE application SET status = 'draft', version = version + 1 WHERE id = {key}",
    "a status is set back": "UPDATE application SET status = 'pending', version = version + 1 WHERE id = {key}",
    "every status is set": "UPDATE application SET status = 'customs_received', version = version + 1",
    "an application is erased": "DELETE FROM application WHERE id = {key}",
    "a file is erased": "DELETE FROM attachment WHERE application_id = {key}",
    "a file becomes another": "UPDATE attachment SET digest = '0' WHERE application_id = {key}",
    "a file gets another name": "UPDATE attachment SET name = 'x.pdf' WHERE application_id = {key}",
    "a file is removed": "UPDATE attachment SET removed_at = uploaded_at WHERE application_id = {key}",
    "a file is called scanned": "UPDATE attachment SET scanned_at = uploaded_at WHERE application_id = {key}",
    "a virus is invented": (
        "UPDATE attachment SET scanned_at = uploaded_at, virus = 'Eicar' WHERE application_id = {key}"
    ),
    "a file is added": (
        "INSERT INTO attachment (kind, name, media_type, size, digest, uploaded_at, uploaded_by, application_id)"
        " SELECT kind, name, media_type, size, digest, uploaded_at, uploaded_by, application_id FROM attachment"
        " WHERE application_id = {key}"
    ),
    "a field is changed": "UPDATE application SET title = '别的' WHERE id = {key}",
    "it is given away": "UPDATE application SET applicant_id = applicant_id + 1 WHERE id = {key}",
    "a day is changed": "UPDATE application SET submitted_at = created_at WHERE id = {key}",
    "a carrier is changed": "UPDATE carrier SET quantity = '1' WHERE application_id = {key}",
    "a carrier is erased": "DELETE FROM carrier WHERE application_id = {key}",
    "a carrier is added": "INSERT INTO carrier (position, application_id) VALUES (2, {key})",
    "a seal is forgotten": "UPDATE application SET last_seal = NULL WHERE id = {key}",
    "a seal is set back": (
        "UPDATE application SET last_seal = (SELECT seal FROM trail_entry WHERE application_id = {key} AND"
        " act = 'start') WHERE id = {key}"
    ),
    "a message is erased": "DELETE FROM customs_message WHERE application_id = {key}",
    "a message is shown to another province": "UPDATE customs_message SET desk = '440000' WHERE application_id = {key}",
    "a message is put under another province": (
        "INSERT INTO customs_message (certificate_id, desk, message_id, act, queued_at, next_at, attempts,"
        " application_id) SELECT certificate_id, '440000', 'Z-9', act, queued_at, next_at, 0, application_id"
        " FROM customs_message WHERE application_id = {key}"
    ),
    "a change of an announcement is rewritten": "UPDATE announcement_change SET actor_name = '无名'",
    "a change of an announcement is erased": "DELETE FROM announcement_change",
    "an account is erased": "DELETE FROM account WHERE username = 'operator'",
    "an organisation is erased": "DELETE FROM organisation WHERE name LIKE '%电子%'",
    "a number is given again": "UPDATE serial SET last = last - 1",
    "a number is given once more": "UPDATE serial SET last = last",
    "a number is left out": "UPDATE serial SET last = last + 2",
    "the numbers of a year are another's": "UPDATE serial SET year = year + 1",
    "a series is counted anew": "DELETE FROM serial",
    "a series begins in its middle": "INSERT INTO serial (series, year, last) VALUES ('Z11', 2020, 7)",
    "an application is inserted as granted": (
        "INSERT INTO application (number, version, status, applicant_id, applicant_name, applicant_code, created_at,"
        " changed_at) SELECT 'SQ0', 1, 'filed', applicant_id, applicant_name, applicant_code, created_at, changed_at"
        " FROM application WHERE id = {key}"
    ),
}
ONLY_SQLITE = {
    "a series is replaced": "REPLACE INTO serial SELECT series, year, 1 FROM serial",
    "an application is replaced by a draft": (
        "REPLACE INTO application (id, number, version, status, applicant_id, applicant_name, applicant_code,"
        " created_at, changed_at) SELECT id, number, 1, 'draft', applicant_id, applicant_name, applicant_code,"
        " created_at, changed_at FROM application WHERE id = {key}"
    ),
    "a carrier is replaced": "REPLACE INTO carrier SELECT * FROM carrier WHERE application_id = {key}",
    "a file is replaced": "REPLACE INTO attachment SELECT * FROM attachment WHERE application_id = {key}",
    "an entry is replaced": "REPLACE INTO trail_entry SELECT * FROM trail_entry WHERE application_id = {key}",
    "an entry takes the place of another": (
        "REPLACE INTO trail_entry (at, actor_name, act, before, after, previous, seal, application_id)"
        " SELECT at, '无名', act, before, after, previous, seal, application_id FROM trail_entry"
    ),
    "a certificate is replaced": "REPLACE INTO certificate SELECT * FROM certificate WHERE application_id = {key}",
    "a certificate takes the number of another": (
        "REPLACE INTO certificate (number, issued_on, authority, signer, content, digest, application_id)"
        " SELECT number, issued_on, authority, '无名', content, digest, 0 FROM certificate"
    ),
}
ONLY_POSTGRESQL = {
    "the numbers are truncated": "TRUNCATE serial",
    "the trail is truncated": "TRUNCATE trail_entry CASCADE",
    "the certificates are truncated": "TRUNCATE certificate CASCADE",
    "the carriers are truncated": "TRUNCATE carrier",
    "everything is truncated": "TRUNCATE application CASCADE",
    "a temporary table shows a message to another province": (
        "CREATE TEMPORARY TABLE application AS SELECT {key} AS id, '440000' AS desk;"
        " UPDATE customs_message SET desk = '440000' WHERE application_id = {key}"
    ),
    "a temporary table makes carriers changeable": (
        "CREATE TEMPORARY TABLE application AS SELECT {key} AS id, 'draft' AS status;"
        " UPDATE carrier SET quantity = '1' WHERE application_id = {key}"
    ),
}


def attacks_on(app: Flask) -> dict[str, str]:
    """Attack name → SQL, for this database."""
    with app.app_context():
        sqlite = db.engine.dialect.name == "sqlite"
    return ATTACKS | (ONLY_SQLITE if sqlite else ONLY_POSTGRESQL)


def run(app: Flask, statement: str) -> None:
    """Execute the statement outside every session, as the owner of the tables, and commit."""
    with app.app_context(), engine_of_owner(app).begin() as connection:
        connection.execute(text(statement))


def test_no_sql_statement_changes_a_decided_application(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AU1, AD6, AD8, AD9: the triggers refuse what bypasses row security and the acts."""
    key = make_application(status="filed")
    announced(app)
    before = stored_rows(key)
    for name, statement in attacks_on(app).items():
        with pytest.raises(DBAPIError) as refused:
            run(app, statement.format(key=key))
        assert triggers.SENTENCE in str(refused.value), name
        assert (name, stored_rows(key)) == (name, before)


@pytest.mark.parametrize("statement", [
    "UPDATE customs_receipt SET raw = raw || raw",
    "UPDATE customs_receipt SET digest = '0'",
    "DELETE FROM customs_receipt",
    "UPDATE customs_letter SET raw = NULL",
    "UPDATE customs_letter SET attempt = 9",
    "DELETE FROM customs_letter",
])  # fmt: skip
def test_received_and_sent_bytes_cannot_be_changed(
    app: Flask, make_application: MakeApplication, statement: str
) -> None:
    """AD8: only the notes beside the bytes may change."""
    make_application(status="filed")
    with app.app_context(), access.everything() as session:
        message = outbox.claim(session, outbox.Pace())
        assert message is not None
        outbox.save_letter(session, message, b"<DxpMsg/>")
        inbox.store_and_process(session, "a.xml", b"<DxpRep/>", outbox.Pace())
    with pytest.raises(DBAPIError, match=triggers.SENTENCE):
        run(app, statement)
    run(app, "UPDATE customs_receipt SET verdict = '已核对', strange = false")


def test_migrations_install_every_trigger(app: Flask) -> None:
    assert installed(app) == expected(app)


def expected(app: Flask) -> set[str]:
    """The names of the triggers that belong there."""
    with app.app_context():
        return set(triggers.names(db.engine.dialect.name))


def installed(app: Flask) -> set[str]:
    """The names of the triggers in the database that guard rows: not those that find or count them."""
    with app.app_context(), db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        else:
            found = connection.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        apart = {name for name in found.scalars() if not name.startswith(search.PREFIX)}
        return apart - {uncounted_acts.TRIGGER}


def test_without_its_trigger_the_attack_succeeds(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """It is this trigger that refuses; installed again, it refuses again."""
    key = make_application(status="filed")
    with app.app_context(), engine_of_owner(app).begin() as connection:
        triggers.remove(connection)
    assert installed(app) == set()
    run(app, ATTACKS["a word of the trail is changed"].format(key=key))
    assert {entry["opinion"] for entry in stored_rows(key)["trail_entry"]} == {"同意"}
    for _ in range(2):
        with app.app_context(), engine_of_owner(app).begin() as connection:
            triggers.install(connection)
    assert installed(app) == expected(app)
    with pytest.raises(DBAPIError):
        run(app, ATTACKS["the trail is shortened"].format(key=key))


def test_other_columns_can_still_be_corrected(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A draft's wrong telephone number can be corrected by hand without removing the triggers."""
    key = make_application(status="draft")
    run(app, f"UPDATE application SET phone = '025-1' WHERE id = {key}")
    run(app, "UPDATE account SET active = false WHERE username = 'operator'")
    assert stored_rows(key)["application"][0]["phone"] == "025-1"


def test_every_table_with_a_trigger_exists(app: Flask) -> None:
    with app.app_context():
        assert set(triggers.names(db.engine.dialect.name).values()) <= set(inspect(db.engine).get_table_names())
