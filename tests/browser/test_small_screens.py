"""Layout on small screens: acts in one line, messages of corrected fields, previews on a phone, 作废 by keyboard."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.attentive import look
from tests.browser.conftest import BrowseAs
from tests.browser.sheet import clipboard_text, paste
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication, StoredRows

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
LINES = """cells => cells.map((cell) => {
  const shown = [...cell.querySelectorAll(".act")].filter((act) => act.offsetParent);
  const tops = shown.map((act) => act.getBoundingClientRect().top);
  return Math.max(...tops) - Math.min(...tops);
})"""


def runs_over(element: Locator) -> bool:
    """Whether it has to be scrolled sideways."""
    return bool(element.evaluate("element => element.scrollWidth > element.clientWidth"))


@pytest.mark.parametrize(
    ("username", "path"),
    [("reviewer", "/review/"), ("reviewer", "/exchange/"), ("national", "/register/"), ("publisher", "/applications/")],
)
def test_the_acts_of_a_row_stand_in_one_line(
    browse_as: BrowseAs, make_application: MakeApplication, username: str, path: str
) -> None:
    """Also on a laptop of 1280 px, beside the menu; and the list needs no scrolling sideways."""
    for status in ("pending", "filed", "customs_failed"):
        make_application(status=status)
    page = browse_as(username, width=1280, height=720).page
    page.goto(path)
    heights = page.locator("td.col-acts:has(.act)").evaluate_all(LINES)
    assert heights and max(heights) < 10, heights
    assert not runs_over(page.locator(".table-responsive"))


def test_no_chosen_code_of_a_carrier_runs_under_its_chevron(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    page = browse_as("publisher", width=1280, height=720).page
    page.goto(f"/applications/edit/?id={make_application(carriers=2)}")
    cells = page.locator(".inline-table tbody tr:first-child input.form-control:is([list], [role=combobox])")
    room = cells.evaluate_all("cells => cells.map((cell) => parseFloat(getComputedStyle(cell).paddingRight))")
    assert len(room) == 3 and min(room) >= 24
    assert not runs_over(page.locator("#carriers .table-responsive").first)


def test_the_message_of_a_field_goes_away_once_it_is_filled(browse_as: BrowseAs) -> None:
    """Text and code alike, and their lines in the summary; the messages of the others stay."""
    person = browse_as("publisher")
    page = person.page
    page.goto("/applications/new/")
    person.press("申报")
    person.answer("确定")
    lines = page.locator("#missing li")
    expect(lines.filter(has_text="请填写联系人")).to_have_count(1)
    before = lines.count()
    page.locator("#contact").fill("王敏")
    person.pick("country", "德国", "DEU-德国")
    for name in ("联系人", "国别（地区）"):
        expect(page.get_by_text(f"请填写{name}。")).to_have_count(0)
    expect(lines).to_have_count(before - 2)
    assert page.locator("#contact").get_attribute("aria-invalid") is None
    expect(page.locator(".field.wrong", has=page.locator("#country, #contact"))).to_have_count(0)
    expect(page.locator("#title-note")).to_have_text("请填写商品名称。")


def test_the_hint_of_a_field_comes_back_when_its_message_goes_away(browse_as: BrowseAs) -> None:
    """The message stands in its place meanwhile; then the hint describes the field again."""
    person = browse_as("publisher")
    page = person.page
    page.goto("/applications/new/")
    person.press("申报")
    person.answer("确定")
    number, hint = page.locator("#catalogue_number"), page.locator(".field:has(#catalogue_number) .note:not(.error)")
    expect(page.locator("#catalogue_number-note")).to_have_text("请填写版号。")
    expect(hint).to_be_hidden()
    number.fill("ISBN 978-7-00-000000-0")
    expect(hint).to_be_visible()
    assert number.get_attribute("aria-describedby") == hint.get_attribute("id") == "catalogue_number-note"


def test_the_message_of_a_field_of_the_login_page_goes_away(browse_as: BrowseAs) -> None:
    page = browse_as().page
    page.goto("/login")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("请填写用户名。")).to_be_visible()
    page.get_by_label("用户名").fill("publisher")
    expect(page.get_by_text("请填写用户名。")).to_have_count(0)
    expect(page.get_by_text("请填写密码。")).to_be_visible()


def test_the_preview_of_pasted_rows_fits_a_phone(browse_as: BrowseAs) -> None:
    person = browse_as("publisher", width=390, height=844)
    person.page.goto("/applications/new/")
    rows: list[list[object]] = [["规格型号", "进口数量", "单位", "名称"], ["120 mm", "abc", "张", "第一张"]]
    preview = paste(person, clipboard_text(rows)).locator("#block-preview")
    expect(preview.get_by_text("请只填写数字")).to_be_visible()
    assert not runs_over(preview) and not runs_over(preview.locator(".table-responsive"))
    expect(preview.locator("td.col-specification")).to_have_attribute("data-label", "规格型号")
    flawless(person.page, "preview of pasted rows")


def test_a_certificate_is_revoked_by_keyboard_alone(
    browse_as: BrowseAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The reason is a list as every other: arrows open and choose, typing finds; its message goes once it is chosen."""
    key = make_application(status="filed")
    page = browse_as("reviewer").page
    page.goto(f"/filings/details/?id={key}")
    page.get_by_role("button", name="作废").first.focus()
    for stroke in ("Enter", "Tab", "Enter"):
        page.keyboard.press(stroke)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("请选择原因。")).to_be_visible()
    expect(dialog.get_by_role("combobox", name="原因")).to_be_focused()
    page.keyboard.type("申请人")
    expect(page.get_by_role("option")).to_have_text(["申请人申请作废"])
    flawless(page, "作废 with its reasons open")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("请选择原因。")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("收货单位有误。")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    records = stored_rows(key)
    assert records["application"][0]["status"] == "revoked"
    assert records["trail_entry"][-1]["opinion"] == "收货单位有误。"


