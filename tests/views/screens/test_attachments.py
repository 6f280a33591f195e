"""上传附件: one file at a time, stored whatever happens to the form; refused files, and downloads."""

import errno
import io
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models.files.inspection import INSPECTION
from models.vocabulary import AttachmentKind, Status
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.views.ledger import ledger
from tests.views.screens.uploaded import XHR, upload


def remove(browser: Browser, key: int, file: int) -> TestResponse:
    """移除."""
    return browser.post("/applications/remove/", data={"id": key, "attachment": file}, headers=XHR)


def current(record: dict[str, list[dict[str, Any]]], kind: str = "contract") -> list[str]:
    """The names of the files of one kind that count."""
    return [row["name"] for row in record["attachment"] if row["kind"] == kind and row["removed_at"] is None]


def test_a_file_for_a_blank_form_creates_the_draft(
    client_as: ClientAs, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """手册 第一章: leaving one part never loses another. The page continues as the edit form of that draft."""
    browser = client_as("publisher")
    answer = upload(browser, "", make_pdf("x")).json
    assert {"number", "html", "edit"} <= set(answer)
    record = stored_rows(answer["id"])
    assert record["application"][0]["status"] is Status.DRAFT
    assert record["application"][0]["version"] == answer["version"]
    assert current(record) == ["合同.pdf"]
    assert "合同.pdf" in answer["html"]
    typed = {"version": answer["version"], "title": "黑胶唱片"}
    assert browser.post(answer["edit"], data=typed).status_code == 302
    assert stored_rows(answer["id"])["application"][0]["title"] == "黑胶唱片"


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_file_that_the_disk_does_not_take_is_refused_and_can_be_sent_again(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, step: str,
    monkeypatch: pytest.MonkeyPatch, stored_rows: StoredRows,
) -> None:  # fmt: skip
    """EIO, which is neither a full disk nor a read-only one: no row, no file and no remains of one."""
    key, browser = make_application(), client_as("publisher")
    folder = Path(app.config["STORE"])

    def stored() -> list[Path]:
        return sorted(file for file in folder.rglob("*") if file.is_file())

    before = ledger(app), stored()

    def failing(*_args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, step, failing)
        answer = upload(browser, key, make_pdf("新"), kind="other")
    sentence = "存储暂时不可用，文件没有保存。请稍后重试；仍未解决的，请联系系统管理员。"
    assert (answer.status_code, answer.json["message"]) == (503, sentence)
    assert (ledger(app), stored()) == before
    assert upload(browser, key, make_pdf("新"), kind="other").status_code == 200
    assert current(stored_rows(key), "other")


@pytest.mark.slow
def test_a_kind_may_have_many_files_which_are_replaced_and_removed(
    client_as: ClientAs,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    make_png: Callable[[], bytes],
    stored_rows: StoredRows,
) -> None:
    """Replaced and removed files are marked, not erased; and no open form becomes stale."""
    key, browser = make_application(), client_as("publisher")
    version = stored_rows(key)["application"][0]["version"]
    for number in range(3):
        answer = upload(browser, key, make_pdf(f"{number}"), f"第{number}页.pdf")
        assert answer.json["html"].count("<li>") == number + 2
    files = {row["name"]: row["id"] for row in stored_rows(key)["attachment"]}
    replaced = upload(browser, key, make_png(), "新的第1页.png", replaces=files["第1页.pdf"])
    assert replaced.json["html"].count("<li>") == 4
    assert remove(browser, key, files["第2页.pdf"]).json["html"].count("<li>") == 3
    record = stored_rows(key)
    assert current(record) == ["境外加工合同.pdf", "第0页.pdf", "新的第1页.png"]
    assert len(record["attachment"]) == 8
    assert [entry["act"] for entry in record["trail_entry"]][-5:] == ["attach", "attach", "attach", "attach", "detach"]
    assert record["trail_entry"][-2]["changes"] == {"contract": ["第1页.pdf", "新的第1页.png"]}
    assert "由“第1页.pdf”替换为“新的第1页.png”" in browser.get(f"/applications/edit/?id={key}").text
    assert record["application"][0]["version"] == version
    assert remove(browser, key, files["第2页.pdf"]).status_code == 404


REFUSED = {
    "脚本.pdf": (b"<html><script>alert(1)</script></html>", "不是 PDF、JPEG、PNG 或 TIFF"),
    "程序.pdf": (b"MZ" + bytes(200), "不是 PDF、JPEG、PNG 或 TIFF"),
    "压缩.pdf": (b"PK\x03\x04" + bytes(200), "不是 PDF、JPEG、PNG 或 TIFF"),
    "半个.pdf": (b"%PDF-1.7\n1 0 obj", "不完整，后面的内容缺失"),
    "半张.png": (b"\x89PNG\r\n\x1a\n" + bytes(20), "不完整，后面的内容缺失"),
    "空的.pdf": (b"", "是空的"),
    "图.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "不是 PDF、JPEG、PNG 或 TIFF"),
}


@pytest.mark.slow
def test_an_invalid_file_is_refused_with_a_message(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf
) -> None:
    """FU2: by content, not by name; a blank form does not become a draft by a file that was refused."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    for name, (content, sentence) in REFUSED.items():
        for target in (key, ""):
            answer = upload(browser, target, content, name)
            assert answer.status_code == 422
            assert name in answer.json["message"]
            assert sentence in answer.json["message"]
    for forged in ({"kind": "virus"}, {"kind": ""}, {"file": "no file"}, {"replaces": "99999"}):
        assert upload(browser, key, make_pdf("x"), **forged).status_code in (400, 422)
    assert ledger(app) == before


def test_a_too_large_file_is_refused_with_the_limit(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    app.config["ATTACHMENT_MB"] = 1
    answer = upload(browser, key, bytes((1 << 20) + 1), "大.pdf")
    assert (answer.status_code, answer.json) == (422, {"message": "文件“大.pdf”超过 1 MB，请压缩后重新上传。"})
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    answer = upload(browser, key, bytes(2 << 20), "更大.pdf")
    assert (answer.status_code, answer.json) == (413, {"message": "上传内容超过 1 MB，请压缩或分次上传。"})
    assert ledger(app) == before


@pytest.mark.parametrize("status", [status for status in Status if status not in ("draft", "returned")])
def test_a_submitted_application_accepts_and_loses_no_files(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
    status: Status,
) -> None:
    """AD8: the files of a decision stay; the message names the statuses that allow changes."""
    key, browser = make_application(status=status), client_as("publisher")
    before, files = ledger(app), [row["id"] for row in stored_rows(key)["attachment"]]
    answers = [upload(browser, key, make_pdf("x")), upload(browser, key, make_pdf("x"), replaces=files[0])]
    answers += [remove(browser, key, file) for file in files]
    for answer in answers:
        assert answer.status_code in (409, 422)
        assert answer.json["message"] == (f"当前状态为「{status.label}」，不能编辑；「暂存」「退回」状态可以编辑。")
    assert ledger(app) == before


@pytest.mark.slow
def test_a_required_file_has_a_star_on_the_page(client_as: ClientAs, make_application: MakeApplication) -> None:
    """手册 第一章: 标有*号的附件内容为必填项; 委托书 only with a publisher's entrustment."""
    for by, starred in (("publisher", 4), ("agent", 5)):
        key = make_application(by=by)
        page = client_as(by).get(f"/applications/edit/?id={key}").text
        shown = re.findall(r'<h3><b class="star" title="必填"(?:(?! hidden)[^>])*>\*</b>(.+?)</h3>', page)
        assert len(shown) == starred
        assert (AttachmentKind.ENTRUSTMENT.label in shown) is (by == "agent")


@pytest.mark.slow
def test_a_busy_server_refuses_a_file_and_accepts_it_later(
    client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 503 the page keeps the chosen file and offers 重试; the message does not blame the file."""
    key, browser = make_application(), client_as("publisher")
    with monkeypatch.context() as busy, INSPECTION.queue.turn("another"):
        busy.setattr(INSPECTION, "patience", 0.05)
        answer = upload(browser, key, make_pdf("合同"))
    assert (answer.status_code, answer.json) == (503, {"message": "系统繁忙，请稍后重试。"})
    assert upload(browser, key, make_pdf("合同")).status_code == 200


@pytest.mark.slow
def test_a_third_parallel_file_of_one_account_is_refused_and_other_accounts_are_not(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, cast: SimpleNamespace
) -> None:
    """25: twenty parallel uploads took 94 s, and later requests of others waited as long."""
    key, other = make_application(), make_application(by="publisher2")
    publisher, publisher2 = client_as("publisher"), client_as("publisher2")
    with ThreadPoolExecutor(3) as together, INSPECTION.queue.turn(cast.publisher):
        second = together.submit(upload, publisher, key, make_pdf("second"))
        while INSPECTION.queue.count(cast.publisher) < 2:
            sleep(0.01)
        third = upload(publisher, key, make_pdf("third"))
        theirs = together.submit(upload, publisher2, other, make_pdf("theirs"))
        while INSPECTION.queue.count(cast.publisher2) < 1:
            sleep(0.01)
    assert (third.status_code, third.json) == (503, {"message": "您上传的其他文件还在检查，请稍候，待其完成后重试。"})
    assert (second.result().status_code, theirs.result().status_code) == (200, 200)
    assert upload(publisher, key, make_pdf("third")).status_code == 200


@pytest.mark.slow
def test_a_second_file_of_the_same_name_is_reported_and_stored(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, make_pdf: MakePdf
) -> None:
    """It may be a duplicate or another page. In another kind, or after 替换, no message is shown."""
    key, browser = make_application(), client_as("publisher")

    def sends(kind: str, name: str, **more: object) -> str:
        fields = {"id": key, "kind": kind, "file": (io.BytesIO(make_pdf(name)), name)} | more
        answer = browser.post("/applications/upload/", data=fields)
        assert answer.status_code == 200
        return str(answer.json["note"])

    assert sends("other", "目录.pdf") == ""
    assert sends("other", "目录.pdf") == "“目录.pdf”与已有的文件同名，都已保留；如是重复上传，请移除一份。"
    assert sends("copyright", "目录.pdf") == ""
    files = [file["id"] for file in stored_rows(key)["attachment"] if file["kind"] == "other"]
    browser.post("/applications/remove/", data={"id": key, "attachment": files[1]})
    assert sends("other", "目录.pdf", replaces=files[0]) == ""
