"""The procedure of the manual in a real browser, from 登录 to 退出, in the manual's order."""

import re
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import zxingcpp
from flask import Flask
from playwright.sync_api import expect

from tests.browser import publisher_steps
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.person import Person
from tests.cast import make_papers
from tests.conftest import MakePdf

OPINION = "商品名称请注明版次。"


@in_whole_chromium
def test_the_screens_follow_the_procedure_of_the_manual(app: Flask, browse_as: BrowseAs, make_pdf: MakePdf) -> None:
    """PD1, PD5: from a blank form to a certificate whose QR code says 有效, with every person who has a part in it."""
    publisher, province = browse_as("publisher"), browse_as("reviewer")
    number = publisher_steps.fills_in_the_form(publisher)
    publisher_steps.enters_the_carriers(publisher)
    publisher_steps.uploads_the_files(publisher, make_pdf)
    publisher_steps.sees_everything_that_is_missing(publisher)
    publisher_steps.submits(publisher, make_pdf)
    publisher_steps.sees_it_waiting(publisher, number)
    returns_it(province, number)
    publisher_steps.corrects_it(publisher, OPINION)
    grants_it(province, number)
    make_papers(app)
    certificate = publisher_steps.prints_it(publisher, number)
    reads_the_paper(certificate, number)
    follows_the_code(browse_as(), certificate)
    looks_it_up(browse_as("national"), certificate, number)
    publisher_steps.signs_out(publisher, number)


def returns_it(province: Person, number: str) -> None:
    """The province finds it first in 待审核, reads a file, and cannot 退回 without an opinion."""
    page = province.page
    page.get_by_role("link", name="待审核").click()
    expect(page.locator("table.model-list tbody tr").first).to_contain_text(number)
    page.get_by_role("link", name=number).click()
    expect(page.locator(".facts").get_by_text("DEU-德国")).to_be_visible()
    page.get_by_role("link", name="境外加工合同.pdf").click()
    viewer = page.locator("#viewer")
    expect(viewer.locator("iframe")).to_be_visible()
    assert province.opened(viewer.get_by_role("link").first).startswith(b"%PDF-")
    viewer.get_by_role("button", name="关闭").click()
    province.press("退回")
    expect(page.get_by_role("status").filter(has_text="请填写意见")).to_be_visible()
    page.get_by_label("办理意见", exact=True).fill(OPINION)
    province.agree("退回")
    expect(page.locator(".alert-success")).to_contain_text(f"{number} 已退回")


def grants_it(province: Person, number: str) -> None:
    """准予备案 asks for confirmation, because it cannot be undone."""
    page = province.page
    page.get_by_role("link", name="待审核").click()
    page.get_by_role("link", name=number).click()
    expect(page.locator(".facts").get_by_text(publisher_steps.CORRECTED, exact=True)).to_be_visible()
    province.agree("准予备案")
    expect(page.locator(".alert-success")).to_contain_text(f"{number} 的证明 Z32")
    expect(page.locator("h1")).to_contain_text("已备案")


def reads_the_paper(certificate: bytes, number: str) -> None:
    """The granted content, to the last carrier row, and no corrected or deleted text."""
    pages: Any = pypdfium2.PdfDocument(certificate)
    text = re.sub(r"\s", "", "".join(page.get_textpage().get_text_bounded() for page in pages))
    assert number in text
    assert re.sub(r"\s", "", publisher_steps.CORRECTED) in text
    specifications = [f"12英寸第{place}卷" for place in range(1, publisher_steps.ROWS)]
    specifications[3] = "10英寸第4卷"
    assert all(specification in text for specification in specifications)
    assert f"第{publisher_steps.ROWS}卷" not in text
    assert "2500" in text and f"共{publisher_steps.ROWS - 1}条" in text


def code_on(certificate: bytes) -> str:
    """The QR code of the last page, as a phone decodes it."""
    pages = pypdfium2.PdfDocument(certificate)
    [code] = zxingcpp.read_barcodes(pages[len(pages) - 1].render(scale=3).to_pil())
    return code.text


def follows_the_code(officer: Person, certificate: bytes) -> None:
    """The officer at the counter, with no account: 有效."""
    officer.page.goto(code_on(certificate))
    expect(officer.page.get_by_role("heading", name="有效")).to_be_visible()
    expect(officer.page.locator("main")).to_contain_text(publisher_steps.CORRECTED)


def looks_it_up(nation: Person, certificate: bytes, number: str) -> None:
    """手册 第三篇: 国家新闻出版署 finds certificates by number and can change nothing."""
    page = nation.page
    page.get_by_label("证明编号").fill(urlsplit(code_on(certificate)).path.rpartition("/")[2])
    nation.turn_over("查询")
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    page.get_by_role("link", name=number).click()
    expect(page.locator("main").get_by_role("button")).to_have_text(["打印"])
    printed = nation.opened(page.get_by_role("button", name="打印"))
    assert code_on(printed) == code_on(certificate)
