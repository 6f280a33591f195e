"""The reviewer's day with the keyboard alone, each state before axe; test_case.py and test_keyboard.py have the rest.

On SQLite alone: a database adds nothing.
"""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from models.acts import drafts, taking
from models.application import Application
from models.database import db
from models.vocabulary import Action
from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.cast import perform_step
from tests.conftest import ActAs, MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def reviewer(browse_as: BrowseAs) -> AttentiveUser:
    """The reviewer of 江苏, signed in."""
    return AttentiveUser(browse_as("reviewer"))


@pytest.fixture
def take_as_colleague(act_as: ActAs, add_colleague: Callable[..., None]) -> Callable[[int], None]:
    """`take_as_colleague(id)`: a second reviewer of the province takes the case."""
    add_colleague("second", like="reviewer")

    def take(key: int) -> None:
        with act_as("second") as by:
            taking.take(db.session(), db.session.get_one(Application, key), by)
            db.session.commit()

    return take


def act(page: Page, name: str) -> Locator:
    """The button of an act on a page."""
    return page.locator("main").get_by_role("button", name=name, exact=True)


def open_case(reviewer: AttentiveUser, title: str) -> Page:
    """From the menu through the queue."""
    reviewer.menu("待审核")
    reviewer.enter(reviewer.page.locator("table.model-list tbody tr", has_text=title).locator("a.number"))
    flawless(reviewer.page, title)
    return reviewer.page


def test_a_certificate_is_previewed_before_the_grant(
    app: Flask, reviewer: AttentiveUser, make_application: MakeApplication
) -> None:
    """The preview opens apart, is scrolled by keys, and says why nothing could be issued; the case stays as it was."""
    make_application(status="pending", carriers=40)
    page = open_case(reviewer, "茉莉花")
    preview = preview_of(reviewer)
    expect(preview.page.get_by_role("note")).to_contain_text("证明尚未签发")
    preview.press("Tab", "End")
    preview.page.wait_for_function("scrollY > 0")
    preview.page.close()
    expect(page.get_by_role("link", name="预览证明")).to_be_focused()
    app.config["SIGNING_KEY"] = "/nowhere"
    preview = preview_of(reviewer)
    expect(preview.page.get_by_role("alert")).to_contain_text("现在还不能签发")
    preview.page.close()


def preview_of(reviewer: AttentiveUser) -> AttentiveUser:
    """The same person in the window of the preview."""
    reviewer.tab_to(reviewer.page.get_by_role("link", name="预览证明"))
    with reviewer.person.context.expect_page() as window:
        reviewer.press("Enter")
    window.value.wait_for_load_state()
    flawless(window.value, "preview")
    return AttentiveUser(reviewer.person, window.value)


def test_a_case_is_not_accepted_refused_or_extended_only_with_a_reason(
    reviewer: AttentiveUser, make_application: MakeApplication
) -> None:
    """不予受理, 不予备案, 延期: without a reason the focus goes to its field; the result has it afterwards."""
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》", "越剧《红楼梦》"):
        make_application(status="pending", title=title)
    page = open_case(reviewer, "牡丹亭")
    lacks_a_reason(reviewer, "不予受理")
    reviewer.type("不属于本机关受理范围。")
    reviewer.activate(act(page, "不予受理"))
    reviewer.agree_to("不属于本机关受理范围。")
    has_result(page, "的办理已结束")
    reviewer.enter(page.get_by_role("link", name="下一件"))
    expect(page.locator("h1")).to_contain_text("珍珠塔")
    lacks_a_reason(reviewer, "不予备案")
    reviewer.activate(page.locator(".decision-grounds summary"))
    reviewer.activate(page.locator("#decision [name=ground]").first, "Space")
    flawless(page, "a ground chosen")
    ground = page.locator("#decision [name=ground]").first.locator("..").inner_text()
    reviewer.activate(act(page, "不予备案"))
    reviewer.agree_to(ground.strip())
    has_result(page, "的办理已结束")
    reviewer.enter(page.get_by_role("link", name="下一件"))
    lacks_a_reason(reviewer, "延期")
    reviewer.type("须征求专家意见。")
    reviewer.activate(act(page, "延期"))
    reviewer.agree_to("须征求专家意见。")
    has_result(page, "的办结期限已经延长")
    reviewer.activate(act(page, "延期"))
    reviewer.answer_told("已经延期过一次", act(page, "延期"))


def lacks_a_reason(reviewer: AttentiveUser, name: str) -> None:
    """An act without its reason: the note says so, and the focus is in the field."""
    page = reviewer.page
    reviewer.activate(act(page, name))
    expect(page.get_by_role("status").filter(has_text="请填写意见")).to_be_visible()
    expect(page.get_by_label("办理意见", exact=True)).to_be_focused()
    flawless(page, f"{name} lacks a reason")


def has_result(page: Page, words: str) -> None:
    expect(page.locator(".result")).to_contain_text(words)
    expect(page.locator(".result")).to_be_focused()
    flawless(page, words)


