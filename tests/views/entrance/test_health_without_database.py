"""The health check while the database cannot be written."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app import create_app
from models.database import db
from tests.serving import SHARED
from tests.stores import small_disk
from views.entrance import health


def test_the_health_check_reports_a_read_only_database(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite on a disk that fills up; PostgreSQL that has become read-only."""
    monkeypatch.setattr(health.Prober, "every", 0.0)
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        with small_disk(tmp_path / "disk", "40m"):
            file = tmp_path / "disk" / "filing.sqlite"
            shutil.copy(str(app.config["SQLALCHEMY_DATABASE_URI"]).removeprefix("sqlite:///"), file)
            settings = {name: app.config[name] for name in (*SHARED, "CAPTCHA")} | {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{file}"
            }
            browser = create_app(settings).test_client()
            assert browser.get("/healthz").text == "ok\n"
            with suppress(OSError), (tmp_path / "disk" / "ballast").open("wb", buffering=0) as ballast:
                while ballast.write(b"x" * 4096):
                    pass
            assert browser.get("/healthz").text == "database\n"
            (tmp_path / "disk" / "ballast").unlink()
            assert browser.get("/healthz").text == "ok\n"
        return
    browser = app.test_client()
    assert browser.get("/healthz").text == "ok\n"
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        name = db.engine.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        db.engine.dispose()
        assert browser.get("/healthz").text == "database\n"
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        db.engine.dispose()
    assert browser.get("/healthz").text == "ok\n"
