"""统计 and the register of the nation with the keyboard alone, each state before axe.

On SQLite alone: a database adds nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from models import clock
from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.test_accessibility import flawless
from tests.cast import make_papers
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def nation(browse_as: BrowseAs, make_application: MakeApplication, make_publisher: Callable[..., str]) -> AttentiveUser:
    """The nation, signed in; 江苏 has issued two certificates today, of 2,001 and 1,000 discs, 广东 one."""
    make_application(status="filed", carriers=2, title="昆曲《牡丹亭》")
    make_application(status="filed", title="评弹《珍珠塔》")
    make_application(by=make_publisher("440000"), status="filed", title="粤剧《帝女花》")
    return AttentiveUser(browse_as("national"))


def rows(page: Page) -> Locator:
    return page.locator("table.model-list tbody tr")


def asked(nation: AttentiveUser, **typed: str) -> None:
    """Type into fields of the query form, and wait for the page that Enter in the last one brings."""
    for field, text in typed.items():
        nation.write(nation.page.locator(f"#{field}"), text)
    send(nation)


def send(nation: AttentiveUser) -> None:
    with nation.page.expect_navigation():
        nation.press("Enter")
    nation.page.wait_for_load_state()


def test_a_figure_of_one_province_this_quarter_takes_at_most_three_activations(nation: AttentiveUser) -> None:
    """How many were issued, and how many discs: 统计, and the row of 江苏; the number leads to its certificates."""
    page = nation.page
    nation.menu("统计")
    flawless(page, "this quarter by province")
    expect(page.locator("nav.sizes [aria-current=true]")).to_have_text("本季度")
    jiangsu = page.locator("#figures tbody tr", has_text="江苏省")
    expect(jiangsu.locator("td").first).to_have_text("2")
    expect(jiangsu).to_contain_text("3,001")
    nation.enter(jiangsu.get_by_role("link", name="2", exact=True))
    expect(rows(page)).to_have_count(2)
    flawless(page, "the certificates behind a number")
    page.go_back()
    nation.enter(page.locator("#figures tbody tr", has_text="江苏省").get_by_role("link", name="3,001"))
    expect(rows(page)).to_have_count(2)


def test_statistics_of_any_days_are_asked_for_corrected_and_exported(nation: AttentiveUser) -> None:
    """Days that are no quarter, one province, another dimension; days that make no sense; the table as a file."""
    page, today = nation.page, clock.today()
    nation.menu("统计")
    asked(nation, since="昨天上午")
    expect(page.locator(".query .wrong [role=alert]")).to_be_visible()
    expect(page.locator("#since")).to_be_focused()
    expect(page.locator("#since")).to_have_value("昨天上午")
    flawless(page, "a day that is none")
    asked(nation, since=str(today), until=str(today - timedelta(days=40)))
    expect(page.locator(".query [aria-invalid=true]").first).to_be_focused()
    flawless(page, "an end before the beginning")
    asked(nation, since=str(today - timedelta(days=40)), until=str(today))
    nation.choose("dimension", "出版单位")
    nation.choose("province", "江苏省")
    expect(page.locator("#province")).to_have_value("江苏省")
    send(nation)
    expect(page.locator("#figures caption")).to_contain_text(f"{today - timedelta(days=40)} 至 {today} · 江苏省")
    expect(page.locator("#figures tbody tr")).to_contain_text(["江苏文艺音像出版社"])
    nation.flawless("odd days by publisher")
    nation.tab_to(page.get_by_role("link", name="导出 CSV"))
    with page.expect_download() as download:
        nation.press("Enter")
    assert "江苏文艺音像出版社" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    expect(page.locator(".bar-export [role=status]")).to_have_text("下载已开始。")
    nation.tab_to(page.get_by_role("link", name="上季度"), "Shift+Tab")
    send(nation)
    expect(page.locator("#figures .empty")).to_contain_text("本期没有数据")
    flawless(page, "a period without figures")


def test_the_register_is_filtered_by_number_date_and_quantity(nation: AttentiveUser) -> None:
    """Each filter typed and sent by Enter; one that cannot be read has the focus, and keeps its text."""
    page = nation.page
    nation.menu("备案证明查询")
    expect(rows(page)).to_have_count(3)
    number = rows(page).filter(has_text="牡丹亭").locator(".col-certificate").inner_text()
    asked(nation, certificate=number.lower())
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("昆曲《牡丹亭》")
    flawless(page, "one number")
    nation.enter(page.get_by_role("link", name="重置"))
    asked(nation, issued_since="本月")
    expect(rows(page)).to_have_count(3)
    asked(nation, amount_since="两千")
    expect(page.locator("#amount_since")).to_be_focused()
    expect(page.locator("#amount_since")).to_have_value("两千")
    flawless(page, "a quantity that is none")
    asked(nation, amount_since="2,000")
    expect(rows(page)).to_have_count(1)
    asked(nation, amount_until="1500")
    expect(page.locator(".query [aria-invalid=true]").first).to_be_focused()
    nation.flawless("a range whose end is less")
    asked(nation, amount_since="")
    expect(rows(page)).to_have_count(2)
    nation.activate(page.locator(".query-more summary"))
    nation.choose("kind", "黑胶唱片")
    expect(page.locator("#kind")).to_have_value("黑胶唱片")
    flawless(page, "more filters")
    send(nation)
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".query-more")).to_have_attribute("open", "")


@in_whole_chromium
def test_many_certificates_are_printed_into_one_window(app: Flask, nation: AttentiveUser) -> None:
    """全选, 打印: the dialog counts, then 确定 has the focus; the ticks stay."""
    make_papers(app)
    page, bar = nation.page, nation.page.locator("[data-bar=print]")
    nation.menu("备案证明查询")
    nation.activate(page.get_by_label("全选本页"), "Space")
    nation.tab_to(bar, "Shift+Tab")
    nation.press("Enter")
    expect(page.locator("#ask .ask-words")).to_contain_text("已准备好")
    expect(page.locator("#ask [value=yes]")).to_be_focused()
    flawless(page, "prepared")
    with nation.person.context.expect_page() as window:
        nation.press("Enter")
    window.value.wait_for_url("**/register/bundle/?job=*")
    window.value.close()
    expect(bar).to_be_focused()
    expect(page.locator("input[name=pick]:checked")).to_have_count(3)
    nation.menu("打印与导出日志")
    expect(rows(page).first).to_contain_text("周国")
    flawless(page, "who printed what")
