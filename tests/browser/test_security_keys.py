"""Security keys in Chromium, with a virtual authenticator of the browser (CDP WebAuthn): whole stories."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import CDPSession, Locator, Page, expect
from sqlalchemy import delete

from models import access
from models.people.security_keys import SecurityKey
from models.people.sessions import end_visits
from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.cards import CardIssuer
from tests.cast import PASSWORD

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
A_KEY = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}


@pytest.fixture
def publisher_with_key(browse_as: BrowseAs) -> Person:
    """The publisher, with a key plugged in."""
    person = browse_as("publisher")
    plug_in(person.page)
    return person


def plug_in(page: Page, verifies: bool = True) -> tuple[CDPSession, str]:
    """A security key that confirms everything; `verifies`: whether it asks for its PIN."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options: dict[str, Any] = A_KEY | {"isUserVerified": verifies, "automaticPresenceSimulation": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def enrol(person: Person, name: str = "办公室密钥") -> None:
    page = person.page
    page.goto("/visits/")
    page.get_by_role("link", name="管理安全密钥").click()
    page.get_by_label("密钥名称").fill(name)
    page.get_by_role("button", name="登记密钥").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"已登记“{name}”")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login")


def by_key_alone(page: Page) -> None:
    """卡介质登录, with the keyboard."""
    page.goto("/login")
    page.get_by_role("link", name="卡介质登录").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/login/key")
    page.get_by_role("button", name="使用密钥登录").focus()
    page.keyboard.press("Enter")


def by_password(person: Person) -> None:
    """用户名登录, up to the second step."""
    page = person.page
    page.goto("/login")
    page.get_by_label("用户名").fill("publisher")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("验证码", exact=True).fill(person.read_picture())
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/login/confirm")


def test_an_enrolled_key_signs_in_alone_and_as_a_second_step_until_it_is_removed(
    app: Flask, publisher_with_key: Person
) -> None:
    page = publisher_with_key.page
    page.goto("/keys/")
    flawless(page, "no key yet")
    enrol(publisher_with_key)
    flawless(page, "one key")
    enrol_again(publisher_with_key)
    sign_out(page)
    by_key_alone(page)
    page.wait_for_url("**/desk/")
    sign_out(page)
    page.goto("/login/key")
    flawless(page, "卡介质登录")
    by_password(publisher_with_key)
    flawless(page, "the second step")
    page.get_by_role("button", name="使用密钥确认").click()
    page.wait_for_url("**/desk/")
    page.goto("/keys/")
    publisher_with_key.agree("移除")
    expect(page.get_by_text("它不能再用来登录")).to_be_visible()
    sign_out(page)
    by_key_alone(page)
    expect(page.get_by_role("alert")).to_contain_text("密钥没有通过核验，没有登录。")
    flawless(page, "a key that was removed")


def enrol_again(publisher_with_key: Person) -> None:
    """Enrol the same key again: the browser recognises it, and the page says so."""
    publisher_with_key.page.get_by_role("button", name="登记密钥").click()
    expect(publisher_with_key.page.locator("[data-key-state]")).to_have_text("这把密钥已经登记过，请换一把。")


