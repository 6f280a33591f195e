"""The combobox: options are found by code, name or pinyin, keys work, and typed text is never lost silently.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowseAs
from tests.browser.options import FORM, options
from tests.browser.person import Person
from tests.browser.test_accessibility import flawless
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def active(page: Page, field: str) -> str:
    """The highlighted option, as a screen reader finds it from the field; "" for none."""
    name = page.locator(f"#{field}").get_attribute("aria-activedescendant")
    return page.locator(f"#{name}").inner_text() if name else ""


def test_an_option_is_found_by_code_name_part_or_pinyin(browse_as: BrowseAs) -> None:
    """Code, a part of the name, initials and whole pinyin, English, full width; the best one is highlighted."""
    page = browse_as("publisher").page
    page.goto(FORM)
    for field, typed, label in (
        ("port", "2201", "2201-浦江海关"), ("port", "浦江", "2201-浦江海关"), ("port", "pjhg", "2201-浦江海关"),
        ("port", "pujiang", "2201-浦江海关"), ("port", "ＰＪ", "2201-浦江海关"), ("port", "２２３３", "2233-浦东机场"),
        ("country", "germ", "DEU-德国"), ("country", "south korea", "KOR-韩国"), ("country", "mg", "USA-美国"),
        ("country", "xianggang", "HKG-中国香港"), ("category", "yx", "音像制品"), ("carriers-0-unit", "zh", "010-张"),
        ("carriers-0-currency", "ouyuan", "EUR-欧元"), ("carriers-0-kind", "hj", "黑胶唱片"),
        ("carriers-0-kind", "蓝光", "BD"), ("carriers-0-kind", "Blu-ray d", "BD"), ("carriers-0-kind", "4k", "UHD-BD"),
    ):  # fmt: skip
        page.locator(f"#{field}").click()
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        assert active(page, field) == label, (typed, options(page))
        page.keyboard.press("Enter")
        expect(page.locator(f"#{field}")).to_have_value(label)
    assert page.locator("select[name=port]").input_value() == "2233"
    assert page.url.endswith(FORM)  # Enter in the open list submitted nothing


def test_frequent_options_come_first_and_the_currency_list_has_currencies_only(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    page.goto(FORM)
    page.locator("#country").click()
    assert options(page)[:3] == ["HKG-中国香港", "TWN-中国台湾", "JPN-日本"]
    assert len(options(page)) >= 249
    page.locator("#carriers-0-currency").click()
    assert options(page)[:2] == ["CNY-人民币", "USD-美元"]
    assert not [label for label in options(page) if label.startswith(("XTS", "XAU", "XXX"))]


def test_the_list_is_worked_by_keys_alone(browse_as: BrowseAs) -> None:
    """ARIA APG, editable combobox with list autocomplete: what each key does, open and closed."""
    page = browse_as("publisher").page
    page.goto(FORM)
    field = page.locator("#port")
    field.focus()
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("End")
    last = active(page, "port")
    page.keyboard.press("ArrowDown")
    assert active(page, "port") == "0100-北京关区"
    page.keyboard.press("ArrowUp")
    assert active(page, "port") == last
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(field).to_have_value("0101-京机场关")
    expect(page.locator("#consignee")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Alt+ArrowDown")
    assert active(page, "port") == "0101-京机场关"
    page.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("0101-京机场关")
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(page.locator("select[name=port]")).to_have_value("__None")


def test_the_number_of_matches_is_announced(browse_as: BrowseAs) -> None:
    page = browse_as("publisher").page
    page.goto(FORM)
    heard = page.locator("#choices-status")
    page.locator("#port").click()
    page.keyboard.type("沙头")
    expect(heard).to_have_text("有 1 个选项")
    page.keyboard.type("没有的")
    expect(heard).to_have_text("没有匹配的选项，请换一个词。")


@pytest.mark.parametrize(
    ("field", "typed", "expected"),
    [("port", "浦", ""), ("carriers-0-kind", "CD", "CD"), ("carriers-0-kind", "CD-", "CD-")],
)
def test_leaving_the_field_chooses_nothing_among_several_matches(
    browse_as: BrowseAs, field: str, typed: str, expected: str
) -> None:
    """Text that matches several options gets a message and is not replaced by the best match; arrow keys choose."""
    page = browse_as("publisher").page
    page.goto(FORM)
    box = page.locator(f"#{field}")
    for leave in (lambda: page.keyboard.press("Tab"), page.locator("#title").click):
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        assert len(options(page)) > 1
        assert active(page, field)
        leave()
        expect(box).to_have_value(expected)
        expect(page.locator(f"#{field}-unknown")).to_have_text(f"“{typed}”对应多个选项，请从下拉列表中选择。")
    box.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(typed)
    second = options(page)[1]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(box).to_have_value(second)
    expect(page.locator(f"#{field}-unknown")).to_have_count(0)


def test_an_exact_name_is_chosen_though_other_names_begin_with_it(browse_as: BrowseAs) -> None:
    """Exact among several: «CD» is asked about, «dvd-rom» and «010» are not."""
    page = browse_as("publisher").page
    page.goto(FORM)
    for field, typed, label in (("carriers-0-kind", "cd-da", "CD-DA"), ("carriers-0-unit", "010", "010-张")):
        page.locator(f"#{field}").click()
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        expect(page.locator(f"#{field}")).to_have_value(label)


SEVEN_HUNDRED = "关区代码,关区名称\n" + "".join(
    f"{code:04},{'京沪津渝冀'[code % 5]}{'东南西北中'[code // 5 % 5]}{code}海关\n" for code in range(1000, 1700)
)


def test_a_full_table_of_districts_is_opened_typed_into_and_picked_from(browse_as: BrowseAs) -> None:
    """700 关区, imported by the operator. A key that moves touches the options it leaves and reaches, and no others."""
    operator = browse_as("operator")
    imports(operator, SEVEN_HUNDRED)
    page = browse_as("publisher").page
    page.goto(FORM)
    box = page.locator("#port")
    box.click()
    assert len(options(page)) == 700
    flawless(page, "700 options open")
    page.evaluate(WATCH)
    for key in ("End", "ArrowUp", "Home", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("changes") <= 20
    assert active(page, "port") == options(page)[2]
    page.keyboard.type("1699")
    assert options(page)[0].startswith("1699-")
    page.keyboard.press("Tab")
    expect(page.locator("select[name=port]")).to_have_value("1699")
    box.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("京中1620")
    page.get_by_role("option", name="1620-京中1620海关").click()
    expect(page.locator("select[name=port]")).to_have_value("1620")


WATCH = """() => {
  window.changes = 0;
  const watch = new MutationObserver((list) => { changes += list.length; });
  watch.observe(document.getElementById("choices-list"), { subtree: true, childList: true, attributes: true });
}"""


def imports(operator: Person, table: str) -> None:
    """导入 of a whole table, with the operator's 我已核对: all former districts end."""
    page = operator.page
    page.goto("/districts/")
    file = {"name": "关区.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    operator.turn_over("预览")
    page.get_by_label("我已核对").check()
    operator.turn_over("确定导入")
    expect(page.locator(".alert-success")).to_contain_text("已导入 700 个关区")


def test_comboboxes_of_three_hundred_rows_are_built_only_on_focus(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """One popup for the page; a cell is dressed as a combobox when focus reaches it."""
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={make_application(carriers=300)}")
    dressed = "document.querySelectorAll('.inline-rows [role=combobox]').length"
    assert page.evaluate(dressed) == 0
    assert page.evaluate("document.querySelectorAll('[role=listbox]').length") == 1
    page.get_by_role("button", name="展开全部 300 条").click()
    page.locator("#carriers-299-unit").click()
    assert page.evaluate(dressed) == 1
    page.keyboard.type("he")
    page.keyboard.press("Enter")
    expect(page.locator("#carriers-299-unit")).to_have_value("140-盒")


def test_an_organisation_is_found_on_the_server_with_one_request(browse_as: BrowseAs) -> None:
    """The operator's fields: asked once, 200 ms after the last key; by name, code and pinyin; saved as chosen."""
    operator = browse_as("operator")
    page, asked = operator.page, list[str]()
    page.on("request", lambda request: asked.append(request.url) if "/ajax/lookup/" in request.url else None)
    page.goto("/accounts/new/")
    page.get_by_label("用户名").fill("xinren")
    page.get_by_label("姓名").fill("钱江")
    operator.pick("role", "cbdw", "出版单位")
    page.locator("#organisation").focus()
    page.keyboard.type("jsdz")
    expect(page.get_by_role("option")).to_have_text(["91320000134700202X-江苏电子音像出版社"])
    assert len(asked) == 1
    page.keyboard.press("Enter")
    operator.turn_over("保存")
    expect(page.locator(".alert-warning")).to_contain_text("xinren 的一次性密码")
    page.goto("/accounts/?username=xinren")
    expect(operator.row("xinren")).to_contain_text("江苏电子音像出版社")


def test_a_query_form_filters_by_the_option_chosen_in_its_combobox(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    make_application()
    make_application(status="pending")
    person = browse_as("publisher")
    expect(person.page.locator("#status")).to_have_value("全部")
    person.pick("status", "dsh", "待审核")
    person.turn_over("查询")
    expect(person.page.locator("table.model-list tbody tr")).to_have_count(1)
    expect(person.page.locator("#status")).to_have_value("待审核")
