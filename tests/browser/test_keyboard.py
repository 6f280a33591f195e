"""One whole filing and two decisions with the keyboard alone: no mouse, no `fill`, no script; the page is only read."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FileChooser, Locator, Page, TimeoutError, expect

from models.application import Application
from models.columns import written
from tests.browser.conftest import BrowseAs
from tests.browser.person import PATIENCE, Person
from tests.cast import FIELDS, PASSWORD
from tests.conftest import MakePdf

TYPED = {
    "title": "黑胶唱片《二泉映月》",
    "catalogue_number": "ISRC CN-C18-26-0010-0/V·J4",
    "copyright_owner": "江苏文艺音像出版社",
    "summary": "二胡曲集。",
    "manufacturer": "Optimal Media GmbH",
    "contract_number": "HT-2026-019",
    "consignee": "江苏文艺音像出版社",
    "hs_code": "8523499030",
    "expected_on": str(FIELDS["expected_on"]),
    "contact": "王敏",
    "phone": "025-83210000",
}
CHOSEN = {"category": "音像制品", "country": "DEU-德国", "port": "2201-浦江海关"}
CELLS = {"载体类型": "黑胶唱片", "规格型号": "12 英寸", "进口数量": "500", "单位": "010"}
FILES = ("application_form", "licence", "sample", "contract")
FAR = 200  # presses of Tab after which a place counts as out of reach


class KeyboardUser:
    """A person without a mouse: presses keys, and reads where the focus is."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page
        self.page.set_default_timeout(3 * PATIENCE)  # a grant sets and signs a certificate before it answers

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Text, key by key."""
        self.page.keyboard.type(text)

    def tab_to(self, place: Locator, key: str = "Tab") -> None:
        """Press Tab until `place` has the focus."""
        focused = place.and_(self.page.locator(":focus"))
        for _press in range(FAR):
            if focused.count():
                return
            self.press(key)
        raise AssertionError(f"the keyboard does not reach {place}")

    def enter(self, place: Locator) -> None:
        """Tab to a link or a button, press Enter, and wait for the page that this brings."""
        self.tab_to(place)
        with self.page.expect_navigation():
            self.press("Enter")
        self.page.wait_for_load_state()

    def choose(self, field: str, option: str) -> None:
        """Type part of an option into a field that searches, move to it, take it with Enter."""
        self.tab_to(search_field(self.page, field))
        self.type(option.partition("-")[2] or option)
        for _press in range(10):
            if lit(self.page).filter(has_text=option).count():
                break
            self.press("ArrowDown")
        self.press("Enter")

    def agree(self) -> None:
        """Answer a question that starts on 取消: Tab to 确定, Enter."""
        expect(self.page.locator("#ask").get_by_role("button", name="取消")).to_be_focused()
        self.enter(self.page.locator("#ask").get_by_role("button", name="确定"))

    def sign_in(self, username: str) -> None:
        """登录: the focus starts in 用户名; Enter in the last field signs in."""
        self.page.goto("/login")
        expect(self.page.get_by_label("用户名")).to_be_focused()
        self.type(username)
        self.tab_to(self.page.get_by_label("密码", exact=True))
        self.type(PASSWORD)
        self.tab_to(self.page.get_by_label("验证码", exact=True))
        self.type(self.person.read_picture())
        with self.page.expect_navigation():
            self.press("Enter")
        self.page.wait_for_load_state()


def search_field(page: Page, field: str) -> Locator:
    """The text field of a combobox."""
    return page.locator(f"input#{field}[role=combobox]")


def lit(page: Page) -> Locator:
    """The option that Enter would take."""
    return page.locator("#choices [role=option][aria-selected=true]")


@pytest.fixture
def keyboard_user(browse_server_as: BrowseAs) -> Callable[[str], KeyboardUser]:
    """`keyboard_user("publisher")`: that person, signed in with the keyboard, in front of the real server."""

    def sign_in(username: str) -> KeyboardUser:
        found = KeyboardUser(browse_server_as())
        found.sign_in(username)
        return found

    return sign_in


def test_an_application_is_filed_and_decided_twice_with_the_keyboard(
    keyboard_user: Callable[[str], KeyboardUser], make_pdf: MakePdf
) -> None:
    """手册 第一章 from 登录 to 申报; the province returns it with an opinion; declared again, it is granted."""
    publisher = keyboard_user("publisher")
    number = fills_in(publisher)
    uploads(publisher, make_pdf)
    declares(publisher)
    expect(publisher.page.locator(".result")).to_contain_text(f"{number} 已送江苏省新闻出版局审核")
    withdraws(publisher, number)
    declares(publisher)
    province = keyboard_user("reviewer")
    returns(province, number)
    publisher.enter(publisher.page.get_by_role("link", name="查询", exact=True))
    publisher.enter(publisher.page.get_by_role("link", name=number))
    expect(publisher.page.locator(".opinion")).to_contain_text("请补充版次。")
    declares(publisher)
    grants(province, number)


def fills_in(publisher: KeyboardUser) -> str:
    """基本信息 and 载体信息 in the order in which Tab reaches them; Enter in the last cell saves. The 申请单号."""
    page = publisher.page
    publisher.enter(page.get_by_role("link", name="备案证明申请"))
    for name in (name for name in written(Application) if name in TYPED | CHOSEN):
        if name in CHOSEN:
            publisher.choose(name, CHOSEN[name])
        else:
            publisher.tab_to(page.locator(f"#{name}"))
            publisher.type(TYPED[name])
    for label, text in CELLS.items():
        publisher.tab_to(page.locator("tr.inline-row").get_by_label(label, exact=True))
        publisher.type(text)
    with page.expect_navigation():
        publisher.press("Escape", "Enter")
    expect(page.locator(".alert-success")).to_contain_text("保存。")
    expect(page.locator("#missing")).to_have_count(0)
    return page.get_by_label("申请单号").input_value()


def uploads(publisher: KeyboardUser, make_pdf: MakePdf) -> None:
    """上传附件: the focused button opens the system's file dialog."""
    page = publisher.page
    for kind in FILES:
        button = page.locator(f"#file-{kind} input[type=file]")
        publisher.tab_to(button)
        chooser = opened_by_space(publisher, button)
        chooser.set_files([{"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": make_pdf(kind)}])
        expect(page.locator(f"#file-{kind} .files li")).to_have_count(1)