def test_a_key_without_user_verification_is_refused(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    plug_in(page, verifies=False)
    page.goto("/keys/")
    page.get_by_role("button", name="登记密钥").click()
    expect(page.locator("[data-key-state]")).to_have_text("没有完成：操作已取消或超时，请重试。")


def test_the_key_page_at_another_address_is_disabled_and_links_to_the_right_address(
    browse_as: BrowseAs, address: str
) -> None:
    person = browse_as()
    page, elsewhere = person.page, address.replace("localhost", "127.0.0.1")
    person.address = elsewhere
    page.goto(f"{elsewhere}/login/key")
    expect(page.get_by_role("button", name="使用密钥登录")).to_be_disabled()
    expect(page.get_by_role("link", name=f"{address}/login/key")).to_be_visible()
    flawless(page, "elsewhere")


def save_after_the_session(app: Flask, publisher_with_key: Person) -> tuple[Page, Locator]:
    """Type into a new application, and save it once the session has ended: (page, the dialog over it)."""
    page = publisher_with_key.page
    page.goto("/applications/new/")
    page.locator("#title").fill("没有保存的商品名称")
    with app.app_context(), access.everything() as session:
        end_visits(session, 1)
        session.commit()
    publisher_with_key.press("保存")
    return page, page.get_by_role("dialog", name="重新登录")


def test_an_ended_session_is_renewed_over_the_page_with_password_and_key(
    app: Flask, publisher_with_key: Person
) -> None:
    enrol(publisher_with_key)
    page, again = save_after_the_session(app, publisher_with_key)
    again.get_by_label("密码").fill(PASSWORD)
    again.get_by_label("验证码").fill(publisher_with_key.read_picture("#again img"))
    again.get_by_role("button", name="登录并继续").click()
    page.wait_for_url("**/edit/?id=*")
    assert page.locator("#title").input_value() == "没有保存的商品名称"


def test_a_user_signed_in_by_key_alone_renews_the_session_over_the_page_with_the_key(
    app: Flask, publisher_with_key: Person
) -> None:
    """No password is requested, and the typed text is saved."""
    enrol(publisher_with_key)
    sign_out(publisher_with_key.page)
    by_key_alone(publisher_with_key.page)
    publisher_with_key.page.wait_for_url("**/desk/")
    page, again = save_after_the_session(app, publisher_with_key)
    expect(again.get_by_role("button", name="使用密钥登录")).to_be_focused()
    flawless(page, "by key, over the page")
    again.get_by_role("button", name="使用密钥登录").click()
    page.wait_for_url("**/edit/?id=*")
    assert page.locator("#title").input_value() == "没有保存的商品名称"


def test_a_reviewer_who_must_have_a_key_enrols_it_before_anything_else(app: Flask, browse_as: BrowseAs) -> None:
    app.config["KEYS_REQUIRED"] = True
    person = browse_as()
    page = person.page
    plug_in(page)
    person.sign_in("reviewer")
    page.wait_for_url("**/keys/")
    expect(page.get_by_role("heading", level=1)).to_have_text("登记安全密钥")
    flawless(page, "a key is required")
    page.goto("/review/")
    page.wait_for_url("**/keys/")
    page.get_by_role("button", name="登记密钥").click()
    expect(page.get_by_text("已登记“")).to_be_visible()
    page.goto("/review/")
    assert page.url.endswith("/review/")
    with app.app_context(), access.everything() as session:
        session.execute(delete(SecurityKey))
        session.commit()


def test_the_operator_pages_of_keys_and_cards_have_no_accessibility_flaws(
    app: Flask, publisher_with_key: Person, browse_as: BrowseAs, tmp_path: Path
) -> None:
    """Keys, cards, a code that is shown once; the page of 卡介质登录 with cards, and that of a card without one."""
    issuer = CardIssuer(tmp_path)
    paths = {"CARD_CA": str(issuer.trusted()), "CARD_CRL": str(issuer.publish())}
    app.config.update(CARD_URL="https://localhost:8443/login/card", CARD_SECRET="x" * 32, **paths)
    enrol(publisher_with_key)
    operator = browse_as("operator")
    page = operator.page
    page.goto("/accounts/edit/?id=1")
    page.get_by_role("link", name="查看该账号的登录方式").click()
    flawless(page, "one key, no card")
    page.get_by_label("选择证书文件").set_input_files(issuer.issue("王敏"))
    operator.agree("登记这张卡")
    expect(page.get_by_text("已登记“王敏”")).to_be_visible()
    operator.agree("发放恢复码")
    expect(page.locator("code.secret")).to_have_text(re.compile("^(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}$"))
    flawless(page, "a card and a code")
    page.set_viewport_size({"width": 390, "height": 800})
    flawless(page, "on a telephone")
    stranger = browse_as().page
    for address in ("/login/key", "/login/card"):
        stranger.goto(address)
        flawless(stranger, address)
    expect(stranger.get_by_role("alert")).to_contain_text("请从登录页面的“卡介质登录”打开")
