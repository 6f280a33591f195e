"""A version conflict, as somebody with two windows meets it."""

from playwright.sync_api import expect

from tests.browser.person import Person


def meet_a_conflict(person: Person, key: int) -> None:
    """Open a draft, save it in another window, and then here with 我的名称: the form is shown again with both."""
    page = person.page
    page.goto(f"/applications/edit/?id={key}")
    other = person.context.new_page()
    other.goto(page.url)
    other.locator("#contact").fill("另一人")
    with other.expect_navigation():
        other.get_by_role("button", name="保存").click()
    page.locator("#title").fill("我的名称")
    person.press("保存")
    expect(page.locator("#content .opinion")).to_contain_text("这期间已保存的改动")
