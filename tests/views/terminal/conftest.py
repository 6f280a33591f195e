"""A backup that is restored, a log of checkpoints, a mail server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from models.exchange.transports.folders import FolderPair
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.terminal.commands import run_command
from tests.views.terminal.mailed import serve_mail
from tests.views.terminal.test_backup import empty_app as empty_app
from tests.views.terminal.witness import cosigner as cosigner
from tests.views.terminal.witness import remote as remote
from tests.views.terminal.witness import witnessing as witnessing
from views.entrance.health import Prober


@pytest.fixture
def backup(app: Flask, make_application: MakeApplication, tmp_path: Path) -> Path:
    """A backup of a register with two applications."""
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="customs_received")
    make_application(by="agent", status="returned")
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    return tmp_path / "backup"


@pytest.fixture
def pair(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPair:
    """The folder pair of the folder transport, set as the application's gateway."""
    monkeypatch.setattr(FolderPair, "settled", 0.0)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    return FolderPair(tmp_path / "boxes")


@pytest.fixture
def log(tmp_path: Path, invoke: Invoke) -> tuple[Path, Path, str]:
    """A new key for checkpoints: (folder of the checkpoints, file of the private key, public key)."""
    made = invoke("trail", "new-key", str(tmp_path / "key.pem"))
    assert made.exit_code == 0
    return tmp_path / "log", tmp_path / "key.pem", made.output.split()[0]


@pytest.fixture
def sign(log: tuple[Path, Path, str], invoke: Invoke) -> Callable[[], Result]:
    """`sign()`: the result of `trail checkpoint`."""
    return lambda: invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]))


@pytest.fixture
def verify(log: tuple[Path, Path, str], invoke: Invoke) -> Callable[..., Result]:
    """`trail verify` with the checkpoint of the folder, or of another place."""
    return lambda checkpoint=None: invoke(
        "trail", "verify", "--checkpoint", str(checkpoint or log[0]), "--verifier", log[2]
    )


@pytest.fixture
def mail_server(app: Flask, tmp_path: Path) -> Iterator[LocalMailServer]:
    with serve_mail(app, tmp_path) as mail_server:
        yield mail_server


@pytest.fixture
def uncached_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """/healthz probes the store at every request."""
    monkeypatch.setattr(Prober, "every", 0.0)
