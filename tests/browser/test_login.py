"""The login page with its script: a password that can be looked at, another 验证码, the spoken one."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.cast import PASSWORD

LIFE = 110_000  # milliseconds that a 验证码 stays on the page
LENGTH = """voice => new Promise(tell => {
    if (voice.duration) return tell(voice.duration);
    voice.onloadedmetadata = () => tell(voice.duration);
    voice.onerror = () => tell(0);
})"""  # in seconds


def open_login_page(browse_as: BrowseAs) -> tuple[Person, Page]:
    person = browse_as()
    person.page.goto("/login")
    return person, person.page


def enter(person: Person, code: str) -> None:
    """Sign in as the reviewer with the keyboard alone, and this 验证码."""
    person.page.get_by_label("用户名").focus()
    keyboard = person.page.keyboard
    keyboard.type("reviewer")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Tab")  # 显示
    keyboard.press("Tab")
    keyboard.type(code)
    keyboard.press("Enter")


def another(person: Person) -> None:
    """换一张, with the keyboard; the new picture is there afterwards."""
    before = person.page.locator("#picture").get_attribute("src") or ""
    person.page.get_by_role("button", name="看不清？换一张").focus()
    person.page.keyboard.press("Enter")
    expect(person.page.locator("#picture")).not_to_have_attribute("src", before)


def test_the_password_can_be_shown(browse_as: BrowseAs) -> None:
    _person, page = open_login_page(browse_as)
    password, button = page.get_by_label("密码", exact=True), page.get_by_role("button", name="显示密码")
    password.fill(PASSWORD)
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    for pressed, kind in (("true", "text"), ("false", "password")):
        button.press("Enter")
        expect(password).to_have_attribute("type", kind)
        expect(button).to_have_attribute("aria-pressed", pressed)
        expect(password).to_be_focused()
        expect(password).to_have_value(PASSWORD)


@pytest.mark.parametrize("after_a_wrong_one", [False, True])
def test_a_new_captcha_code_replaces_the_first(browse_as: BrowseAs, after_a_wrong_one: bool) -> None:
    """The text typed for the old code is emptied, the change is announced, and the new code signs in."""
    person, page = open_login_page(browse_as)
    if after_a_wrong_one:
        enter(person, "0")
        expect(page.get_by_text("验证码不正确")).to_be_visible()
        page.get_by_label("密码", exact=True).fill(PASSWORD)
    first, code = person.read_picture(), page.get_by_label("验证码", exact=True)
    code.fill(first)
    another(person)
    expect(code).to_have_value("")
    expect(code).to_be_focused()
    expect(page.locator("#captcha-status")).to_have_text("验证码已更换，请按新图片输入。")
    assert person.read_picture() != first
    page.get_by_label("用户名").fill("")
    enter(person, person.read_picture())
    page.wait_for_url(lambda address: "/login" not in address)


@pytest.mark.parametrize("after_a_wrong_one", [False, True])
def test_the_captcha_code_is_spoken(browse_as: BrowseAs, after_a_wrong_one: bool) -> None:
    person, page = open_login_page(browse_as)
    if after_a_wrong_one:
        enter(person, "0")
        expect(page.get_by_text("验证码不正确")).to_be_visible()
    page.get_by_role("button", name="听验证码").focus()
    page.keyboard.press("Enter")
    assert page.locator("#voice").evaluate(LENGTH) > 1
    expect(page.get_by_label("验证码", exact=True)).to_be_focused()


def test_an_expired_captcha_code_is_renewed_automatically(browse_as: BrowseAs) -> None:
    person = browse_as()
    person.page.clock.install()
    person.page.goto("/login")
    first = person.read_picture()
    before = person.page.locator("#picture").get_attribute("src") or ""
    person.page.clock.fast_forward(LIFE + 1000)
    expect(person.page.locator("#picture")).not_to_have_attribute("src", before)
    assert person.read_picture() != first
    enter(person, person.read_picture())
    person.page.wait_for_url(lambda address: "/login" not in address)
