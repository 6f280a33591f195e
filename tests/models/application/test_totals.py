"""进口数量 stored with an application follows its carriers, however those are written."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, text

from models import access, integrity
from models.acts import drafts
from models.application import Application
from models.application.carriers import Carrier
from models.application.totals import sums_of
from models.database import db
from tests.apps import without_triggers
from tests.conftest import ActAs, MakeApplication
from tests.views.terminal.commands import run_command
from views.resources import store


def stored(app: Flask, key: int) -> tuple[Any, Any]:
    """What another session reads."""
    with app.app_context(), access.everything() as session:
        row = session.get_one(Application, key)
        return row.totals, row.sheets


def added(unit: str | None, quantity: str | None) -> Carrier:
    return Carrier(specification="CD", unit=unit, quantity=quantity and Decimal(quantity))


def test_totals_are_exact_sums_by_unit_and_nothing_while_a_part_is_missing() -> None:
    rows = [("140", Decimal("0.1")), ("010", Decimal(1500)), ("140", Decimal("0.2"))]
    assert sums_of(rows) == {"010": Decimal(1500), "140": Decimal("0.3")}
    assert list(sums_of(rows) or ()) == ["010", "140"]
    assert sums_of([]) is sums_of([*rows, ("010", None)]) is sums_of([*rows, (None, Decimal(1))]) is None


@pytest.mark.slow
def test_an_edit_of_carriers_changes_the_stored_totals(
    app: Flask, make_application: MakeApplication, act_as: ActAs
) -> None:
    """Added, changed, removed, incomplete; the row in the session has them too, and its version counts one edit."""
    key = make_application(carriers=2)
    assert stored(app, key) == ({"010": "2001"}, 2001.0)

    def change(application: Application) -> None:
        application.carriers[0].quantity = Decimal("12.5")
        del application.carriers[1]
        application.carriers.append(added("140", "20"))

    steps: list[tuple[Any, Any]] = [
        (change, ({"010": "12.5", "140": "20"}, 12.5)),
        (lambda application: application.carriers.append(added(None, "3")), (None, None)),
        (lambda application: application.carriers.pop(), ({"010": "12.5", "140": "20"}, 12.5)),
        (lambda application: application.carriers.pop(0), ({"140": "20"}, 0.0)),
        (lambda application: application.carriers.clear(), (None, None)),
    ]
    for step, wanted in steps:
        with act_as("publisher") as filer:
            application = db.session.get_one(Application, key)
            version = application.version
            with drafts.revising(db.session(), application, version, filer):
                step(application)
            db.session.commit()
            assert (application.totals, application.sheets, application.version) == (*wanted, version + 1)
        assert stored(app, key) == wanted


def test_a_carrier_that_is_written_by_its_key_alone_counts(
    app: Flask, make_application: MakeApplication, act_as: ActAs
) -> None:
    """Neither the application nor its other carriers are in the session."""
    key = make_application(carriers=1)
    with act_as("publisher"):
        db.session.add(Carrier(application_id=key, position=2, specification="CD", unit="010", quantity=Decimal(7)))
        db.session.commit()
    assert stored(app, key) == ({"010": "1007"}, 1007.0)


def test_verification_finds_totals_that_are_not_those_of_the_carriers(
    app: Flask, make_application: MakeApplication
) -> None:
    key, other = make_application(carriers=2, status="filed"), make_application(status="pending")

    def found() -> list[str]:
        with app.app_context(), access.everything() as session:
            return list(integrity.contradictions(session, store()))

    assert found() == []
    with app.app_context(), db.engine.begin() as connection, without_triggers(connection):
        connection.execute(text("UPDATE application SET sheets = 1 WHERE id = :key"), {"key": key})
        connection.execute(delete(Carrier).where(Carrier.application_id == other))
    assert [sentence for sentence in found() if "进口数量合计与载体信息不符" in sentence] == [
        f"申请 {number} 的进口数量合计与载体信息不符。" for number in numbers_of(app, key, other)
    ]


@pytest.mark.slow
def test_wrong_totals_are_mended_by_search_rebuild_also_of_a_decided_application(
    app: Flask, make_application: MakeApplication
) -> None:
    """Its carriers stay locked; its version stays the same."""
    make_application(status="pending")
    key = make_application(carriers=2, status="filed")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE application SET totals = NULL, sheets = 1 WHERE id = :key"), {"key": key})
        version = connection.scalar(text("SELECT version FROM application WHERE id = :key"), {"key": key})
    named = f"申请 {numbers_of(app, key)[0]} 的进口数量合计与载体信息不符。"
    assert named in run_command(app, "trail", "verify").output
    refused = run_command(app, "search", "check")
    assert (refused.exit_code, refused.output) == (1, "进口数量合计与载体信息不一致，请运行 search rebuild 重建。\n")
    assert run_command(app, "search", "rebuild").exit_code == 0
    assert stored(app, key) == ({"010": "2001"}, 2001.0)
    assert [run_command(app, *words).exit_code for words in (("search", "check"), ("trail", "verify"))] == [0, 0]
    with app.app_context(), access.everything() as session:
        assert session.get_one(Application, key).version == version


def numbers_of(app: Flask, *keys: int) -> list[str]:
    with app.app_context(), access.everything() as session:
        return [session.get_one(Application, key).number for key in keys]
