"""上传附件: one file at a time, kept whatever becomes of the form; what is refused, and how a file comes back."""

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from models import clock
from models.application import Application
from models.application.attachments import Store
from models.database import db
from models.files.inspection import INSPECTION
from models.vocabulary import AttachmentKind, Status
from tests.conftest import Acting, Browser, Making, Recording
from tests.views.ledger import ledger
from tests.views.screens.test_matrix import sees

As = Callable[[str | None], Browser]
Pdf = Callable[[str], bytes]
XHR = {"X-Requested-With": "XMLHttpRequest"}


def upload(browser: Browser, key: Any, content: bytes, name: str = "合同.pdf", **more: Any) -> TestResponse:
    """One file, as the page sends it the moment it is chosen."""
    body = {"id": key, "kind": "contract", "file": (io.BytesIO(content), name)} | more
    return browser.post("/applications/upload/", data=body, headers=XHR)


def remove(browser: Browser, key: int, file: int) -> TestResponse:
    """移除."""
    return browser.post("/applications/remove/", data={"id": key, "attachment": file}, headers=XHR)


def current(kept: dict[str, list[dict[str, Any]]], kind: str = "contract") -> list[str]:
    """The names of the files of one kind that count."""
    return [row["name"] for row in kept["attachment"] if row["kind"] == kind and row["removed_at"] is None]


def test_a_file_for_a_blank_form_gives_birth_to_its_draft(as_: As, a_pdf: Pdf, on_record: Recording) -> None:
    """手册 第一章: leaving one part never loses another. The page goes on as the edit form of that draft."""
    browser = as_("publisher")
    answer = upload(browser, "", a_pdf("x")).json
    assert {"number", "html", "edit"} <= set(answer)
    kept = on_record(answer["id"])
    assert kept["application"][0]["status"] is Status.DRAFT
    assert kept["application"][0]["version"] == answer["version"]
    assert current(kept) == ["合同.pdf"]
    assert "合同.pdf" in answer["html"]
    typed = {"version": answer["version"], "title": "黑胶唱片"}
    assert browser.post(answer["edit"], data=typed).status_code == 302
    assert on_record(answer["id"])["application"][0]["title"] == "黑胶唱片"


@pytest.mark.slow
def test_many_files_of_a_kind_one_replaced_one_removed(
    as_: As, make_application: Making, a_pdf: Pdf, a_png: Callable[[], bytes], on_record: Recording
) -> None:
    """What is replaced or removed is marked, not erased; and no open form has grown older by it."""
    key, browser = make_application(), as_("publisher")
    version = on_record(key)["application"][0]["version"]
    for number in range(3):
        answer = upload(browser, key, a_pdf(f"{number}"), f"第{number}页.pdf")
        assert answer.json["html"].count("<li>") == number + 2
    files = {row["name"]: row["id"] for row in on_record(key)["attachment"]}
    replaced = upload(browser, key, a_png(), "新的第1页.png", replaces=files["第1页.pdf"])
    assert replaced.json["html"].count("<li>") == 4
    assert remove(browser, key, files["第2页.pdf"]).json["html"].count("<li>") == 3
    kept = on_record(key)
    assert current(kept) == ["境外加工合同.pdf", "第0页.pdf", "新的第1页.png"]
    assert len(kept["attachment"]) == 8
    assert [entry["act"] for entry in kept["trail_entry"]][-5:] == ["attach", "attach", "attach", "attach", "detach"]
    assert kept["trail_entry"][-2]["changes"] == {"contract": ["第1页.pdf", "新的第1页.png"]}
    assert "由“第1页.pdf”替换为“新的第1页.png”" in browser.get(f"/applications/edit/?id={key}").text
    assert kept["application"][0]["version"] == version
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
def test_what_is_no_paper_is_refused_with_a_sentence(app: Flask, as_: As, make_application: Making, a_pdf: Pdf) -> None:
    """FU2: by content, not by name; a blank form does not become a draft by a file that was refused."""
    key, browser = make_application(), as_("publisher")
    before = ledger(app)
    for name, (content, sentence) in REFUSED.items():
        for target in (key, ""):
            answer = upload(browser, target, content, name)
            assert answer.status_code == 422
            assert name in answer.json["message"]
            assert sentence in answer.json["message"]
    for forged in ({"kind": "virus"}, {"kind": ""}, {"file": "no file"}, {"replaces": "99999"}):
        assert upload(browser, key, a_pdf("x"), **forged).status_code in (400, 422)
    assert ledger(app) == before


