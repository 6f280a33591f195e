"""How a file comes back: under its own name, whole or in part, to all who see the application."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from models import clock
from models.application.attachments import Store
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.views.ledger import ledger
from tests.views.screens.acts_done import sees
from tests.views.screens.uploaded import XHR, upload

NAMES = {
    "样品《茉莉花》 第一版.pdf": "样品《茉莉花》 第一版.pdf",
    "../../etc/合同.pdf": "合同.pdf",
    "a;b='c'.pdf": "a;b='c'.pdf",
    "第\t1\x7f\x85页.pdf": "第1页.pdf",
    "\u202efdp.exe.pdf": "fdp.exe.pdf",
    "𠮷" * 90 + ".pdf": "𠮷" * 62 + ".pdf",
}


@pytest.mark.slow
def test_a_file_is_downloaded_under_its_own_name(
    client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """FU1: Chinese, signs, line ends, directions, paths, length: one header, and the name in it intact."""
    key, browser = make_application(), client_as("publisher")
    for given, stored in NAMES.items():
        assert upload(browser, key, make_pdf(stored), given, kind="other").status_code == 200
        file = stored_rows(key)["attachment"][-1]
        assert file["name"] == stored
        answer = browser.get(f"/applications/attachment/?id={file['id']}&download=1")
        kind, names = parse_options_header(answer.headers["Content-Disposition"])
        assert (kind, names["filename"]) == ("attachment", stored)
        assert stored.isascii() or "filename*=UTF-8''" in answer.headers["Content-Disposition"]
        assert answer.data == make_pdf(stored)


@pytest.mark.slow
def test_files_of_both_stores_are_served_whole_in_parts_and_after_replacement(
    app: Flask,
    address: str,
    client_as: ClientAs,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
) -> None:
    """In a folder and in a bucket; a PDF reader requests parts, and again only after a change."""
    app.config["STORE"] = address
    key, browser = make_application(), client_as("publisher")
    assert upload(browser, key, make_pdf("first")).status_code == 200
    first = stored_rows(key)["attachment"][-1]
    page = f"/applications/attachment/?id={first['id']}"
    whole = browser.get(page)
    assert (whole.status_code, whole.data) == (200, make_pdf("first"))
    assert (whole.content_length, whole.headers["Accept-Ranges"]) == (len(make_pdf("first")), "bytes")
    part = browser.get(page, headers={"Range": "bytes=10-19", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, make_pdf("first")[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(make_pdf('first'))}"
    assert browser.get(page, headers={"Range": "bytes=9999999-"}).status_code == 416
    assert browser.get(page, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert upload(browser, key, make_pdf("second"), replaces=first["id"]).status_code == 200
    second = stored_rows(key)["attachment"][-1]
    assert browser.get(f"/applications/attachment/?id={second['id']}").data == make_pdf("second")
    assert browser.get(page).data == make_pdf("first")


@pytest.mark.slow
def test_a_file_with_lost_bytes_says_what_to_do_and_is_logged(
    app: Flask,
    address: str,
    client_as: ClientAs,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sentence, never a 500; the number in it is the one in the log."""
    app.config["STORE"] = address
    key, browser = make_application(), client_as("publisher")
    upload(browser, key, make_pdf("lost"), "合同.pdf")
    file = stored_rows(key)["attachment"][-1]
    assert Store(address).remove(file["digest"], before=clock.now() + timedelta(days=1))
    answer = browser.get(f"/applications/attachment/?id={file['id']}", headers=XHR)
    assert answer.status_code == 409
    found = re.fullmatch(
        r"附件“合同\.pdf”的内容缺失或已损坏，请把事件编号 ([0-9A-F]{8}) 告知系统管理员，由其从备份中找回。",
        answer.json["message"],
    )
    assert found
    assert f"[{found[1]}] attachment {file['id']} has lost its bytes: {file['digest']}" in caplog.text
    assert upload(browser, key, make_pdf("lost")).status_code == 200
    assert browser.get(f"/applications/attachment/?id={file['id']}").data == make_pdf("lost")


def test_a_file_with_changed_bytes_is_not_served(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """Of the same length, or reached through a link: a sentence, and not one byte of them."""
    key, browser = make_application(), client_as("publisher")
    upload(browser, key, make_pdf("good"), "合同.pdf")
    file = stored_rows(key)["attachment"][-1]
    path = Path(app.config["STORE"]) / file["digest"][:2] / file["digest"]
    path.unlink()
    path.write_bytes(make_pdf("evil"))
    assert path.stat().st_size == file["size"]
    for _ in range(2):
        answer = browser.get(f"/applications/attachment/?id={file['id']}", headers=XHR)
        assert answer.status_code == 409
        assert "缺失或已损坏" in answer.json["message"]
        path.unlink()
        path.symlink_to("/etc/passwd")


@pytest.mark.slow
def test_an_unavailable_bucket_is_reported_and_changes_nothing(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of unknown state counts neither as stored nor as lost."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    nobody = {
        "ENDPOINT_URL": "http://127.0.0.1:9",
        "ALLOW_HTTP": "true",
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
    }
    for name, value in nobody.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    app.config |= {"STORE": "s3://nobody/answers", "PROPAGATE_EXCEPTIONS": False}
    for target in (key, ""):
        answer = upload(browser, target, make_pdf("x"))
        assert (answer.status_code, "存储暂时不可用" in answer.json["message"]) == (503, True)
    answer = browser.get("/applications/attachment/?id=1")
    assert (answer.status_code, "存储暂时不可用，文件没有读出。" in answer.text) == (409, True)
    assert ledger(app) == before


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_files_can_be_read_in_every_status_by_all_readers_of_the_application(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, status: Status
) -> None:
    """手册 第二章: 附件信息所有状态都可以下载查看. The response headers keep any content from running scripts here."""
    key = make_application(status=status)
    (file, *_others) = stored_rows(key)["attachment"]
    readers = {"applications": "publisher", "filings": "reviewer", "register": "national"}
    for screen, reader in readers.items():
        answer = client_as(reader).get(f"/{screen}/attachment/?id={file['id']}")
        assert answer.status_code == (200 if sees(reader, status) else 404)
        if not sees(reader, status):
            continue
        assert answer.mimetype == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Disposition"].startswith("inline;")
