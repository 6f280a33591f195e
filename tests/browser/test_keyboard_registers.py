"""单位, 委托, 关区代码 and 单一窗口用户 of the operator with the keyboard alone, each state before axe.

On SQLite alone: a database adds nothing.
"""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import expect

from models import access, clock
from models.people.portal_links import request_link
from tests.browser.attentive import AttentiveUser, focus_on, in_order
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.browser.test_keyboard_operator import rows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
ISSUER = "https://portal.example.cn"
LAWFUL, UNUSUAL = "91110000600037341L", "91110000600037341A"  # the second has a wrong check character


@pytest.fixture
def operator(browse_as: BrowseAs) -> AttentiveUser:
    """The operator, signed in."""
    return AttentiveUser(browse_as("operator"))


def refused(operator: AttentiveUser, field: str, words: str, typed: str) -> None:
    """Assert that the summary has the focus, its link leads to the field, and the field has its sentence and text."""
    page, place = operator.page, operator.page.locator(f"#{field}")
    expect(page.locator(f"#{field}-note")).to_contain_text(words)
    expect(page.locator("#missing")).to_be_focused()
    operator.flawless(words)
    operator.activate(page.locator(f"#missing a[href='#{field}']"))
    focus_on(place)
    expect(place).to_have_value(typed)


def found_unit(operator: AttentiveUser, field: str, part: str, whole: str) -> None:
    """Type a part of the name of a unit, and take it from the list that the server sends."""
    operator.write(operator.page.locator(f"#{field}"), part)
    expect(operator.page.get_by_role("option")).to_have_text([whole])
    operator.press("ArrowDown", "Enter")
    expect(operator.page.locator(f"#{field}")).to_have_value(whole)


def test_a_unit_is_registered_corrected_and_disabled(operator: AttentiveUser) -> None:
    """An empty form, a code that exists, one that must be confirmed; then its name is changed, and it is disabled."""
    page = operator.page
    operator.menu("单位")
    flawless(page, "the units")
    operator.enter(page.get_by_role("link", name="新建"))
    flawless(page, "a blank unit")
    operator.tab_to(page.locator("#credit_code"))
    operator.press("Enter")
    refused(operator, "credit_code", "必填", "")
    operator.write(page.locator("#credit_code"), "12320000466000101W")
    operator.write(page.locator("#name"), "北京音像出版社")
    operator.choose("trade", "出版单位")
    operator.choose("province", "110000-北京市")
    operator.activate(page.get_by_role("button", name="保存"))
    refused(operator, "credit_code", "已经存在", "12320000466000101W")
    operator.write(page.locator("#credit_code"), UNUSUAL)
    operator.press("Enter")
    expect(page.locator("#missing a[href='#confirmed']")).to_be_visible()
    expect(page.locator("#missing")).to_be_focused()
    flawless(page, "a code to be confirmed")
    operator.activate(page.locator("#missing a[href='#confirmed']"))
    focus_on(page.locator("#confirmed"))
    operator.press("Space")
    operator.enter(page.get_by_role("button", name="保存"))
    row = rows(page).filter(has_text="北京音像出版社")
    expect(row).to_contain_text("校验位不符")
    flawless(page, "a unit with an unusual code")
    operator.enter(row.get_by_role("link", name="编辑"))
    operator.write(page.locator("#credit_code"), LAWFUL)
    operator.write(page.locator("#name"), "")
    operator.press("Enter")
    refused(operator, "name", "必填", "")
    operator.type("北京音像社")
    operator.activate(page.locator("#active"), "Space")
    operator.enter(page.get_by_role("button", name="保存"))
    expect(rows(page).filter(has_text="北京音像社")).to_contain_text("否")
    flawless(page, "a unit that was disabled")


def test_an_entrustment_is_registered_prolonged_and_ended(operator: AttentiveUser) -> None:
    """A unit that is none, an end before the beginning; the day of the end is moved, last into the past."""
    page, today, agent = operator.page, clock.today(), "91320000567800303F-南京光盘进出口有限公司"
    operator.menu("委托")
    flawless(page, "the entrustments")
    operator.enter(page.get_by_role("link", name="新建"))
    operator.write(page.locator("#publisher"), "没有这个单位")
    expect(page.locator("#choices")).to_be_visible()
    in_order(page, "no unit of this name")
    operator.press("Escape")
    found_unit(operator, "agent", "光盘", agent)
    operator.write(page.locator("#since"), str(today))
    operator.write(page.locator("#until"), str(today - timedelta(days=1)))
    operator.activate(page.get_by_role("button", name="保存"))
    refused(operator, "publisher", "请从下拉列表中选择", "没有这个单位")
    found_unit(operator, "publisher", "江苏电子", "91320000134700202X-江苏电子音像出版社")
    operator.activate(page.get_by_role("button", name="保存"))
    refused(operator, "until", "终止日期不能早于起始日期", str(today - timedelta(days=1)))
    row = rows(page).filter(has_text="江苏电子音像出版社")
    for day, state in ((today + timedelta(days=30), "有效"), (today + timedelta(days=60), "有效"), (today, "有效")):
        operator.write(page.locator("#until"), str(day))
        operator.press("Escape")
        operator.enter(page.get_by_role("button", name="保存"))
        expect(row).to_contain_text(str(day))
        expect(row).to_contain_text(state)
        flawless(page, f"until {day}")
        operator.enter(row.get_by_role("link", name="编辑"))
    for field, day in (("since", 9), ("until", 1)):
        operator.write(page.locator(f"#{field}"), str(today - timedelta(days=day)))
    operator.press("Escape")
    operator.enter(page.get_by_role("button", name="保存"))
    expect(row).to_contain_text("已到期")
    flawless(page, "an entrustment that has ended")


