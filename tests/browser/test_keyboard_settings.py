"""Queries, messages and sign-ins with the keyboard alone, with what each form says when it refuses.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from flask import Flask
from playwright.sync_api import Locator, expect

from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_a_query_is_saved_renamed_and_deleted_with_the_keyboard(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """Saved under two names; a name in use is refused beside its field; deleting asks first."""
    make_application(title="昆曲《牡丹亭》")
    make_application(title="评弹《珍珠塔》")
    user = AttentiveUser(browse_as("publisher"))
    page = user.page
    asks(user, page.locator("#title"), "牡丹亭")
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    saves(user, "昆曲")
    expect(page.locator(".saved-queries a[aria-current]")).to_have_text("昆曲")
    asks(user, page.locator("#number"), "SQ")
    saves(user, "昆曲")
    expect(page.get_by_role("alert").first).to_contain_text("这个列表已有名为「昆曲」的常用查询")
    flawless(page, "a query under a name in use")
    saves(user, "全部")
    user.enter(page.locator(".saved-queries-end").get_by_role("link", name="管理"))
    flawless(page, "two queries")
    row = page.locator("table.model-list tbody tr", has_text="全部")
    user.enter(row.get_by_role("link", name="改名"))
    user.tab_to(page.locator("#name"))
    user.press("Control+a")
    user.type("昆曲")
    user.press("Enter")
    expect(page.locator("#name-note")).to_contain_text("已有名为「昆曲」")
    expect(page.locator("#missing")).to_be_focused()
    flawless(page, "a name in use")
    user.tab_to(page.locator("#name"))
    expect(page.locator("#name")).to_have_value("昆曲")
    user.press("Control+a")
    user.type("本单位")
    in_order(page, "another name")
    with page.expect_navigation():
        user.press("Enter")
    row = page.locator("table.model-list tbody tr", has_text="本单位")
    user.tab_to(row.get_by_role("button", name="删除"))
    user.press("Enter")
    flawless(page, "asked before a query is deleted")
    user.agree()
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    flawless(page, "one query")


def asks(user: AttentiveUser, field: Locator, text: str) -> None:
    """Fill in one field of the query form; Enter asks."""
    user.tab_to(field)
    user.press("Control+a")
    user.type(text)
    with user.page.expect_navigation():
        user.press("Enter")


def saves(user: AttentiveUser, name: str) -> None:
    """存为常用查询 under this name."""
    page = user.page
    user.tab_to(page.get_by_text("存为常用查询"))
    user.press("Enter")
    user.tab_to(page.locator(".save-query input[name=name]"))
    in_order(page, "a name for a query")
    user.type(name)
    with page.expect_navigation():
        user.press("Enter")


def test_a_quantity_that_makes_no_sense_is_told_at_its_field(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """数量 from 900 to 100, then letters, then a range that finds the one row."""
    make_application(status="filed", title="昆曲《牡丹亭》")
    user = AttentiveUser(browse_as("reviewer"))
    page = user.page
    page.goto("/filings/")
    for since, until, sentence in (("900", "100", "最小数量大于最大数量"), ("九百", "1200", "请")):
        user.tab_to(page.locator("#amount_since"))
        user.press("Control+a")
        user.type(since)
        asks(user, page.locator("#amount_until"), until)
        expect(page.locator(".query-field.wrong em[role=alert]")).to_contain_text(sentence)
        focus_on(page.locator(".query [aria-invalid=true]").first)
        in_order(page, f"数量 {since} – {until}")
    user.tab_to(page.locator("#amount_since"))
    asks(user, page.locator("#amount_since"), "900")
    expect(page.locator("table.model-list tbody tr")).to_contain_text(["昆曲《牡丹亭》"])
    flawless(page, "found by its quantity")


def test_mail_wishes_and_the_calendar_address_are_set_with_the_keyboard(app: Flask, browse_as: BrowseAs) -> None:
    """From the list of messages: an address that is none, then a good one and a wrong code; a new calendar address."""
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")  # or no code can come
    user = AttentiveUser(browse_as("reviewer"))
    page = user.page
    page.goto("/messages/")
    user.enter(page.get_by_role("link", name="邮件提醒"))
    user.tab_to(page.locator("#email"))
    user.type("wang")
    user.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    flawless(page, "an address that is none")
    user.tab_to(page.locator("#email"))
    expect(page.locator("#email")).to_have_value("wang")
    user.press("End")
    user.type("@example.cn")
    user.choose("mail_wish", "每日汇总")
    in_order(page, "a wish")
    user.tab_to(page.get_by_role("button", name="保存"))
    with page.expect_navigation():
        user.press("Enter")
    user.tab_to(page.locator("#code"))
    user.type("1")
    with page.expect_navigation():
        user.press("Enter")
    expect(page.locator("#code-wrong")).to_be_visible()
    focus_on(page.locator("#code"))
    flawless(page, "a wrong code")
    user.enter(page.get_by_role("link", name="返回消息"))
    user.enter(page.get_by_role("link", name="日历订阅"))
    addresses = [renewed(user, name) for name in ("生成地址", "重新生成")]
    assert addresses[0] != addresses[1]
    user.enter(page.get_by_role("button", name="停止订阅"))
    expect(page.get_by_role("status").first).to_contain_text("已停止")
    flawless(page, "no calendar address")


def renewed(user: AttentiveUser, button: str) -> str:
    """The calendar address that pressing this button brings."""
    user.enter(user.page.get_by_role("button", name=button))
    flawless(user.page, "a new calendar address")
    return user.page.locator("code.secret").inner_text()


def test_another_session_is_ended_and_an_api_key_refused_with_the_keyboard(browse_as: BrowseAs) -> None:
    """我的登录: the other browser is signed out; a key for 400 days is refused and the typed name stays."""
    user, elsewhere = AttentiveUser(browse_as("publisher")), browse_as("publisher")
    page = user.page
    user.enter(page.get_by_role("link", name="我的登录"))
    user.tab_to(page.get_by_role("button", name="结束", exact=True))
    in_order(page, "another session")
    with page.expect_navigation():
        user.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("已结束 1 个其他登录。")
    flawless(page, "no other session")
    elsewhere.page.goto("/applications/")
    expect(elsewhere.page.get_by_role("heading", name="用户登录")).to_be_visible()
    user.enter(page.get_by_role("link", name="接口密钥"))
    user.tab_to(page.locator("#key-name"))
    user.type("综合业务系统")
    user.tab_to(page.locator("#key-days"))
    user.press("Control+a")
    user.type("4000")
    with page.expect_navigation():
        user.press("Enter")
    expect(page.locator("#key-days-note")).to_contain_text("有效天数须为")
    focus_on(page.locator("#key-days"))
    expect(page.locator("#key-name")).to_have_value("综合业务系统")
    flawless(page, "a key that is refused")
