"""Error pages: one message, an incident number, and the typed text."""

import io
import logging
import re

import pytest
from flask import Flask, abort, request
from sqlalchemy import select

from models.database import db
from models.people.accounts import Organisation
from models.vocabulary import Trade
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.entrance.conftest import ReplaceView
from tests.views.entrance.errors import check_headers, lines
from tests.views.pages import form_of

XHR = {"X-Requested-With": "XMLHttpRequest"}


OWN_ORIGIN = {"Origin": "http://localhost", "Referer": "http://localhost/applications/edit/?id=7"}


def stored_twice() -> None:
    """A database error whose text contains a table, its columns and the typed values."""
    publisher = db.session.scalars(select(Organisation)).first()
    assert publisher is not None
    db.session.add(
        Organisation(credit_code=publisher.credit_code, name="机密名称", trade=Trade.AGENT, province="320000")
    )
    db.session.commit()


SENTENCES = {
    400: "提交的内容不完整或格式不对",
    403: "没有这项权限",
    404: "没有找到这个页面或资料",
    405: "不能这样打开",
    413: "提交的内容过长",
    429: "操作过于频繁",
    500: "事件编号",
}


def test_an_error_has_the_same_message_as_page_and_as_json(replace_view: ReplaceView, client_as: ClientAs) -> None:
    address = replace_view(lambda: abort(int(request.args["status"])))
    browser = client_as("publisher")
    for status, sentence in SENTENCES.items():
        page = browser.get(address, query_string={"status": status})
        assert (page.status_code, page.mimetype) == (status, "text/html")
        assert sentence in page.text
        assert 'lang="zh-CN"' in page.text
        for asking in (XHR, {"Accept": "application/json"}):
            answer = browser.get(address, query_string={"status": status}, headers=asking)
            assert (answer.status_code, answer.mimetype) == (status, "application/json")
            assert sentence in answer.json["message"]
            check_headers(answer)


def test_an_uncaught_refusal_is_shown_with_its_message(replace_view: ReplaceView, client_as: ClientAs) -> None:
    def refuse() -> None:
        raise Refused("当前状态为「待审核」，不能打印。")

    address = replace_view(refuse)
    assert client_as("publisher").get(address).status_code == 409
    assert "「待审核」，不能打印。" in client_as("publisher").get(address).text
    assert client_as("publisher").get(address, headers=XHR).json == {"message": "当前状态为「待审核」，不能打印。"}


def test_an_error_shows_an_incident_number_that_is_in_the_log(
    replace_view: ReplaceView, client_as: ClientAs, caplog: pytest.LogCaptureFixture
) -> None:
    """The person sees no detail of the failure; the number leads an administrator to the traceback."""
    address = replace_view(stored_twice)
    with caplog.at_level(logging.ERROR):
        page, script = client_as("publisher").get(address), client_as("publisher").get(address, headers=XHR)
    assert page.status_code == script.status_code == 500
    number = script.json["incident"]
    assert number not in page.text
    for answer in (page, script):
        for leak in ("IntegrityError", "INSERT", "organisation", "UNIQUE", "Traceback", "机密名称", "models"):
            assert leak not in answer.text
    lines = [record for record in caplog.records if record.exc_info]
    assert len(lines) == 2
    assert lines[1].getMessage().startswith(f"[{number}] ")
    assert lines[0].getMessage()[1:9] in page.text
    assert "机密名称" not in caplog.text


def test_the_refusal_of_a_too_large_form_names_the_limit(app: Flask, client_as: ClientAs) -> None:
    """Of an attachment, and of a file of 载体信息, which may have 8 MB."""
    app.config["MAX_CONTENT_LENGTH"] = 3 << 20
    for where, size, sentence in (
        ("/applications/upload/", 4 << 20, "上传内容超过 2 MB，请压缩或分次上传。"),
        ("/applications/carriers/preview/", 10 << 20, "上传内容超过 8 MB，请压缩或分次上传。"),
    ):
        file = {"kind": "contract", "file": (io.BytesIO(b"x" * size), "合同.pdf")}
        answer = client_as("publisher").post(where, data=file)
        assert (answer.status_code, sentence in answer.text) == (413, True)
    answer = client_as("publisher").post("/password", data={"current": "x" * 70_000})
    assert answer.status_code == 413
    assert "提交的内容过长，没有保存，请精简后重新提交。" in answer.text


def test_the_error_page_of_an_expired_page_contains_the_typed_text(client_as: ClientAs) -> None:
    words = {"title": "黑胶唱片《茉莉花》", "carriers-1-specification": "12 英寸<script>", "new": "mine-2026-x"}
    answer = client_as("publisher").post("/password", data=words | {"country": "DEU"}, headers=OWN_ORIGIN, csrf=False)
    assert answer.status_code == 400
    assert lines(answer.text) == [
        ("商品名称", "黑胶唱片《茉莉花》"),
        ("载体信息第 2 行 规格型号", "12 英寸<script>"),
        ("国别（地区）", "DEU-德国"),
    ]
    assert "mine-2026-x" not in answer.text
    assert 'href="/applications/edit/?id=7"' in answer.text


def test_the_error_page_of_an_ended_session_contains_the_typed_text(client_as: ClientAs) -> None:
    answer = client_as(None).post("/applications/edit/?id=7", data={"title": "黑胶唱片"}, headers=OWN_ORIGIN)
    assert answer.status_code == 401
    assert lines(answer.text) == [("商品名称", "黑胶唱片")]
    assert 'href="/login?next=/applications/edit/?id%3D7"' in answer.text


@pytest.mark.slow
def test_the_typed_text_can_be_resubmitted_after_signing_in(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Without a script: the session ended; the error page holds the whole form, rows and all, and 重新提交 saves it."""
    key = make_application(carriers=2)
    form = form_of(client_as("publisher").get(f"/applications/edit/?id={key}").text)
    form |= {"title": "超时之后的标题", "carriers-1-quantity": "77"}
    page = client_as(None).post(f"/applications/edit/?id={key}", data=form, headers=OWN_ORIGIN).text
    assert "重新提交" in page
    again = form_of(page, "again")
    assert again == form
    (action,) = re.findall('<form class="again" method="post" action="(.*?)">', page)
    assert client_as("publisher").post(action, data=again, headers=OWN_ORIGIN).status_code == 302
    records = stored_rows(key)
    assert records["application"][0]["title"] == "超时之后的标题"
    assert sorted(carrier["quantity"] for carrier in records["carrier"]) == [77, 1000]


def test_another_site_cannot_put_text_on_the_error_page(client_as: ClientAs) -> None:
    foreign = {"Origin": "https://evil.example", "Referer": "https://evil.example/trap"}
    answer = client_as(None).post("/password", data={"title": "请拨打假电话"}, headers=foreign)
    assert answer.status_code == 401
    assert "假电话" not in answer.text
    assert "evil" not in answer.text