def import_table(operator: AttentiveUser, content: str) -> None:
    """Choose this file, and press 预览."""
    operator.choose_file(operator.page.get_by_label("选择文件"), "关区.csv", content.encode())
    expect(operator.page.locator("form.import label")).to_contain_text("关区.csv")
    operator.enter(operator.page.get_by_role("button", name="预览"))


def test_the_table_of_districts_is_refused_doubted_and_imported(operator: AttentiveUser) -> None:
    """A file without headings, one that ends most districts, which must be ticked, and then 确定导入."""
    page = operator.page
    operator.menu("关区代码")
    flawless(page, "the districts")
    import_table(operator, "甲,乙,丙\n")
    expect(page.locator(".alert-danger")).to_contain_text("没有找到标题行")
    flawless(page, "a file without headings")
    import_table(operator, "关区代码,关区名称\n2201,浦江海关（新）\n9901,新设海关\n")
    expect(page.locator("h1")).to_have_text("导入关区代码表：预览")
    operator.flawless("the preview of districts")
    operator.enter(page.get_by_role("button", name="确定导入"))
    focus_on(page.get_by_label("我已核对"))
    in_order(page, "doubts not confirmed")
    operator.press("Space")
    operator.enter(page.get_by_role("button", name="确定导入"))
    expect(page.get_by_role("status").filter(has_text="已导入 2 个关区")).to_be_visible()
    operator.write(page.locator("#code"), "9901")
    with page.expect_navigation():
        operator.press("Enter")
    expect(rows(page)).to_contain_text(["新设海关"])
    flawless(page, "the imported districts")


@pytest.fixture
def portal_requests(app: Flask) -> None:
    """The portal is on, and two of its users have asked to be linked."""
    app.config.update(PORTAL_ISSUER=ISSUER, PORTAL_CLIENT_ID="filing", PORTAL_CLIENT_SECRET="secret")
    with app.app_context(), access.everything() as session:
        for name in ("王敏", "生人"):
            found = {"name": name, "organisation": "江苏文艺音像出版社", "credit_code": "12320000466000101W"}
            request_link(session, ISSUER, f"sw-{name}", found, "10.0.0.1")
        session.commit()


def test_a_portal_user_is_linked_declined_and_unlinked(portal_requests: None, operator: AttentiveUser) -> None:
    """An unknown user name is refused; one request is granted, one declined; the link is removed from the account."""
    page = operator.page
    operator.menu("单一窗口用户")
    operator.flawless("two requests")
    link_as(operator, "王敏", "nobody")
    expect(page.locator(".alert-danger")).to_contain_text("没有这个用户名")
    flawless(page, "an unknown user name")
    link_as(operator, "王敏", "publisher")
    expect(page.get_by_role("status").first).to_contain_text("可以从单一窗口登录账号 publisher")
    flawless(page, "a portal user linked")
    operator.enter(page.get_by_role("button", name="不予关联"))
    expect(page.get_by_role("status").first).to_contain_text("已记录不予关联")
    expect(page.locator("table.carriers")).to_contain_text("不予关联")
    flawless(page, "a request declined")
    operator.menu("账号")
    operator.enter(rows(page).filter(has_text="王敏").get_by_role("link", name="编辑"))
    flawless(page, "an account with a portal user")
    operator.enter(page.get_by_role("link", name="查看该账号的登录方式"))
    flawless(page, "how an account signs in")
    operator.activate(page.locator("[aria-labelledby=portal]").get_by_role("button"))
    operator.agree_to("王敏")
    expect(page.locator("[aria-labelledby=portal]")).to_have_count(0)
    flawless(page, "a portal user unlinked")


def link_as(operator: AttentiveUser, who: str, username: str) -> None:
    """Type a user name beside the request of `who`; Enter links."""
    operator.write(operator.page.get_by_label(f"{who} 的用户名"), username)
    with operator.page.expect_navigation():
        operator.press("Enter")
    operator.page.wait_for_load_state()
