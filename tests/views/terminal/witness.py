"""Another register, which cosigns the checkpoints of this one; fixtures of tests in this folder."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from app import create_app
from models.checkpoint.cosignature import Cosigner
from models.checkpoint.folder import MARKER
from models.checkpoint.note import Verifier
from tests.views.conftest import Invoke

Log = tuple[Path, Path, str]


def public_keys(log: Log) -> str:
    """The public keys of both chains, which have one key, as WITNESS_LOGS has them."""
    trail = Verifier.of_text(log[2])
    other = Verifier(f"{trail.name.rpartition('/')[0]}/log", trail.key)
    return f"{trail},{other}"


@pytest.fixture
def witnessing(log: Log, cosigner: Cosigner, tmp_path: Path) -> Flask:
    """The application of another register, which cosigns for this one."""
    (tmp_path / "cosigned").mkdir()
    (tmp_path / "cosigned" / MARKER).touch()
    settings = {"SECRET_KEY": "w", "SQLALCHEMY_DATABASE_URI": "sqlite://", "TRUSTED_HOSTS": "localhost,127.0.0.1"}
    return create_app(settings | {
        "BASE_URL": "https://guangdong.example.cn",
        "WITNESS_FOLDER": str(tmp_path / "cosigned"), "WITNESS_KEY": str(tmp_path / "witness.pem"),
        "WITNESS_LOGS": public_keys(log),
    })  # fmt: skip


@pytest.fixture
def cosigner(app: Flask, invoke: Invoke, log: Log, tmp_path: Path) -> Cosigner:
    """The key of the witness."""
    known, app.config["BASE_URL"] = app.config["BASE_URL"], "https://guangdong.example.cn"
    made = invoke("trail", "new-key", str(tmp_path / "witness.pem"), "--witness")
    app.config["BASE_URL"] = known
    assert made.output.startswith("guangdong.example.cn/witness+")
    return Cosigner.of_text(made.output)


@pytest.fixture
def remote(app: Flask, cosigner: Cosigner, witnessing: Flask, log: Log) -> Iterator[str]:
    """The witness serves over HTTP, and is the one of this register; its address."""
    server = make_server("127.0.0.1", 0, witnessing, threaded=True)
    address = f"http://127.0.0.1:{server.port}/witness"
    app.config.update(WITNESSES=f"{address}#{cosigner}", CHECKPOINTS=str(log[0]))
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield address
    server.shutdown()
    server.server_close()
