"""Row security: every way in SQLAlchemy to reach a row, attempted by everybody who must not see it."""

import pytest
from flask import Flask

from models.application import Application
from models.application.carriers import Carrier
from models.customs import CustomsMessage
from tests.conftest import MakeApplication, StoredRows
from tests.models.attempts import attempt, first_id, session_of
from tests.models.rows import MODELS
from tests.models.statements import FROM_THE_APPLICATION, READS, WRITES

pytestmark = [  # some ways are clumsy on purpose
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.LegacyAPIWarning"),
]
# (viewer, owner, status): another publisher, another province, the nation and a draft, no account at all …
STRANGERS = [
    ("publisher2", "publisher", "customs_received"),
    ("agent", "publisher", "filed"),
    ("publisher", "agent", "pending"),
    ("reviewer2", "publisher", "filed"),
    ("reviewer", "publisher", "draft"),
    ("national", "publisher", "returned"),
    ("operator", "publisher", "filed"),
    ("", "publisher", "filed"),
]
INSIDERS = [
    ("publisher", "publisher", "filed"),
    ("reviewer", "publisher", "filed"),
    ("national", "publisher", "filed"),
]
# The rule on children does not depend on the role: the first stranger tries all models, the others one child, and
# messages to customs, which a province reads by a rule of their own.
ALL, SOME = MODELS, (Application, Carrier, CustomsMessage)
# Statements that row security cannot judge are refused for every account; they must be written differently.
REFUSED_TO_ALL = {
    "columns of the table",
    "core",
    "core count",
    "exists",
    "from_statement of a union",
    "from_statement of text",
    "merge without load",
    "refresh of one made by hand",
    "text",
}


@pytest.mark.slow
@pytest.mark.parametrize(("who", "whose", "status"), STRANGERS)
def test_no_statement_reads_a_foreign_row(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, who: str, whose: str, status: str
) -> None:
    """AD1, AC1, AC3: no row is found, for every form of statement."""
    key = make_application(by=whose, status=status)
    record = stored_rows(key)
    models = ALL if who == "publisher2" else SOME
    with app.app_context():
        session = session_of(who)
        leaks = [
            (name, model.__name__)
            for name, way in READS.items()
            for model in models
            if attempt(session, way, model, first_id(record, model)) is not None
        ]
        leaks += [
            (name, model.__name__)
            for name, way in FROM_THE_APPLICATION.items()
            for model in models[1:]
            if attempt(session, way, model, key) is not None
        ]
    assert leaks == []
    assert stored_rows(key) == record


@pytest.mark.slow
@pytest.mark.parametrize(("who", "whose", "status"), STRANGERS)
def test_no_statement_writes_a_foreign_row(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, who: str, whose: str, status: str
) -> None:
    """AC1: nothing is written, changed or deleted, even when the caller commits."""
    key = make_application(by=whose, status=status)
    record = stored_rows(key)
    with app.app_context():
        session = session_of(who)
        for name, way in WRITES.items():
            for model in ALL if who == "publisher2" else SOME:
                attempt(session, way, model, first_id(record, model))
            assert (name, stored_rows(key)) == (name, record)


@pytest.mark.slow
@pytest.mark.parametrize(("who", "whose", "status"), INSIDERS)
def test_every_permitted_statement_finds_a_visible_row(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, who: str, whose: str, status: str
) -> None:
    """AC4: the positive case; a statement that never finds anything proves nothing."""
    key = make_application(by=whose, status=status)
    record = stored_rows(key)
    with app.app_context():
        session = session_of(who)
        blind = {
            (name, model.__name__)
            for name, way in READS.items()
            for model in SOME
            if attempt(session, way, model, first_id(record, model)) is None
        }
    refused = {(name, model.__name__) for name in REFUSED_TO_ALL for model in SOME}
    assert blind == refused | {("join to an alias", child.__name__) for child in SOME[1:]}
