"""A person with a browser of their own, and the errors that this browser reported."""

import re
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

from tests.browsing import signed_in
from tests.cast import PASSWORD
from views.entrance import captcha

PATIENCE = 20_000  # milliseconds; the machine may be busy with other tests
REFUSALS = {401, 403, 409, 422}  # answers that carry a sentence: Chromium logs each of them as an error
ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


class Person:
    """One browser context: own cookies, own window. `complaints` must be empty when the test is over."""

    def __init__(self, app: Flask, address: str, browser: Browser, width: int, height: int, density: float = 1) -> None:
        self.app, self.address, self.complaints = app, address, list[str]()
        self.others: list[str] = []  # hosts that this person may request, besides the application's
        self.context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            device_scale_factor=density,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("response", self._answered)
        self.page: Page = self.context.new_page()

    def _heard(self, message: ConsoleMessage) -> None:
        """Errors and warnings of scripts, and every violation of the content security policy."""
        answered, where = ANSWERED.match(message.text), message.location["url"]
        refused = answered and int(answered[1]) in REFUSALS
        if message.type in ("error", "warning") and not refused:
            self.complaints.append(f"{message.type}: {message.text} {where}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, *self.others, "data:", "blob:", "about:", "chrome")):
            self.complaints.append(f"asked another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in REFUSALS:
            self.complaints.append(f"{response.status}: {response.url}")

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """登录, as a person does: name, password, and the 验证码 read off the picture."""
        self.page.goto("/login")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码", exact=True).fill(password)
        self.page.get_by_label("验证码", exact=True).fill(self.read_picture())
        self.page.get_by_role("button", name="登录").click()
        self.page.wait_for_url(lambda address: "/login" not in address)

    def enter(self, username: str) -> None:
        """Be signed in without the login page, which takes a second and has tests of its own."""
        cookie = signed_in(self.app, username).get_cookie(str(self.app.config["SESSION_COOKIE_NAME"]))
        assert cookie
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
        self.page.goto("/")

    def open_list(self) -> None:
        """Open the first list of the menu, the entry after the desk."""
        first = self.page.locator("#menu a").nth(1).get_attribute("href") or ""
        self.page.goto(first.removesuffix("new/"))

    def read_picture(self, picture: str = "#picture") -> str:
        """The digits of the picture, computed from its cookie with the server's secret."""
        self.page.locator(picture).evaluate("picture => picture.decode()")
        named = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        serializer: Any = self.app.session_interface.get_signing_serializer(self.app)
        nonce, _made = serializer.loads(named[self.app.config["SESSION_COOKIE_NAME"]])["challenge"]
        with self.app.app_context():
            return captcha.digits_of(nonce)

    def press(self, name: str, within: Locator | None = None) -> None:
        """Click the button of that name, once the page is loaded and its scripts listen."""
        self.page.wait_for_load_state()
        (within or self.page.locator("main")).get_by_role("button", name=name, exact=True).click()

    def turn_over(self, name: str) -> None:
        """Click a button that loads a page, and wait for it: until then the old page would take further clicks."""
        with self.page.expect_navigation():
            self.press(name)

    def answer(self, name: str) -> None:
        """Answer the dialog with 确定 or 取消."""
        self.press(name, self.page.get_by_role("dialog"))

    def agree(self, name: str, within: Locator | None = None) -> None:
        """Press a button that asks first, answer 确定, and wait for the page that follows."""
        self.press(name, within)
        with self.page.expect_navigation():
            self.answer("确定")

    def pick(self, field: str, typed: str, option: str) -> None:
        """Open a combobox, type a part of an option, and click the option that it finds (手册 第一章: 模糊查询)."""
        self.page.locator(f"input#{field}").click()  # combobox.js puts it in front of the select
        self.page.keyboard.type(typed)
        self.page.get_by_role("listbox").get_by_role("option", name=option).click()

    def row(self, words: str) -> Locator:
        """The row of the list that holds these words."""
        return self.page.locator("table.model-list tbody tr", has_text=words)

    def attach(self, kind: str, **files: bytes) -> None:
        """Choose files for one box of 上传附件, all at once; a name comes without its ending."""
        chosen: Any = [
            {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": content} for name, content in files.items()
        ]
        self.page.locator(f"#file-{kind} input[type=file]").set_input_files(chosen)

    def opened(self, link: Locator) -> bytes:
        """The body of the page that a link or button opens in a new window."""
        with self.context.expect_page() as window:
            link.click()
        window.value.wait_for_url("**/*?id=*")
        answer = self.context.request.get(window.value.url)
        assert answer.ok, answer.status
        window.value.close()
        return answer.body()
