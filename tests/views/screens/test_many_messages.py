"""消息 of an account that has many: how far the pager reaches, and that a page does not read all of them."""

import re
from datetime import datetime

import pytest
from flask import Flask

from models import access, clock
from models.database import db
from models.notifications import Notification
from tests.apps import engine_of_owner
from tests.bench import bulk, traces
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.panel.test_plans import plan, statements
from tests.views.screens.test_messages import listed
from views.screens.messages import MessageScreen

BY_ID = re.compile("SEARCH notification USING INTEGER PRIMARY KEY|Index Scan using pk_notification on notification")


@pytest.mark.slow
def test_the_pager_reaches_a_thousand_messages_and_older_ones_are_found_by_day(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_application(status="customs_received")
    with app.app_context(), access.everything() as session:
        account = account_of("publisher").id
        for day in (1, 2, 3):
            at = datetime(2026, 3, day, 23, 30, tzinfo=clock.SHANGHAI)
            session.add(Notification(account_id=account, event="grant", key=f"old-{day}", at=at))
        session.commit()
    browser = client_as("publisher")
    assert "共 5 条" in browser.get("/messages/").text
    assert len(listed(browser, "?since=2026-03-02&until=2026-03-02")) == 1
    assert len(listed(browser, "?until=2026-03-03")) == 3
    assert len(listed(browser, "?since=2026-03-04")) == 2
    assert MessageScreen.most_reached == 1000
    monkeypatch.setattr(MessageScreen, "most_reached", 2)
    assert "共 2+ 条" in browser.get("/messages/").text


@pytest.mark.slow
def test_a_page_of_messages_is_looked_up_by_id(app: Flask, client_as: ClientAs) -> None:
    """By the plans of the databases: along the index of the account each of its messages would be read."""
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 3000)  # of fewer PostgreSQL would read the whole tables
        traces.fill_messages(session)
    with app.app_context():
        db.session.remove()
        bulk.vacuum(db.engine)
    for who in ("publisher", "reviewer"):
        with statements(app) as asked:
            assert client_as(who).get("/messages/").status_code == 200
        ((sql, given),) = [(sql, given) for sql, given in asked if "notification_detail" in sql]
        with app.app_context(), engine_of_owner(app).connect() as connection:
            found = plan(connection, sql, given)
        assert BY_ID.search(found), (who, found)
