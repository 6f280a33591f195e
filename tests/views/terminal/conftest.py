"""A backup that is restored."""

from pathlib import Path

import pytest
from flask import Flask

from models.exchange.transports.folders import FolderPair
from tests.conftest import Making
from tests.views.terminal.test_backup import empty_app as empty_app
from tests.views.terminal.test_backup import run_command


@pytest.fixture
def backup(app: Flask, make_application: Making, tmp_path: Path) -> Path:
    """A backup of a register with two applications."""
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="customs_received")
    make_application(by="agent", status="returned")
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    return tmp_path / "backup"


@pytest.fixture
def pair(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPair:
    """The folders, set as the application's gateway."""
    monkeypatch.setattr(FolderPair, "settled", 0.0)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    return FolderPair(tmp_path / "boxes")
