"""A short patience for one transaction ends with it."""

import pytest
from flask import Flask

from models import access
from models.database import briefly, db, sqlite

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_a_connection_that_the_pool_closes_at_the_commit_is_left_alone(app: Flask) -> None:
    """With more requests than pooled connections, each further download was a server error."""
    with app.app_context(), access.everything() as session:
        others = [db.engine.connect() for _ in range(db.engine.pool.size())]  # type: ignore[attr-defined]
        with briefly(session, 3):
            for other in others:
                other.close()
            session.commit()


def test_the_next_transaction_waits_as_long_as_usual(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        for ends in (session.commit, session.rollback, lambda: None):
            with briefly(session, 3):
                ends()
                assert session.connection().connection.driver_connection.patience == (  # type: ignore[union-attr]
                    3 if ends.__name__ == "<lambda>" else sqlite.BUSY_SECONDS
                )
            assert session.connection().connection.driver_connection.patience == sqlite.BUSY_SECONDS  # type: ignore[union-attr]
            session.rollback()
