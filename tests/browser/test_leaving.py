"""A page with unsaved text asks before it is left, by a link or by a change of the language."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs
from tests.browser.sheet import clipboard_text, fill_in, paste
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("who", "path", "field"),
    [
        ("reviewer", "/province/opinions/", "textarea >> nth=0"),
        ("reviewer", "/province/", "#accept_days"),
        ("publisher", "/apikeys/", ".key-form input[name=name]"),
        ("publisher", "/keys/", ".key-form input[name=name]"),
        ("publisher", "/entrusting/new/", "#agent"),
        ("operator", "/accounts/new/", "#name"),
        ("operator", "/announcements/new/", "#text"),
    ],
)
def test_changing_the_language_warns_before_typed_text_is_lost(
    browse_as: BrowseAs, who: str, path: str, field: str
) -> None:
    page = browse_as(who).page
    page.goto(path)
    page.locator(field).fill("7")
    asked: list[str] = []
    page.once("dialog", lambda question: (asked.append(question.type), question.dismiss()))
    page.get_by_role("link", name="English").click()
    expect(page.locator(field)).to_have_value("7")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert asked == ["beforeunload"]


def test_who_stays_can_sign_out_later(browse_as: BrowseAs) -> None:
    """The guard against double clicks ends with the question."""
    page = browse_as("publisher").page
    page.goto("/entrusting/new/")
    page.get_by_label("受托单位").fill("7")
    answers = ["stay", "stay", "leave"]
    page.on("dialog", lambda question: question.accept() if answers.pop(0) == "leave" else question.dismiss())
    for _answer in answers[:2]:
        with page.expect_event("dialog"):
            page.get_by_role("button", name="退出").click(no_wait_after=True)
        expect(page.locator("form[aria-busy]")).to_have_count(0)
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login")


@pytest.mark.parametrize("way", ["pasted", "duplicated"])
def test_carrier_rows_filled_by_a_script_are_not_left_without_a_warning(
    browse_as: BrowseAs, make_application: MakeApplication, way: str
) -> None:
    publisher = browse_as("publisher")
    page = publisher.page
    page.goto(f"/applications/edit/?id={make_application(carriers=1)}")
    if way == "pasted":
        paste(publisher, clipboard_text([["规格型号", "进口数量"], ["第 2 卷", 2]]))
        fill_in(publisher)
    else:
        publisher.press("复制", page.locator("tr.inline-row").first)
    asked: list[str] = []
    page.once("dialog", lambda question: (asked.append(question.type), question.dismiss()))
    page.get_by_role("link", name="English").click()
    expect(page.locator("tr.inline-row:visible")).to_have_count(2)
    assert asked == ["beforeunload"]


def test_a_form_outside_the_application_is_sent_without_a_leave_warning(browse_as: BrowseAs) -> None:
    publisher = browse_as("publisher")
    publisher.page.goto("/apikeys/")
    publisher.page.locator(".key-form input[name=name]").fill("统计程序")
    publisher.page.on("dialog", lambda question: pytest.fail(question.type))
    publisher.turn_over("生成密钥")
    expect(publisher.page.locator("code.secret")).to_be_visible()


def test_the_user_name_stays_when_the_language_changes(browse_as: BrowseAs) -> None:
    page = browse_as().page
    page.goto("/login")
    page.get_by_label("用户名").fill("publisher")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_label("User name")).to_have_value("publisher")
    page.reload()
    expect(page.get_by_label("User name")).to_have_value("")


def test_an_empty_list_shows_no_select_all_box(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    page.goto("/applications/?title=没有这个名称")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator("#pick-all")).to_be_hidden()
