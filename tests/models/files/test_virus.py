"""Uploads are scanned: infected files are refused; without a verdict the upload is refused with a request to retry."""

from pathlib import Path
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application.attachments import Attachment
from models.database import db
from models.files.virus import Scanner, ScannerAway, is_address
from tests.browsing import ClientAs
from tests.cast import small_pdf
from tests.conftest import MakeApplication
from tests.scanner import FOUND, scanner_at, silent
from tests.views.screens.uploaded import upload


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000 + b"EICAR")
    return path


def test_the_scanner_is_reached_by_path_and_by_port(tmp_path: Path, file: Path) -> None:
    for path in (tmp_path / "clamd", None):
        with scanner_at(path) as address:
            assert Scanner(address).ping()
            assert Scanner(address).scan(file) == FOUND
            clean = tmp_path / "clean"
            clean.write_bytes(b"")
            assert Scanner(address).scan(clean) is None


@pytest.mark.parametrize("answer", ["INSTREAM size limit exceeded. ERROR", "stream: x ERROR", "UNKNOWN COMMAND", "OK"])
def test_an_unknown_answer_of_the_scanner_is_no_verdict(file: Path, answer: str) -> None:
    with scanner_at(answer=answer) as address, pytest.raises(ScannerAway):
        Scanner(address).scan(file)


def test_a_silent_or_absent_scanner_times_out(file: Path) -> None:
    began = monotonic()
    with silent() as address, pytest.raises(ScannerAway):
        Scanner(address, within=0.3).scan(file)
    for absent in ("127.0.0.1:9", "unix:/nowhere", "clam..av:3310"):
        assert not Scanner(absent).ping()
        with pytest.raises(ScannerAway):
            Scanner(absent, within=0.3).scan(file)
    assert monotonic() - began < 5


@pytest.mark.parametrize("text", ["unix:/run/clamav/clamd.ctl", "127.0.0.1:3310", "[::1]:3310", "clamd:3310"])
def test_scanner_addresses_are_validated(text: str) -> None:
    assert is_address(text)
    assert not any(
        map(
            is_address,
            ("clamd", "unix:clamd", ":3310", "clamd:99999", "clamd:x", "/run/clamd", "clamd:0", "clam..av:1"),
        )
    )


def test_a_scanned_upload_is_refused_accepted_or_asked_for_again(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """On both databases: with a virus, without, and while the daemon is away, which stores no file either."""
    key, owner = make_application(), client_as("publisher")
    with scanner_at() as address:
        app.config["CLAMD"] = address
        before = count(app)
        answer = upload(owner, key, small_pdf("EICAR"), "病毒.pdf")
        assert answer.status_code == 422 and f"查出病毒（{FOUND}），没有上传" in answer.json["message"]
        assert count(app) == before
        assert upload(owner, key, small_pdf("干净"), "干净.pdf").status_code == 200
        assert count(app) == before + 1
    answer = upload(owner, key, small_pdf("其他"), "其他.pdf")
    assert answer.status_code == 503 and "查毒程序暂时没有应答" in answer.json["message"]
    assert count(app) == before + 1
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Attachment.scanned_at).order_by(Attachment.id.desc())).first() is not None


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_reviewers_see_unscanned_files_and_operators_see_that_the_scanner_is_away(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key = make_application(status="pending")
    page = client_as("reviewer").get(f"/review/details/?id={key}").text
    assert page.count("未查毒") >= 1
    operator = client_as("operator")
    assert "建议安装 clamd" in operator.get("/condition/").text
    with app.app_context():
        for file in db.session.scalars(select(Attachment)).all():
            assert file.scanned_at is None
    app.config["CLAMD"] = "127.0.0.1:9"
    assert "virus" in client_as(None).get("/healthz").text.splitlines()
    assert "请启动 clamd" in operator.get("/condition/").text


def count(app: Flask) -> int:
    with app.app_context(), access.everything() as session:
        return len(session.scalars(select(Attachment.id)).all())