def test_too_large_a_file_is_refused_with_the_limit(app: Flask, as_: As, make_application: Making) -> None:
    key, browser = make_application(), as_("publisher")
    before = ledger(app)
    app.config["ATTACHMENT_MB"] = 1
    answer = upload(browser, key, bytes((1 << 20) + 1), "大.pdf")
    assert (answer.status_code, answer.json) == (422, {"message": "文件“大.pdf”超过 1 MB，请压缩后重新上传。"})
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    answer = upload(browser, key, bytes(2 << 20), "更大.pdf")
    assert (answer.status_code, answer.json) == (413, {"message": "上传内容超过 1 MB，请压缩或分次上传。"})
    assert ledger(app) == before


@pytest.mark.parametrize("status", [status for status in Status if status not in ("draft", "returned")])
def test_once_declared_no_file_comes_or_goes(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, on_record: Recording, status: Status
) -> None:
    """AD8: the files that were decided upon stay; the answer says which status would allow it."""
    key, browser = make_application(status=status), as_("publisher")
    before, files = ledger(app), [row["id"] for row in on_record(key)["attachment"]]
    answers = [upload(browser, key, a_pdf("x")), upload(browser, key, a_pdf("x"), replaces=files[0])]
    answers += [remove(browser, key, file) for file in files]
    for answer in answers:
        assert answer.status_code in (409, 422)
        assert answer.json["message"] == (f"当前状态为「{status.label}」，不能编辑；「暂存」「退回」状态可以编辑。")
    assert ledger(app) == before


NAMES = {
    "样品《茉莉花》 第一版.pdf": "样品《茉莉花》 第一版.pdf",
    "../../etc/合同.pdf": "合同.pdf",
    "a;b='c'.pdf": "a;b='c'.pdf",
    "第\t1\x7f\x85页.pdf": "第1页.pdf",
    "\u202efdp.exe.pdf": "fdp.exe.pdf",
    "𠮷" * 90 + ".pdf": "𠮷" * 62 + ".pdf",
}


@pytest.mark.slow
def test_a_file_comes_back_under_its_own_name(
    as_: As, make_application: Making, a_pdf: Pdf, on_record: Recording
) -> None:
    """FU1: Chinese, signs, line ends, directions, paths, length: one header, and the name in it intact."""
    key, browser = make_application(), as_("publisher")
    for given, kept in NAMES.items():
        assert upload(browser, key, a_pdf(kept), given, kind="other").status_code == 200
        file = on_record(key)["attachment"][-1]
        assert file["name"] == kept
        answer = browser.get(f"/applications/attachment/?id={file['id']}&download=1")
        kind, names = parse_options_header(answer.headers["Content-Disposition"])
        assert (kind, names["filename"]) == ("attachment", kept)
        assert kept.isascii() or "filename*=UTF-8''" in answer.headers["Content-Disposition"]
        assert answer.data == a_pdf(kept)


