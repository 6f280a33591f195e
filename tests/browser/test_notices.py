"""Notices: success fades, errors stay and get the focus, a chosen file shows its name."""

from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs
from tests.conftest import MakeApplication

FILE = {"name": "关区 2026.csv", "mimeType": "text/csv", "buffer": "关区代码,关区名称\n2233,浦江\n".encode()}


def test_a_chosen_import_file_shows_its_name_before_it_is_sent(browse_as: BrowseAs) -> None:
    page = browse_as("operator").page
    page.goto("/districts/")
    page.locator("form.import input[type=file]").set_input_files(FILE)  # type: ignore[arg-type]
    expect(page.locator("form.import label")).to_contain_text("关区 2026.csv")


def test_a_success_notice_fades_and_a_notice_of_missing_fields_stays_and_gets_the_focus(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    key, person = make_application(title=None), browse_as("publisher")
    page = person.page
    page.clock.install()
    page.goto(f"/applications/edit/?id={key}")
    person.turn_over("保存")
    found = page.locator(".alert-success")
    expect(found).to_be_visible()
    page.clock.fast_forward(6000)
    expect(found).to_have_class("alert alert-success faded")
    page.goto(f"/applications/edit/?id={key}")
    person.agree("申报")
    page.clock.fast_forward(60_000)
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#missing")).to_contain_text("商品名称")
