"""Fixtures for tests through the real server."""

import os
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from app import create_app
from tests.served.nginx_front import NGINX, Front, fronting


@pytest.fixture(scope="session")
def routes() -> list[Rule]:
    """Every route of an application as it leaves create_app."""
    app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


@pytest.fixture(scope="module")
def needs_nginx() -> None:
    if NGINX is None:
        assert not os.environ.get("CI"), "nginx is not installed"
        pytest.skip("nginx is not installed (make test does it): the configuration of the README is not tried")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, needs_nginx: None) -> Iterator[Front]:
    with fronting(tmp_path_factory.mktemp("nginx")) as behind:
        yield behind
