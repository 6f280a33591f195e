"""Words without a blank, as long as their field allows: they wrap, and neither widen a page nor lie under a tag."""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from models import access, clock
from models.notifications.announcements import Announcement
from models.people.portal_links import request_link
from models.vocabulary import Role
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.conftest import MakeApplication
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
WORD = "Maintenance" * 9
OVER = """() => {
  const [tag, title] = [".col-state .badge", "tbody td:first-child"].map((each) => document.querySelector(each));
  const range = document.createRange();
  range.selectNodeContents(title);
  return Math.max(...[...range.getClientRects()].map((line) => line.right)) > tag.getBoundingClientRect().left;
}"""


LINES = "e => Math.round(e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight))"


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_the_title_of_an_announcement_wraps_on_a_phone(app: Flask, browse_as: BrowseAs) -> None:
    """On desk and message; in the operator's list beside its tag."""
    today = clock.today()
    with app.app_context(), access.everything() as session:
        until = today + timedelta(days=9)
        session.add(Announcement(title=WORD, text=WORD, roles=frozenset(Role), since=today, until=until))
        session.commit()
    page = browse_as("operator", width=390, height=800).page
    for path in ("/desk/", "/messages/announcement/?id=1", "/announcements/"):
        page.goto(path)
        assert WORD in page.locator("main").inner_text() and not is_too_wide(page), path
    assert not page.evaluate(OVER)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_names_of_a_portal_user_wrap(app: Flask, browse_as: BrowseAs, width: int) -> None:
    app.config["PORTAL_ISSUER"], app.config["PORTAL_CLIENT_ID"] = "https://portal.example.cn", "filing"
    with app.app_context(), access.everything() as session:
        found = {"name": "阿" * 100, "organisation": WORD, "credit_code": "12320000466000101W"}
        request_link(session, "https://portal.example.cn", "f81d4fae7dec11d0" * 12, found, "10.0.0.1")
        session.commit()
    page = browse_as("operator", width=width, height=800).page
    page.goto("/portal/")
    assert WORD in page.locator("main").inner_text() and not is_too_wide(page)


def test_the_table_of_api_keys_fits_a_tablet(browse_as: BrowseAs) -> None:
    page = browse_as("publisher", width=768, height=800).page
    page.goto("/apikeys/")
    page.locator("[name=name]").fill("M" * 40)
    page.get_by_role("button", name="生成密钥").click()
    page.goto("/apikeys/")
    assert "M" * 40 in page.locator("main").inner_text() and not is_too_wide(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_number_beside_a_box_lies_beside_its_tag_on_a_phone(
    browse_as: BrowseAs, make_application: MakeApplication, language: str
) -> None:
    make_application(status="customs_failed")
    person = browse_as("publisher", width=320, height=800)
    person.context.add_cookies([{"name": COOKIE, "value": language, "url": person.address}])
    person.page.goto("/applications/")
    number, tag = (person.page.locator(f"tbody tr {each}").first.bounding_box() for each in (".number", ".badge"))
    assert number and tag
    assert number["x"] + number["width"] <= tag["x"] or number["y"] >= tag["y"] + tag["height"]


@in_whole_chromium
def test_the_steps_of_a_case_stay_within_their_card_beside_an_open_file(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """In English they are longest."""
    key = make_application(status="pending")
    person = browse_as("reviewer", width=1366, height=800)
    person.context.add_cookies([{"name": COOKIE, "value": "en", "url": person.address}])
    page = person.page
    page.goto(f"/review/details/?id={key}")
    page.locator("a[data-beside]").first.click()
    expect(page.locator("#viewer")).to_be_visible()
    step, fields = (page.locator(each).bounding_box() for each in (".steps li:last-child span", ".case-fields"))
    assert step and fields and step["x"] + step["width"] <= fields["x"] + fields["width"]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_title_of_300_characters_takes_few_lines_of_a_list(
    browse_as: BrowseAs, make_application: MakeApplication, width: int
) -> None:
    """Its tooltip, and the page of the application, have the whole title."""
    title = "乐" * 300
    key = make_application(status="pending", title=title)
    page = browse_as("reviewer", width=width, height=800).page
    for path, cell, most in (
        ("/review/", "td.col-title span", 3), ("/messages/", "td.col-sentence > span", 5), ("/desk/", "strong", 3),
    ):  # fmt: skip
        page.goto(path)
        lines = page.locator(cell, has_text=title).first.evaluate(LINES)
        assert 1 <= lines <= most, (path, lines)
    page.goto("/review/")
    assert page.locator(f"td[title='{title}']").count() == 1
    page.goto(f"/review/details/?id={key}")
    assert page.get_by_text(title).first.is_visible()


def test_the_english_name_of_a_unit_is_seen_whole(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    person = browse_as("publisher", width=1280, height=800)
    person.context.add_cookies([{"name": COOKIE, "value": "en", "url": person.address}])
    person.page.goto(f"/applications/edit/?id={make_application(carriers=2)}")
    units = person.page.locator(".inline-table tbody tr:not([hidden]) td.col-unit input")
    expect(units.first).to_have_value("010-sheets")
    assert all(units.evaluate_all("units => units.map((unit) => unit.scrollWidth <= unit.clientWidth)"))
    assert not person.page.locator("#carriers .table-responsive").first.evaluate("e => e.scrollWidth > e.clientWidth")


def test_the_query_form_of_the_exchange_fits_320_px_in_english(browse_as: BrowseAs) -> None:
    person = browse_as("reviewer", width=320, height=800)
    person.context.add_cookies([{"name": COOKIE, "value": "en", "url": person.address}])
    person.page.goto("/exchange/")
    assert not is_too_wide(person.page)


def test_the_table_of_figures_fits_a_phone(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    make_application(status="filed")
    page = browse_as("national", width=390, height=800).page
    page.goto("/statistics/")
    assert not page.locator(".counts").evaluate("counts => counts.scrollWidth > counts.clientWidth")
