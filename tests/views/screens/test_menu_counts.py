"""The counts of a province in the menu: pending cases, and what customs has not received."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import event, insert, select, update

from models import access, clock
from models.customs import CustomsMessage
from models.database import db
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.views.panel.test_plans import filled, offences, plan, statements  # noqa: F401


def counts(browser: Browser) -> dict[str, str]:
    """Label → count of the lines of the menu that have one."""
    page = browser.get("/help/").text
    return {html.unescape(label): count for label, count in re.findall(r'>([^<>]+) <span class="count">([^<]*)<', page)}


def set_aside(app: Flask, key: int) -> None:
    with app.app_context(), access.everything() as session:
        aside = update(CustomsMessage).where(CustomsMessage.application_id == key)
        session.execute(aside.values(set_aside_at=clock.now()))
        session.commit()


@pytest.mark.slow
def test_certificates_that_customs_rejected_and_messages_that_are_stuck_count_until_they_are_resent(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    reviewer = client_as("reviewer")
    assert counts(reviewer) == {}
    failed = [make_application(status="customs_failed") for _n in range(2)]
    make_application(status="customs_received")
    make_application(status="pending")
    aside = make_application(status="filed")
    assert counts(reviewer) == {"待审核": "1", "数据交换": "2"}
    set_aside(app, aside)
    assert counts(reviewer) == {"待审核": "1", "数据交换": "3"}
    perform_step(app, Action.RESEND, failed[0], "publisher")
    assert counts(reviewer) == {"待审核": "1", "数据交换": "2"}
    assert counts(client_as("reviewer2")) == counts(client_as("national")) == counts(client_as("operator")) == {}


def test_both_counts_take_one_statement(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="customs_failed")
    reviewer, statements = client_as("reviewer"), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert counts(reviewer) == {"数据交换": "1"}
    (counting,) = [sql for sql in statements if "customs_message" in sql]
    assert counting.count("count(*)") == 4


@pytest.mark.slow
def test_the_menu_and_the_desks_read_no_whole_table(filled: Flask, client_as: ClientAs) -> None:  # noqa: F811
    """Nor the entries of one act of all applications: on SQLite the publisher's desk has read all of 打印."""
    found: list[str] = []
    for who, address in (("reviewer", "/help/"), ("reviewer", "/desk/"), ("publisher", "/desk/")):
        found += offences(filled, client_as(who), address, set())
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_messages_that_are_merely_queued_are_not_read(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Thousands of them, while customs cannot be reached: by the plan of the database for the statement of the menu."""
    key = make_application(status="filed")
    with app.app_context(), access.everything() as session:
        queued = session.scalars(select(CustomsMessage).where(CustomsMessage.application_id == key)).one()
        names = ("application_id", "certificate_id", "desk", "act", "queued_at", "next_at")
        row = {name: getattr(queued, name) for name in names}
        session.execute(insert(CustomsMessage), [row | {"message_id": f"again-{n}"} for n in range(3000)])
        session.commit()
        if session.get_bind().dialect.name == "postgresql":  # which does so by itself in time; nothing does on SQLite
            session.connection().exec_driver_sql("ANALYZE")
            session.commit()
    reviewer = client_as("reviewer")
    with statements(app) as asked:
        assert counts(reviewer) == {}
    ((sql, parameters),) = [each for each in asked if "count(*)" in each[0] and "customs_message" in each[0]]
    with app.app_context(), db.engine.connect() as connection:
        found = plan(connection, sql, parameters)
    assert found.count("ix_customs_message_stuck") == 2 and "ix_customs_message_open" not in found, found
    assert ("set_aside_at>?" in found and "set_aside_at=? AND sent_at<?" in found) or "Index Cond" in found, found
