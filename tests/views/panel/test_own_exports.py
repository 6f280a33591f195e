"""导出 of 消息, 常用查询, 委托, 空白表格 and 单一窗口用户: only what the account itself sees, in Chinese."""

import io
from datetime import datetime
from urllib.parse import urlencode

import pytest
from flask import Flask

from models import access
from models.people.portal_links import request_link
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication, MakePdf
from tests.views.panel.exported import rows_of
from views.translations import COOKIE


def exported(browser: Browser, screen: str, kind: str = "csv") -> list[list[str]]:
    """The rows of the file, without its heading."""
    return rows_of(browser.get(f"/{screen}/export/{kind}/"), kind)[1:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_messages_are_those_of_the_account_as_the_query_finds_them(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    """In Chinese, as every file, also for a reader of English screens."""
    make_application(status="refused", by="publisher2")
    make_application(status="filed")
    publisher = client_as("publisher")
    publisher.set_cookie(COOKIE, "en")
    (message,) = exported(publisher, "messages", kind)
    assert message[1:] == ["准予备案", "SQ202600000002 已准予备案，可以打印证明。 黑胶唱片《茉莉花》"]
    assert datetime.strptime(message[0], "%Y-%m-%d %H:%M:%S"), "Excel shows a time with a fraction as minutes: 08:35.8"
    assert [row[1] for row in exported(client_as("publisher2"), "messages", kind)] == ["不予备案"]
    assert rows_of(publisher.get(f"/messages/export/{kind}/?state=read"), kind)[1:] == []


def test_saved_queries_are_those_of_the_account_with_the_name_of_their_list(client_as: ClientAs) -> None:
    for who, screen, name in (("reviewer", "review", "昆曲"), ("reviewer2", "filings", "评弹")):
        sent = {"screen": screen, "asked": urlencode({"title": name}), "name": f"{name}的申请"}
        assert client_as(who).post("/queries/keep/", data=sent).status_code == 303
    assert exported(client_as("reviewer"), "queries") == [["昆曲的申请", "待审核", "商品名称：昆曲"]]
    assert exported(client_as("reviewer2"), "queries") == [["评弹的申请", "全部申请", "商品名称：评弹"]]


def test_entrustments_are_those_that_the_unit_gives_or_takes(client_as: ClientAs) -> None:
    given = exported(client_as("publisher"), "entrusting")
    assert [row[:2] for row in given] == [["江苏文艺音像出版社", "南京光盘进出口有限公司"]]
    assert exported(client_as("agent"), "entrusting") == given
    assert exported(client_as("publisher2"), "entrusting") == []


def test_blank_forms_and_portal_requests_are_listed_for_the_operator(
    app: Flask, client_as: ClientAs, make_pdf: MakePdf
) -> None:
    operator = client_as("operator")
    sent = {"kind": "contract", "version": "0", "file": (io.BytesIO(make_pdf("blank")), "合同.pdf")}
    assert operator.post("/blanks/keep/", data=sent).status_code == 303
    with app.app_context(), access.everything() as session:
        claims = {"name": "王敏", "organisation": "出版社"}
        request_link(session, "https://portal.example.cn", "sw-1", claims, "127.0.0.1")
        session.commit()
    assert [row[:2] for row in exported(operator, "blanks")] == [["境外加工合同", "合同.pdf"]]
    assert [row[:3] for row in exported(operator, "portal")] == [["王敏", "sw-1", "出版社"]]
    for screen in ("blanks", "portal"):
        assert f"/{screen}/export/csv/" in operator.get(f"/{screen}/").text
        assert client_as("publisher").get(f"/{screen}/export/csv/").status_code == 403