@pytest.mark.slow
def test_wherever_files_are_kept_they_come_back_whole_in_part_and_after_being_replaced(
    app: Flask, address: str, as_: As, make_application: Making, a_pdf: Pdf, on_record: Recording
) -> None:
    """In a folder and in a bucket; a PDF reader asks for parts, and for no more than what has changed."""
    app.config["STORE"] = address
    key, browser = make_application(), as_("publisher")
    assert upload(browser, key, a_pdf("first")).status_code == 200
    first = on_record(key)["attachment"][-1]
    page = f"/applications/attachment/?id={first['id']}"
    whole = browser.get(page)
    assert (whole.status_code, whole.data) == (200, a_pdf("first"))
    assert (whole.content_length, whole.headers["Accept-Ranges"]) == (len(a_pdf("first")), "bytes")
    part = browser.get(page, headers={"Range": "bytes=10-19", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, a_pdf("first")[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(a_pdf('first'))}"
    assert browser.get(page, headers={"Range": "bytes=9999999-"}).status_code == 416
    assert browser.get(page, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert upload(browser, key, a_pdf("second"), replaces=first["id"]).status_code == 200
    second = on_record(key)["attachment"][-1]
    assert browser.get(f"/applications/attachment/?id={second['id']}").data == a_pdf("second")
    assert browser.get(page).data == a_pdf("first")


@pytest.mark.slow
def test_a_file_whose_bytes_are_lost_says_what_to_do_and_leaves_a_mark_in_the_log(
    app: Flask,
    address: str,
    as_: As,
    make_application: Making,
    a_pdf: Pdf,
    on_record: Recording,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sentence, never a 500; the number in it is the one in the log."""
    app.config["STORE"] = address
    key, browser = make_application(), as_("publisher")
    upload(browser, key, a_pdf("lost"), "合同.pdf")
    file = on_record(key)["attachment"][-1]
    assert Store(address).remove(file["digest"], before=clock.now() + timedelta(days=1))
    answer = browser.get(f"/applications/attachment/?id={file['id']}", headers=XHR)
    assert answer.status_code == 409
    told = re.fullmatch(
        r"附件“合同\.pdf”的内容缺失或已损坏，请把事件编号 ([0-9A-F]{8}) 告知系统管理员，由其从备份中找回。",
        answer.json["message"],
    )
    assert told
    assert f"[{told[1]}] attachment {file['id']} has lost its bytes: {file['digest']}" in caplog.text
    assert upload(browser, key, a_pdf("lost")).status_code == 200
    assert browser.get(f"/applications/attachment/?id={file['id']}").data == a_pdf("lost")


def test_changed_bytes_are_not_shown(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, on_record: Recording
) -> None:
    """Of the same length, or reached through a link: a sentence, and not one byte of them."""
    key, browser = make_application(), as_("publisher")
    upload(browser, key, a_pdf("good"), "合同.pdf")
    file = on_record(key)["attachment"][-1]
    path = Path(app.config["STORE"]) / file["digest"][:2] / file["digest"]
    path.unlink()
    path.write_bytes(a_pdf("evil"))
    assert path.stat().st_size == file["size"]
    for _ in range(2):
        answer = browser.get(f"/applications/attachment/?id={file['id']}", headers=XHR)
        assert answer.status_code == 409
        assert "缺失或已损坏" in answer.json["message"]
        path.unlink()
        path.symlink_to("/etc/passwd")


@pytest.mark.slow
def test_a_bucket_that_does_not_answer_is_told_and_changes_nothing(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken for kept, or for lost, that may be neither."""
    key, browser = make_application(), as_("publisher")
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
        answer = upload(browser, target, a_pdf("x"))
        assert (answer.status_code, "存储暂时不可用" in answer.json["message"]) == (503, True)
    assert browser.get("/applications/attachment/?id=1").status_code == 500
    assert ledger(app) == before


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_files_can_be_read_in_every_status_by_all_who_see_it(
    as_: As, make_application: Making, on_record: Recording, status: Status
) -> None:
    """手册 第二章: 附件信息所有状态都可以下载查看. Whatever the bytes are, they cannot run in our name."""
    key = make_application(status=status)
    (file, *_others) = on_record(key)["attachment"]
    readers = {"applications": "publisher", "filings": "reviewer", "register": "national"}
    for screen, reader in readers.items():
        answer = as_(reader).get(f"/{screen}/attachment/?id={file['id']}")
        assert answer.status_code == (200 if sees(reader, status) else 404)
        if not sees(reader, status):
            continue
        assert answer.mimetype == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Disposition"].startswith("inline;")


@pytest.mark.slow
def test_a_starred_file_is_starred_on_the_page(as_: As, make_application: Making) -> None:
    """手册 第一章: 标有*号的附件内容为必填项; 委托书 only for whom a press has entrusted."""
    for by, starred in (("publisher", 4), ("agent", 5)):
        key = make_application(by=by)
        page = as_(by).get(f"/applications/edit/?id={key}").text
        assert page.count('<h3><b class="star" title="必填">') == starred
        label = AttachmentKind.ENTRUSTMENT.label
        assert (f'<b class="star" title="必填">*</b>{label}</h3>' in page) is (by == "agent")


@pytest.mark.slow
def test_a_server_that_has_no_time_for_a_file_says_so_and_takes_it_later(
    as_: As, make_application: Making, a_pdf: Pdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 503 the page keeps the chosen file and offers 重试; nothing is said of the file itself."""
    key, browser = make_application(), as_("publisher")
    with monkeypatch.context() as busy, INSPECTION.queue.turn("another"):
        busy.setattr(INSPECTION, "patience", 0.05)
        answer = upload(browser, key, a_pdf("合同"))
    assert (answer.status_code, answer.json) == (503, {"message": "系统繁忙，请稍后重试。"})
    assert upload(browser, key, a_pdf("合同")).status_code == 200


@pytest.mark.slow
def test_a_third_file_at_once_of_the_same_account_has_to_wait_and_others_do_not(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, cast: SimpleNamespace
) -> None:
    """25: twenty uploads at once took 94 s, and whoever came after them waited as long."""
    key, other = make_application(), make_application(by="publisher2")
    publisher, publisher2 = as_("publisher"), as_("publisher2")
    with ThreadPoolExecutor(3) as together, INSPECTION.queue.turn(cast.publisher):
        second = together.submit(upload, publisher, key, a_pdf("second"))
        while INSPECTION.queue.count(cast.publisher) < 2:
            sleep(0.01)
        third = upload(publisher, key, a_pdf("third"))
        theirs = together.submit(upload, publisher2, other, a_pdf("theirs"))
        while INSPECTION.queue.count(cast.publisher2) < 1:
            sleep(0.01)
    assert (third.status_code, third.json) == (503, {"message": "您上传的其他文件还在检查，请稍候，待其完成后重试。"})
    assert (second.result().status_code, theirs.result().status_code) == (200, 200)
    assert upload(publisher, key, a_pdf("third")).status_code == 200


@pytest.mark.slow
def test_there_are_so_many_files_of_a_kind_and_in_all(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, acting: Acting
) -> None:
    """25: 300 went in. The page tells the limit before, the refusal after; what is replaced makes room."""
    key, browser = make_application(), as_("publisher")
    with acting("publisher"):
        there = len(db.session.get_one(Application, key).current_attachments)
    app.config.update(ATTACHMENTS_PER_KIND=2, ATTACHMENTS_IN_ALL=there + 3)
    page = browser.get(f"/applications/edit/?id={key}").text
    assert f"每类最多 2 个，总共最多 {there + 3} 个" in page
    assert [upload(browser, key, a_pdf(str(n)), kind="other").status_code for n in range(3)] == [200, 200, 422]
    answer = upload(browser, key, a_pdf("x"), kind="other")
    assert answer.json["message"].startswith("“其他”最多 2 个文件，请移除不需要的")
    assert upload(browser, key, a_pdf("y"), kind="copyright").status_code == 200
    answer = upload(browser, key, a_pdf("z"), kind="copyright")
    assert answer.json["message"].startswith(f"一份申请最多 {there + 3} 个附件，请移除不需要的")
    with acting("publisher"):
        files = db.session.get_one(Application, key).current_attachments
        old = next(file.id for file in files if file.kind == "other")
    assert upload(browser, key, a_pdf("z"), kind="other", replaces=old).status_code == 200
    with acting("publisher"):
        assert len(db.session.get_one(Application, key).current_attachments) == there + 3


@pytest.mark.slow
def test_what_was_removed_counts_into_what_may_ever_be_uploaded(
    app: Flask, as_: As, make_application: Making, a_pdf: Pdf, acting: Acting
) -> None:
    """The bytes of removed and replaced files stay, for the trail names them: they must not fill the disk."""
    key, browser = make_application(), as_("publisher")
    with acting("publisher"):
        there = len(db.session.get_one(Application, key).attachments)
    app.config["ATTACHMENTS_EVER"] = there + 2
    assert upload(browser, key, a_pdf("0"), kind="other").status_code == 200
    for turn in (1, 2):
        with acting("publisher"):
            files = db.session.get_one(Application, key).current_attachments
            old = next(file.id for file in files if file.kind == "other")
        answer = upload(browser, key, a_pdf(str(turn)), kind="other", replaces=old)
        assert answer.status_code == (200 if turn == 1 else 422)
    words = f"这份申请前后已上传 {there + 2} 个文件（含已移除的，均须留存），不能再上传，请另建一份申请。"
    assert answer.json["message"] == words
    browser.post("/applications/remove/", data={"id": key, "attachment": old})
    assert upload(browser, key, a_pdf("3"), kind="contract").json["message"] == words
    with acting("publisher"):
        assert len(db.session.get_one(Application, key).attachments) == there + 2


def test_files_that_come_at_the_same_time_cannot_pass_the_limit(
    app: Flask, make_application: Making, a_pdf: Pdf, as_: As, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them find room before they are inspected; it is asked again when the row is theirs."""
    key, at_once = make_application(), 4
    app.config["ATTACHMENTS_PER_KIND"] = 1
    monkeypatch.setattr(INSPECTION.queue, "most", at_once)
    together, really = Barrier(at_once), Store.put

    def put(*args: Any) -> Any:
        stored = really(*args)
        together.wait(60)
        return stored

    monkeypatch.setattr(Store, "put", put)
    browsers = [as_("publisher") for _number in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        sent = [pool.submit(upload, browser, key, a_pdf(str(n)), kind="other") for n, browser in enumerate(browsers)]
        statuses = sorted(answer.result().status_code for answer in sent)
    assert statuses == [200] + [422] * (at_once - 1)
    with acting("publisher"):
        kinds = [file.kind for file in db.session.get_one(Application, key).current_attachments]
    assert kinds.count(AttachmentKind.OTHER) == 1


@pytest.mark.slow
def test_a_second_file_of_the_same_name_is_told_and_kept(
    as_: As, make_application: Making, on_record: Recording, a_pdf: Callable[[str], bytes]
) -> None:
    """Perhaps it came up twice; perhaps it is another page. In another kind, or after 替换, nothing is said."""
    key, browser = make_application(), as_("publisher")

    def sends(kind: str, name: str, **more: object) -> str:
        fields = {"id": key, "kind": kind, "file": (io.BytesIO(a_pdf(name)), name)} | more
        answer = browser.post("/applications/upload/", data=fields)
        assert answer.status_code == 200
        return str(answer.json["note"])

    assert sends("other", "目录.pdf") == ""
    assert sends("other", "目录.pdf") == "“目录.pdf”与已有的文件同名，都已保留；如是重复上传，请移除一份。"
    assert sends("copyright", "目录.pdf") == ""
    files = [file["id"] for file in on_record(key)["attachment"] if file["kind"] == "other"]
    browser.post("/applications/remove/", data={"id": key, "attachment": files[1]})
    assert sends("other", "目录.pdf", replaces=files[0]) == ""
