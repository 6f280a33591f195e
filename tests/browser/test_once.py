"""A form that posts is sent once, however often its button is clicked, and can be used when its page is shown again."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, select

from models import access
from models.people.api_keys import ApiKey
from models.people.mail_confirmation import ask
from tests.browser.conftest import BrowseAs
from tests.cast import PASSWORD, account_of
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
RESTORED = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"  # as 后退 from memory does


def ask_for_code(app: Flask) -> None:
    """A new e-mail address of the publisher waits for its code."""
    app.config["SMTP"] = "127.0.0.1:1"
    with app.app_context(), access.everything() as session:
        ask(session.merge(account_of("publisher")), "new@example.cn")
        session.commit()


def double_click(page: Page, name: str) -> int:
    """Click twice while the server is slow; how many POST requests the browser sends. They are answered afterwards."""
    held: list[Route] = []
    page.route("**", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.wait_for_load_state()
    page.locator("main").get_by_role("button", name=name, exact=True).hover()
    with page.expect_request(lambda request: request.method == "POST"):
        for _click in range(2):
            page.mouse.down()
            page.mouse.up()
    page.wait_for_timeout(300)  # a second one would have been sent by now
    with page.expect_navigation():
        for route in held:
            route.continue_()
    page.unroute("**")
    return len(held)


def test_a_double_click_sends_a_form_once(app: Flask, browse_as: BrowseAs) -> None:
    """Sign-in, a key of the interface, an e-mail code, a file to be verified, and the password."""
    person = browse_as()
    page = person.page
    page.goto("/login")
    page.get_by_label("用户名").fill("publisher")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("验证码", exact=True).fill(person.read_picture())
    assert double_click(page, "登录") == 1
    ask_for_code(app)
    fills: dict[tuple[str, str], Callable[[], None]] = {
        ("/apikeys/", "生成密钥"): lambda: page.get_by_label("密钥名称").fill("综合业务"),
        ("/messages/mail/", "重新发送"): lambda: None,
        ("/verify/", "查验文件"): lambda: None,
        ("/password", "保存"): lambda: page.get_by_label("当前密码").fill("wrong-Pass-1"),
    }
    for (address, button), fill in fills.items():
        page.goto(address)
        fill()
        assert double_click(page, button) == 1, address
    with app.app_context(), access.everything() as session:
        assert session.scalar(select(func.count(ApiKey.id))) == 1


def test_a_double_enter_answers_a_question_once_and_opens_no_other_over_the_refusal(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """The second Enter meets the button of the act again, on which the focus is once the question is answered."""
    page, held = browse_as("reviewer").page, list[Route]()
    page.goto(f"/review/details/?id={make_application(status='pending')}")
    page.route("**/review/return/**", lambda route: held.append(route))
    page.get_by_label("办理意见", exact=True).fill("长" * 2001)
    page.get_by_role("button", name="退回", exact=True).press("Enter")
    with page.expect_request("**/review/return/**"):
        page.locator("#ask [value=yes]").press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)  # another question would have opened by now
    expect(page.locator("#ask")).to_be_hidden()
    (sent,) = held
    sent.continue_()
    expect(page.get_by_role("alert").first).to_contain_text("2000 字")


def test_a_sent_form_can_be_sent_again_after_going_back_and_on_a_page_that_stayed(browse_as: BrowseAs) -> None:
    """Browsers restore the state of the submission; an answer that is a download leaves the page where it is."""
    page = browse_as("publisher").page
    page.clock.install()
    page.goto("/apikeys/")
    page.route("**/make/", lambda route: route.fulfill(status=204))
    form, button = page.locator(".key-form"), page.get_by_role("button", name="生成密钥")
    page.get_by_label("密钥名称").fill("综合业务")
    for free in (lambda: page.evaluate(RESTORED), lambda: page.clock.fast_forward(10_000)):
        with page.expect_request("**/make/"):
            button.click()
        expect(form).to_have_attribute("aria-busy", "true")
        free()
        expect(form).not_to_have_attribute("aria-busy", "true")
    with page.expect_request("**/make/"):
        button.click()
