"""本省设置 and 常用意见 with the keyboard alone, their errors before axe.

On SQLite alone: a database adds nothing.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_the_settings_of_a_province_are_corrected_and_saved(browse_as: BrowseAs) -> None:
    """An invalid number is listed above the form with a link to its field; nothing else that was typed is lost."""
    reviewer = AttentiveUser(browse_as("reviewer"))
    page = reviewer.page
    reviewer.menu("本省设置")
    flawless(page, "the settings")
    decide, valid = page.locator("#decide_days"), page.locator("#valid_days")
    reviewer.write(decide, "十五")
    reviewer.activate(page.get_by_label("允许撤回申报"), "Space")
    reviewer.write(valid, "365")
    reviewer.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#missing")).to_contain_text("请填写 1 至 120 的整数。")
    reviewer.flawless("an invalid number")
    reviewer.activate(page.locator("#missing").get_by_role("link"))
    expect(decide).to_be_focused()
    expect(decide).to_have_value("十五")
    reviewer.write(decide, "15")
    reviewer.activate(page.locator("#required_kinds input").first, "Space")
    reviewer.enter(page.get_by_role("button", name="保存"))
    trail = page.locator("ol.trail")
    for words in ("办结期限：20 → 15", "允许撤回申报：是 → 否", "有效期（天）：（无） → 365", "另外必须提交的附件"):
        expect(trail).to_contain_text(words)
    flawless(page, "settings saved")


def test_a_refused_stock_opinion_keeps_its_text_and_the_focus(browse_as: BrowseAs) -> None:
    """An empty one, and one that exists: the reason stands beside the field, which has the focus."""
    reviewer = AttentiveUser(browse_as("reviewer"))
    page = reviewer.page
    reviewer.menu("本省设置")
    reviewer.enter(page.get_by_role("link", name="管理常用意见"))
    flawless(page, "no 常用意见 yet")
    new, add = page.get_by_label("退回：新增一条", exact=True), page.get_by_role("button", name="添加 退回：新增一条")
    reviewer.activate(add)
    expect(new).to_have_accessible_description("请填写常用意见的内容。")
    expect(new).to_be_focused()
    flawless(page, "an empty 常用意见")
    for _time in range(2):
        reviewer.write(new, "请补充加工合同的中文译本。")
        reviewer.activate(add)
        expect(page.get_by_label("退回：第 1 条", exact=True)).to_have_value("请补充加工合同的中文译本。")
        expect(new).to_have_value("请补充加工合同的中文译本。" if _time else "")
    expect(new).to_have_accessible_description("已有相同的常用意见。")
    expect(new).to_be_focused()
    reviewer.flawless("a 常用意见 that exists")
    reviewer.tab_to(page.get_by_role("button", name="移除 退回：第 1 条"), "Shift+Tab")
    reviewer.press("Enter")
    expect(page.get_by_label("退回：第 1 条", exact=True)).to_have_count(0)
    expect(page.locator("ol.trail")).to_contain_text("请补充加工合同的中文译本。 → （无）")
    flawless(page, "a 常用意见 removed")
