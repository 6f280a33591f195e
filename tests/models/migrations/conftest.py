"""An empty database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from models.database import db
from tests.apps import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database."""

    def on(address: str) -> Flask:
        return create_app(
            {
                "SQLALCHEMY_DATABASE_URI": address,
                "SECRET_KEY": "x",
                "STORE": str(tmp_path / "store"),
                "SIGNING_KEY": str(tmp_path / "keys"),
            }
        )

    if request.param == "sqlite":
        yield on(f"sqlite:///{tmp_path}/filing.sqlite")
        return
    with new_database(request.getfixturevalue("postgresql"), f"filing_steps_{id(request)}") as address:
        app = on(address)
        yield app
        with app.app_context():
            db.engine.dispose()