def test_a_case_of_a_colleague_is_taken_over_and_put_back(
    reviewer: AttentiveUser, make_application: MakeApplication, take_as_colleague: Callable[[int], None]
) -> None:
    """The list and the page name the holder; a decision says why not; 接手, 放回, 接办; then the next case."""
    for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》"):
        take_as_colleague(make_application(status="pending", title=title))
    reviewer.menu("待审核")
    flawless(reviewer.page, "cases of a colleague")
    page = open_case(reviewer, "牡丹亭")
    expect(page.get_by_role("note").filter(has_text="需要由您办理时，请先点击接手")).to_be_visible()
    reviewer.activate(act(page, "退回"))
    reviewer.answer_told("second", act(page, "退回"))
    reviewer.tab_to(act(page, "接手"))
    reviewer.press("Enter")
    reviewer.agree_to("对方会收到消息")
    expect(page.locator("#lease")).to_contain_text("由您办理至")
    flawless(page, "taken over")
    reviewer.enter(act(page, "放回"))
    expect(act(page, "接办")).to_be_visible()
    expect(page.locator("main")).to_contain_text("已放回")
    flawless(page, "put back")
    reviewer.enter(act(page, "接办"))
    expect(act(page, "放回")).to_be_visible()
    reviewer.enter(page.get_by_role("link", name="下一件"))
    expect(page.locator("h1")).to_contain_text("珍珠塔")
    flawless(page, "the next one, of a colleague")
    reviewer.enter(page.get_by_role("link", name="上一件"))
    expect(page.locator("h1")).to_contain_text("牡丹亭")


def test_a_decision_that_a_colleague_prevents_loses_neither_opinion_nor_focus(
    reviewer: AttentiveUser, make_application: MakeApplication, take_as_colleague: Callable[[int], None]
) -> None:
    """The colleague takes the case while the opinion is written: refused with the name; the text is still there."""
    key = make_application(status="pending", title="昆曲《牡丹亭》")
    page, text = open_case(reviewer, "牡丹亭"), reviewer.page.get_by_label("办理意见", exact=True)
    reviewer.write(text, "请补充版次。")
    take_as_colleague(key)
    reviewer.activate(act(page, "退回"))
    expect(page.locator("#ask .ask-words")).to_contain_text("请补充版次。")
    reviewer.tab_to(page.locator("#ask [value=yes]"))
    reviewer.press("Enter")
    expect(page.locator("main [role=alert]").first).to_contain_text("second")
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"
    reviewer.flawless("a decision refused")
    reviewer.tab_to(text)
    expect(text).to_have_value("请补充版次。")


def test_many_are_granted_at_once_and_a_failed_row_says_why(
    reviewer: AttentiveUser, make_application: MakeApplication, take_as_colleague: Callable[[int], None]
) -> None:
    """全选; a case that a colleague takes meanwhile is the row that fails, and leads to its page."""
    keys = [make_application(status="pending", title=title) for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》")]
    reviewer.menu("待审核")
    page, bar = reviewer.page, reviewer.page.locator("[data-bar=grant]")
    reviewer.activate(bar)
    reviewer.answer_told("请先选择一条记录", bar)
    reviewer.activate(page.get_by_label("全选本页"), "Space")
    expect(page.locator("input[name=pick]:checked")).to_have_count(2)
    take_as_colleague(keys[1])
    reviewer.tab_to(bar, "Shift+Tab")
    reviewer.press("Enter")
    expect(page.locator("#ask .ask-words")).to_contain_text("所选 2 份申请")
    flawless(page, "asked about many")
    reviewer.tab_to(page.locator("#ask [value=yes]"))
    reviewer.press("Enter")
    expect(page.locator("h1")).to_have_text("准予备案：办理结果")
    expect(page.get_by_role("status").first).to_contain_text("已办理 1 份，没有办理 1 份")
    reviewer.flawless("a failed row")
    failed = page.locator("table.outcomes tbody tr", has_text="没有办理")
    expect(failed).to_contain_text("second")
    reviewer.enter(failed.locator("a.number"))
    expect(page.locator("h1")).to_contain_text("珍珠塔")


def test_a_resubmitted_case_is_opened_from_the_desk_and_its_certificate_waited_for(
    app: Flask, reviewer: AttentiveUser, make_application: MakeApplication, act_as: ActAs
) -> None:
    """退回后重新申报: the last opinion and the changes since; granted, 打印 waits in a window of its own."""
    key = make_application(status="returned", title="昆曲《牡丹亭》")
    with act_as("publisher") as by:
        application = db.session.get_one(Application, key)
        with drafts.revising(db.session(), application, application.version, by):
            application.title = "昆曲《牡丹亭》（修订）"
        db.session.commit()
    perform_step(app, Action.SUBMIT, key, "publisher")
    page = reviewer.page
    reviewer.menu("工作台")
    flawless(page, "the desk")
    again = page.locator(".desk-part").filter(has=page.get_by_role("heading", name="退回后重新申报"))
    reviewer.enter(again.locator("a.number"))
    expect(page.locator("#resubmission")).to_contain_text("材料需要核对。")
    expect(page.locator("#resubmission li")).to_contain_text(["昆曲《牡丹亭》（修订）"])
    reviewer.flawless("a resubmission")
    reviewer.activate(act(page, "准予备案"))
    reviewer.agree_to("确定要准予")
    has_result(page, "已签发")
    reviewer.tab_to(act(page, "打印"))
    with reviewer.person.context.expect_page() as window:
        reviewer.press("Enter")
    waiting = AttentiveUser(reviewer.person, window.value)
    expect(waiting.page.locator("main")).to_contain_text("文件正在制作")
    flawless(waiting.page, "the paper is being made")
    link = waiting.page.get_by_role("link", name="查看申请")
    waiting.tab_to(link)
    for _look in range(2):
        waiting.page.wait_for_event("response", lambda answer: "/certificate/" in answer.url)
    expect(link).to_be_focused()
    waiting.enter(link)
    expect(waiting.page.locator("h1")).to_contain_text(re.compile("已备案"))
