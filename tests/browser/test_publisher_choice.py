"""Hints of the form: required attachments of the chosen publisher, and the option that typed text became.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_the_entrustment_letter_is_required_only_for_another_publisher(
    app: Flask, browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """委托书 is required for another publisher; before the first 保存, at once, and after 保存 by the server."""
    agent = browse_as("agent")
    page, star = agent.page, agent.page.locator("#file-entrustment .star")
    page.goto("/applications/new/")
    expect(star).to_be_visible()  # the one publisher that has entrusted it is chosen
    page.get_by_role("button", name="清除出版单位").click()
    expect(star).to_be_hidden()
    agent.pick("publisher_id", "江苏", "江苏文艺音像出版社")
    expect(star).to_be_visible()
    page.on("dialog", lambda question: question.accept())
    own = browse_as("publisher")
    own.page.goto("/applications/new/")
    expect(own.page.locator("#file-entrustment .star")).to_be_hidden()


def test_a_note_shows_which_option_typed_text_became(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """10 becomes 010-张: a note tells the person, and is no error; a full name needs none."""
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={make_application()}")
    unit = page.locator("#carriers-0-unit")
    unit.fill("wanzhang")
    page.keyboard.press("Tab")
    expect(unit).to_have_value("059-万张")
    found = page.locator("#carriers-0-unit-unknown")
    expect(found).to_have_text("“wanzhang”已作为“059-万张”填入，请核对。")
    expect(found).to_have_attribute("role", "status")
    unit.fill("140-盒")
    page.keyboard.press("Tab")
    expect(found).to_have_count(0)


def test_a_carrier_is_a_card_on_a_phone(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """No sideways scrolling, each value keeps its label, a required one its *; the case is named beside its number."""
    person = browse_as("publisher", width=390)
    page, key = person.page, make_application(status="filed", title="黑胶唱片《茉莉花》")
    for address in (f"/applications/details/?id={key}", f"/applications/edit/?id={make_application()}"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        table = page.locator("table.cards")
        assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth"), address
        label = "getComputedStyle(document.querySelector('table.cards td.col-quantity'), '::before').content"
        star = "* " if "/edit/" in address else ""  # 手册: 带有*号的字段为必填项
        assert page.evaluate(label) == f'"{star}进口数量"', address
    page.goto(f"/applications/details/?id={key}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("黑胶唱片《茉莉花》")
