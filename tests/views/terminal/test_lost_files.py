"""Missing files, missing keys and a full disk are found and reported."""

import io
import os
import resource
import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from models import access
from models.application.attachments import Attachment, Store
from models.certificate import Paper
from models.database import db
from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication
from tests.views.ledger import ledger
from tests.views.terminal.commands import run_command
from views.entrance import health
from views.entrance.health import Prober

pytestmark = pytest.mark.usefixtures("uncached_health")


def test_probes_are_limited_in_rate_and_leave_nothing(
    app: Flask, address: str, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any rate of /healthz requests; in a folder and in a bucket."""
    app.config["STORE"] = address
    assert run_command(app, "upgrade").exit_code == 0
    monkeypatch.undo()
    probed, really = list[str](), Store.probe
    monkeypatch.setattr(Store, "probe", lambda store: (probed.append(address), really(store)))
    monkeypatch.setattr(health, "STORE", Prober(health.probe_store))
    browser = client_as("publisher")
    assert {browser.get("/healthz").text for _ in range(20)} == {"ok\n"}
    assert len(probed) < 10
    left = list(Store(address).place.keys(""))
    assert [key for key in left if "probe" in key or "incoming" in key] == []


def test_lost_files_are_found_counted_and_reported(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    assert run_command(app, "upgrade").exit_code == 0
    key, browser = make_application(status="filed"), client_as("publisher")
    make_papers(app)
    browser.post("/applications/print/", data={"id": key})
    done = run_command(app, "sweep", "--check")
    assert (done.exit_code, done.output) == (0, "登记在册的文件都在存储中。\n")
    assert "\nmissing files 0 (" in browser.get("/healthz?details").text
    with app.app_context(), access.everything() as session:
        file = session.scalars(select(Attachment)).first()
        paper = session.scalars(select(Paper)).one()
        assert file is not None
        names = [file.name, paper.certificate.number]
        for digest in (file.digest, paper.digest):
            (Path(app.config["STORE"]) / digest[:2] / digest).unlink()
    stored = sorted(Store(app.config["STORE"]).digests())
    done = run_command(app, "sweep", "--check")
    assert (done.exit_code, all(name in done.output for name in names)) == (1, True)
    assert sorted(Store(app.config["STORE"]).digests()) == stored
    health = browser.get("/healthz?details").text
    assert health.startswith("missing\n") and "\nmissing files 2 (" in health


@pytest.mark.parametrize("how", ["gone", "no folder", "one province"])
def test_missing_keys_are_reported(app: Flask, client_as: ClientAs, tmp_path: Path, how: str) -> None:
    """Without keys no certificate can be granted and no message sent."""
    copy = tmp_path / "keys"
    shutil.copytree(app.config["SIGNING_KEY"], copy)
    app.config["SIGNING_KEY"] = str(copy)
    assert client_as("publisher").get("/healthz").text == "ok\n"
    match how:
        case "gone":
            shutil.rmtree(copy)
        case "no folder":
            shutil.rmtree(copy)
            copy.touch()
        case _:
            (copy / "440000.key").unlink()
    assert client_as("publisher").get("/healthz").text == "keys\n"


def test_no_space_for_temporary_files_is_not_reported_as_a_malformed_form(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """The upload exceeds the process's limit of file size: 503, not 400."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    large = FileStorage(io.BytesIO(b"%PDF-" + b"x" * (3 << 20)), "合同.pdf")
    boundary, body = encode_multipart(MultiDict({"id": str(key), "kind": "contract", "file": large}))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with app.app_context():
                db.engine.dispose(close=False)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            kind = f"multipart/form-data; boundary={boundary}"
            answer = browser.post("/applications/upload/", data=body, content_type=kind)
            os.write(writing, f"{answer.status_code} {'请稍后再试' in answer.text}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"503 True"
    os.close(reading)
    assert ledger(app) == before
