"""委托 with the keyboard alone: invited, refused, accepted, ended; and a blank form downloaded from the desk.

On SQLite alone: what is tried here is a script in a browser.
"""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

from models import clock
from models.vocabulary import AttachmentKind
from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.cast import blank_form, small_pdf

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
AGENT = "91320000567800303F"


def test_a_unit_is_invited_accepts_and_is_released_with_the_keyboard(browse_as: BrowseAs) -> None:
    """A blank form and an unknown code are refused beside the field, and the text stays; then invited and ended."""
    publisher, agent = AttentiveUser(browse_as("publisher2")), AttentiveUser(browse_as("agent"))
    page = publisher.page
    publisher.enter(page.get_by_role("navigation").get_by_role("link", name="委托", exact=True))
    flawless(page, "no entrustment yet")
    publisher.enter(page.get_by_role("link", name="新建"))
    publisher.tab_to(page.get_by_role("button", name="保存"))
    publisher.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    flawless(page, "an empty invitation")
    publisher.tab_to(page.locator("#missing").get_by_role("link").first)
    publisher.press("Enter")
    focus_on(page.locator("#agent"))
    invite(publisher, "91320000134700202Z")
    expect(page.locator("#agent-note")).to_contain_text("没有找到这个单位")
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#agent")).to_have_value("91320000134700202Z")
    flawless(page, "an unknown unit")
    publisher.tab_to(page.locator("#agent"))
    publisher.press("Control+a")
    publisher.type(AGENT)
    in_order(page, "the code is corrected")
    with page.expect_navigation():
        publisher.press("Enter")
    row = page.locator("table.model-list tbody tr")
    expect(row).to_contain_text("待受托单位接受")
    flawless(page, "an invitation")
    accepts(agent)
    page.reload()
    publisher.tab_to(row.get_by_role("button", name="终止"))
    publisher.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("南京光盘进出口有限公司")
    flawless(page, "asked before it is ended")
    publisher.agree()
    expect(page.get_by_role("status").first).to_contain_text("已终止。")
    expect(row).to_contain_text("已终止")
    flawless(page, "an entrustment that has ended")


def invite(publisher: AttentiveUser, unit: str) -> None:
    """Type the unit and the dates from today to the end of next year; Enter sends them."""
    publisher.type(unit)
    for field, day in (("since", clock.today()), ("until", clock.today().replace(year=clock.today().year + 1, day=1))):
        publisher.tab_to(publisher.page.locator(f"#{field}"))
        publisher.type(str(day))
    publisher.press("Enter")


def accepts(agent: AttentiveUser) -> None:
    """From the message in the bell to 接受 in the list."""
    page = agent.page
    page.goto("/desk/")
    agent.enter(page.get_by_role("link", name="消息，1 条未读"))
    agent.enter(page.locator("tbody").get_by_role("link").first)
    agent.enter(page.get_by_role("navigation", name="主菜单").get_by_role("link", name="委托"))
    row = page.locator("table.model-list tbody tr", has_text="江苏电子音像出版社")
    agent.tab_to(row.get_by_role("button", name="接受"))
    in_order(page, "an invitation to accept")
    agent.press("Enter")
    agent.agree()
    expect(page.get_by_role("status").first).to_contain_text("已接受")
    expect(row).to_contain_text("有效")
    flawless(page, "an accepted entrustment")


def test_a_blank_form_is_downloaded_from_the_empty_desk_and_from_its_box(app: Flask, browse_as: BrowseAs) -> None:
    blank_form(app, AttachmentKind.APPLICATION_FORM)
    user = AttentiveUser(browse_as("publisher"))
    page = user.page
    for address in ("/desk/", "/applications/new/"):
        page.goto(address)
        link = page.locator("main a[href*='/blank/']")
        user.tab_to(link)
        in_order(page, f"a blank form at {address}")
        with page.expect_download() as download:
            user.press("Enter")
        assert Path(download.value.path()).read_bytes() == small_pdf(AttachmentKind.APPLICATION_FORM.value)
        focus_on(link)
