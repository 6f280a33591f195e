"""Fixtures for tests of signing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from models.signing.keys import Keys
from views.demo import signing_keys


@pytest.fixture(scope="module")
def language_app() -> Flask:
    """An application for translations; its database is never opened."""
    return create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})


@pytest.fixture
def keys(language_app: Flask, tmp_path: Path) -> Iterator[Keys]:
    """The keys of two provinces, made for this test."""
    with language_app.app_context():
        signing_keys.establish(tmp_path / "keys", ["320000", "440000"])
        yield Keys(tmp_path / "keys")