def opened_by_space(publisher: KeyboardUser, button: Locator, key: str = "Space") -> FileChooser:
    """The file dialog, by Space or another key.

    On a busy machine Chromium drops one now and then: the focus is still there to press again.
    """
    for patience in (20, 20, 60):
        try:
            with publisher.page.expect_file_chooser(timeout=patience * 1000) as opened:
                publisher.press(key)
            return opened.value
        except TimeoutError:
            expect(button).to_be_focused()
    raise AssertionError(f"{key} opens no file dialog")


def declares(publisher: KeyboardUser) -> None:
    """申报 asks for confirmation; Enter chooses 取消 first and changes nothing."""
    page = publisher.page
    publisher.tab_to(page.locator(".foot").get_by_role("button", name="申报"))
    publisher.press("Enter")
    expect(page.locator("#ask").get_by_role("button", name="取消")).to_be_focused()
    publisher.press("Enter")
    expect(page.locator(".foot").get_by_role("button", name="申报")).to_be_focused()
    publisher.press("Enter")
    publisher.agree()
    expect(page.locator("h1")).to_contain_text("待审核")
    expect(page.locator(".result")).to_be_focused()


def withdraws(publisher: KeyboardUser, number: str) -> None:
    """撤回, before the province has opened it: asked, agreed; a draft again, it opens from the list as a form."""
    page = publisher.page
    publisher.tab_to(page.get_by_role("button", name="撤回"))
    publisher.press("Enter")
    publisher.agree()
    expect(page.locator(".result")).to_contain_text("已回到暂存")
    publisher.enter(page.get_by_role("link", name="查询", exact=True))
    publisher.enter(page.get_by_role("link", name=number))
    expect(page.locator("h1")).to_contain_text("暂存")


def opens(province: KeyboardUser, number: str) -> None:
    """待审核, and the number that was declared."""
    province.enter(province.page.get_by_role("navigation", name="主菜单").get_by_role("link", name="待审核"))
    province.enter(province.page.get_by_role("link", name=number))


def returns(province: KeyboardUser, number: str) -> None:
    """退回: without an opinion the focus goes to its field; Esc keeps the typed text."""
    page, text = province.page, province.page.get_by_label("办理意见", exact=True)
    opens(province, number)
    province.tab_to(page.get_by_role("button", name="退回", exact=True))
    province.press("Enter")
    expect(text).to_be_focused()
    province.type("请补充版次。")
    province.tab_to(page.get_by_role("button", name="退回", exact=True))
    province.press("Enter")
    expect(page.locator("#ask .ask-words")).to_contain_text("请补充版次。")
    province.press("Escape")
    expect(page.get_by_role("button", name="退回", exact=True)).to_be_focused()
    expect(text).to_have_value("请补充版次。")
    province.press("Enter")
    province.agree()
    expect(page.locator(".result")).to_contain_text(f"{number} 已退回江苏文艺音像出版社")


def grants(province: KeyboardUser, number: str) -> None:
    """准予备案: confirmed, then a message names the issued certificate."""
    page = province.page
    opens(province, number)
    province.tab_to(page.get_by_role("button", name="准予备案"))
    province.press("Enter")
    province.agree()
    expect(page.locator(".result")).to_contain_text(re.compile(rf"{number} 的证明 Z32\w+ 已签发"))
