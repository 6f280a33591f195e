"""What went wrong with customs, dealt with by the keyboard alone, each state before axe.

On SQLite alone: a database adds nothing.
"""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models import access, clock
from models.customs import CustomsMessage
from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def figure(reviewer: AttentiveUser, label: str) -> Page:
    """From a figure of the desk to its list."""
    reviewer.menu("工作台")
    reviewer.enter(reviewer.page.locator(".figures a").filter(has_text=label))
    flawless(reviewer.page, label)
    return reviewer.page


def test_a_rejected_certificate_is_sent_again_and_a_silent_message_settled(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """海关接收失败 → 重发; 久未回执 → 人工登记接收成功, which needs a reason."""
    make_application(status="customs_failed", title="昆曲《牡丹亭》")
    silent = make_application(status="filed", title="评弹《珍珠塔》")
    with app.app_context(), access.everything() as session:
        message = session.scalars(select(CustomsMessage).where(CustomsMessage.application_id == silent)).one()
        message.sent_at, message.sent_in, message.attempts = clock.now() - timedelta(days=5), 1, 1
        session.commit()
    reviewer = AttentiveUser(browse_as("reviewer"))
    page = figure(reviewer, "海关接收失败")
    reviewer.enter(page.locator("table.model-list a.number"))
    flawless(page, "a certificate that customs rejected")
    reviewer.activate(page.locator("main").get_by_role("button", name="重发"))
    reviewer.agree_to("重发")
    expect(page.locator(".result")).to_be_focused()
    flawless(page, "sent again")
    page = figure(reviewer, "久未回执的报文")
    reviewer.enter(page.locator("table.model-list").get_by_role("link", name="查看"))
    reviewer.flawless("a silent message")
    settle = page.locator("main").get_by_role("button", name="人工登记接收成功")
    reviewer.activate(settle)
    expect(page.locator("#ask").get_by_role("button", name="取消")).to_be_focused()
    reviewer.activate(page.locator("#ask [value=yes]"))
    expect(page.locator("#ask textarea")).to_be_focused()
    expect(page.locator("#ask").get_by_text("请填写意见。")).to_be_visible()
    flawless(page, "settling lacks a reason")
    reviewer.type("电话向南京海关核实。")
    reviewer.press("Escape")
    expect(settle).to_be_focused()
    reviewer.press("Enter")
    expect(page.locator("#ask textarea")).to_have_value("电话向南京海关核实。")
    reviewer.agree()
    expect(page.locator("main")).to_contain_text("电话向南京海关核实。")
    expect(page.locator("h1")).to_contain_text("接收成功")
    flawless(page, "settled by hand")
