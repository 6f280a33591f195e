"""With a read-only database pages, messages and cases can still be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import Flask
from sqlalchemy import Engine, event, select, text, update

from models import access, clock
from models.database import db
from models.people.sessions import Visit
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.screens.test_messages import bell, link


@contextmanager
def read_only(app: Flask) -> Iterator[None]:
    """Every connection from now on refuses to write: PRAGMA query_only, or PostgreSQL's standby after a failover."""
    with app.app_context():
        engine = db.engine
        engine.dispose()
        if engine.dialect.name == "sqlite":
            pragma = lambda connection, _record: connection.execute("PRAGMA query_only = ON")  # noqa: E731
            event.listen(engine, "connect", pragma)
            yield_back = lambda: event.remove(engine, "connect", pragma)  # noqa: E731
        else:
            set_read_only(engine_of_owner(app), "SET default_transaction_read_only = on")
            yield_back = lambda: set_read_only(engine_of_owner(app), "RESET default_transaction_read_only")  # noqa: E731
    try:
        yield
    finally:
        with app.app_context():
            yield_back()
            db.engine.dispose()


def set_read_only(engine: Engine, how: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {engine.url.database} {how}"))
    engine.dispose()


def test_pages_are_shown_after_the_first_minute_although_the_request_cannot_be_recorded(
    app: Flask, client_as: ClientAs
) -> None:
    browser, before = client_as("publisher"), clock.now() - timedelta(minutes=2)
    with app.app_context(), access.everything() as session:
        session.execute(update(Visit).values(seen_at=before))
        session.commit()
    with read_only(app):
        for page in ("/desk/", "/visits/"):
            assert browser.get(page).status_code == 200
    assert browser.get("/desk/").status_code == 200
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Visit.seen_at)).one() > before


def test_a_message_is_shown_and_stays_unread(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="returned")
    browser = client_as("publisher")
    where, unread = link(browser), bell(browser)
    with read_only(app):
        answer = browser.get(where, follow_redirects=True)
        assert (answer.status_code, answer.request.path) == (200, "/applications/details/")
        assert bell(browser) == unread
    browser.get(where)
    assert bell(browser) != unread


def test_a_claimed_case_is_shown_although_its_lease_cannot_be_renewed(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key = make_application(status="pending")
    browser = client_as("reviewer")
    browser.post("/review/take/", data={"id": key})
    with read_only(app):
        answer = browser.get(f"/review/details/?id={key}")
        assert answer.status_code == 200
        assert "由您办理至" in answer.text
