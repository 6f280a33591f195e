"""The cost of finding a new draft does not grow with the applications of its publisher."""

import secrets

from flask import Flask
from sqlalchemy.orm import Session

from tests.apps import engine_of_owner
from tests.bench import bulk
from tests.browsing import ClientAs
from tests.views.pages import form_of
from tests.views.panel.test_plans import plan, statements


def test_the_draft_of_a_page_is_found_by_the_key_of_the_page(app: Flask, client_as: ClientAs) -> None:
    """Not among all rows of its owner, in the turn that every writer waits for."""
    with app.app_context(), Session(engine_of_owner(app)) as session:
        bulk.fill(session, 200)
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"page_key": secrets.token_urlsafe(18), "title": "唱片"}
    with statements(app) as asked:
        assert browser.post("/applications/new/", data=form).status_code == 302
    with app.app_context(), engine_of_owner(app).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        found = [plan(connection, sql, parameters) for sql, parameters in asked if "application.page_key =" in sql]
    assert len(found) == 1
    assert "ix_application_owner_id_page_key" in found[0], found