BROKEN_DATES = """() => {
  const found = [], range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) for (const {0: date, index} of texts.currentNode.data.matchAll(/\\d{4}-\\d\\d-\\d\\d/g)) {
    range.setStart(texts.currentNode, index);
    range.setEnd(texts.currentNode, index + date.length);
    if (new Set([...range.getClientRects()].filter(({width}) => width).map(({top}) => Math.round(top))).size > 1)
      found.push(texts.currentNode.data.trim());
  }
  return found;
}"""


@pytest.mark.parametrize("username", ["publisher", "reviewer", "national", "operator"])
def test_no_date_is_broken_on_the_smallest_screen(
    browse_as: BrowseAs, make_application: MakeApplication, username: str
) -> None:
    """On every page of the menu, at 320 px and widths between there and a phone's."""
    for status in ("draft", "pending", "customs_received"):
        make_application(status=status)
    page = browse_as(username, width=320, height=700).page
    paths = page.locator("#menu a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert paths
    for path in paths:
        page.goto(path)
        for width in (320, 340, 360):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate(BROKEN_DATES) == [], (path, width)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1024, 700)])
def test_the_way_to_the_acts_of_a_case_stays_in_sight_until_one_is_with_them(
    browse_as: BrowseAs, make_application: MakeApplication, width: int, height: int
) -> None:
    """The acts are below all fields there; the link covers neither them nor the focus."""
    page = browse_as("reviewer", width=width, height=height).page
    page.goto(f"/review/details/?id={make_application(status='pending', carriers=12)}")
    way = page.get_by_role("link", name="填写意见并办理")
    for y in (0, 700):
        page.evaluate("y => scrollTo(0, y)", y)
        expect(way).to_be_in_viewport(ratio=1)
    while way.is_visible():
        page.keyboard.press("Tab")
        assert look(page) == ""
    expect(page.get_by_label("办理意见", exact=True)).to_be_focused()
    page.locator("h1").click()
    way.click()
    expect(page.get_by_label("办理意见", exact=True)).to_be_in_viewport(ratio=1)
    expect(way).to_be_hidden()
    page.locator("h1").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    acts, link = page.locator(".decision-acts").bounding_box(), way.bounding_box()
    assert acts and link and acts["y"] + acts["height"] <= link["y"]


def test_the_acts_of_a_case_stay_in_sight_below_lists_that_are_opened(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    page = browse_as("reviewer", width=1366, height=600).page
    page.goto(f"/review/details/?id={make_application(status='pending')}")
    for heading in page.locator("#decision summary").all():
        heading.click()
        expect(page.locator(".decision-acts")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("username", "path"), [("national", "/register/"), ("operator", "/accounts/")])
def test_the_fields_of_a_query_stay_within_their_card_on_the_smallest_screen(
    browse_as: BrowseAs, username: str, path: str
) -> None:
    page = browse_as(username, width=320, height=700).page
    page.goto(path)
    edges = "elements => elements.map((each) => each.getBoundingClientRect().right)"
    (card,) = page.locator("form.query").evaluate_all(edges)
    assert max(page.locator("form.query .form-control:visible").evaluate_all(edges)) <= card


def test_a_printed_list_has_neither_boxes_to_tick_nor_acts(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    make_application(status="pending")
    page = browse_as("reviewer").page
    page.goto("/filings/")
    expect(page.locator(".model-list .act:visible").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".model-list .number")).to_be_visible()
    assert page.locator(".model-list :is(.act, input, th.col-acts):visible").count() == 0
