"""The login page with its 验证码, in a real browser."""

import shutil
from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server


@pytest.fixture
def page(captcha_app: Flask) -> Iterator[Page]:
    """The login page in a real browser; any message on its console fails the test."""
    server = make_server("127.0.0.1", 0, captcha_app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto("/login", wait_until="networkidle")
        yield page
        browser.close()
    server.shutdown()
    assert messages == []


def test_the_login_page_renews_and_speaks_the_code_and_shows_the_password(page: Page) -> None:
    before = page.get_attribute("#picture", "src")
    page.fill("#code", "123")
    with page.expect_response("**/captcha.png?new*") as drawn:
        page.click("text=看不清？换一张")
    assert drawn.value.ok
    assert page.get_attribute("#picture", "src") != before
    assert page.input_value("#code") == ""
    expect(page.locator("#captcha-status")).to_contain_text("已更换")
    with page.expect_response("**/captcha.wav*") as spoken:
        page.click("text=听验证码")
    assert spoken.value.ok
    page.evaluate("() => new Promise((heard) => { document.querySelector('#voice').ontimeupdate = heard; })")
    assert page.evaluate("document.querySelector('#voice').duration") > 2
    page.fill("#password", "demo")
    page.click("[aria-label=显示密码]")
    assert page.get_attribute("#password", "type") == "text"
    page.click("[aria-label=显示密码]")
    assert page.get_attribute("#password", "type") == "password"


def test_the_login_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    for field in ("#username", "#password", "#code", "#picture", "button[type=submit]"):
        box = page.locator(field).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 44
