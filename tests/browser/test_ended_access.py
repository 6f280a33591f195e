"""What ends the access of an account asks first, in a browser."""

import re
from types import SimpleNamespace

from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs


def test_disabling_an_account_asks_for_confirmation_each_time_and_no_changes_nothing(
    browse_as: BrowseAs, cast: SimpleNamespace
) -> None:
    """Enter in a field asks as the button does; what else is saved asks nothing."""
    person = browse_as("operator")
    page = person.page
    page.goto(f"/accounts/edit/?id={cast.reviewer}")
    page.locator("#active").uncheck()
    for press in (lambda: person.press("保存"), lambda: page.locator("#name").press("Enter")):
        press()
        expect(page.locator("#ask .ask-words")).to_have_text("确定要停用 reviewer 吗？该账号将立即退出登录。")
        person.answer("取消")
        expect(page.locator("#ask")).to_be_hidden()
        expect(page).to_have_url(re.compile("/accounts/edit/"))
    page.locator("#active").check()
    person.turn_over("保存")
    page.goto(f"/accounts/edit/?id={cast.reviewer}")
    page.locator("#active").uncheck()
    person.press("保存")
    person.answer("确定")
    expect(page.get_by_role("row", name=re.compile("^reviewer "))).to_contain_text("否")
