"""What the tests through the server start from."""

import pytest
from werkzeug.routing import Rule

from app import create_app


@pytest.fixture(scope="session")
def routes() -> list[Rule]:
    """Every route of an application as it leaves create_app."""
    app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
