"""Queries, messages and sign-ins with the keyboard alone, with what each form says when it refuses.

On SQLite alone: what is tried here is a script in a browser.
"""

import re

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
    """A name in use is refused beside its field, above the list and in 管理, as is none; deleting asks first."""
    make_application(title="昆曲《牡丹亭》")
    make_application(title="评弹《珍珠塔》")
    user = AttentiveUser(browse_as("publisher"))
    page, rows = user.page, user.page.locator("table.model-list tbody tr")
    name = page.locator(".save-query input[name=name]")
    asks(user, page.locator("#title"), "牡丹亭")
    expect(rows).to_have_count(1)
    user.activate(page.get_by_text("存为常用查询"))
    asks(user, name, "昆曲")
    expect(page.locator(".saved-queries a[aria-current]")).to_have_text("昆曲")
    asks(user, page.locator("#number"), "SQ")
    user.activate(page.get_by_text("存为常用查询"))
    asks(user, name, "昆曲")
    expect(name).to_have_accessible_description("这个列表已有名为「昆曲」的常用查询，请换一个名称，或先删除原来的。")
    expect(name).to_have_value("昆曲")
    focus_on(name)
    user.flawless("a query under a name in use")
    asks(user, name, "全部")
    user.enter(page.locator(".saved-queries-end").get_by_role("link", name="管理"))
    flawless(page, "two queries")
    user.enter(rows.filter(has_text="全部").get_by_role("link", name="改名"))
    for text, words in (("昆曲", "已有名为「昆曲」"), ("", "必填")):
        user.write(page.locator("#name"), text)
        user.press("Enter")
        expect(page.locator("#name-note")).to_contain_text(words)
        expect(page.locator("#missing")).to_be_focused()
        expect(page.locator("#name")).to_have_value(text)
        flawless(page, words)
    asks(user, page.locator("#name"), "本单位")
    for left, query in ((1, "本单位"), (0, "昆曲")):
        user.activate(page.get_by_role("row", name=query).get_by_role("button", name="删除"))
        user.agree_to(f"确定要删除常用查询「{query}」吗")
        expect(page.get_by_role("link", name="改名")).to_have_count(left)
        flawless(page, f"{left} queries")


def asks(user: AttentiveUser, field: Locator, text: str) -> None:
    """Fill in one field of a form; Enter sends it."""
    user.write(field, text)
    with user.page.expect_navigation():
        user.press("Enter")
    user.page.wait_for_load_state()


@pytest.mark.parametrize(
    ("username", "path", "typed", "words"),
    [
        ("reviewer", "/filings/", {"amount_since": "900", "amount_until": "100"}, "最小数量大于最大数量"),
        ("reviewer", "/filings/", {"amount_until": "1200", "amount_since": "九百"}, "请"),
        ("reviewer", "/messages/mail/", {"email": "wang"}, "邮箱"),
        ("publisher", "/apikeys/", {"key-name": "综合业务系统", "key-days": "4000"}, "有效天数须为"),
    ],
)
def test_a_refused_field_says_why_and_keeps_its_text(
    app: Flask, browse_as: BrowseAs, username: str, path: str, typed: dict[str, str], words: str
) -> None:
    """It has the focus, or the summary has whose link leads to it."""
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")  # or no code can come
    user = AttentiveUser(browse_as(username))
    page, wrong = user.page, user.page.locator("main input[aria-invalid=true]").first
    page.goto(path)
    for field, text in typed.items():
        user.write(page.locator(f"#{field}"), text)
    user.press("Enter")
    expect(wrong).to_have_accessible_description(re.compile(words))
    expect(page.locator("#missing:focus, input[aria-invalid=true]:focus")).to_have_count(1)
    user.flawless(f"{typed} at {path}")
    user.tab_to(wrong)
    focus_on(wrong)
    for field, text in typed.items():
        expect(page.locator(f"#{field}")).to_have_value(text)


def test_mail_wishes_and_the_calendar_address_are_set_with_the_keyboard(app: Flask, browse_as: BrowseAs) -> None:
    """From the list of messages: an address and a wrong code; a new calendar address."""
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")  # or no code can come
    user = AttentiveUser(browse_as("reviewer"))
    page = user.page
    page.goto("/messages/")
    user.enter(page.get_by_role("link", name="邮件提醒"))
    user.tab_to(page.locator("#email"))
    user.type("wang@example.cn")
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


def test_another_session_is_ended_with_the_keyboard(browse_as: BrowseAs) -> None:
    """我的登录: the other browser is signed out."""
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
