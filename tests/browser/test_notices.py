"""What a page has to say: success fades, what is wrong stays and is read first, a chosen file shows its name."""

from playwright.sync_api import expect

from tests.browser.conftest import Coming
from tests.conftest import Making

FILE = {"name": "关区 2026.csv", "mimeType": "text/csv", "buffer": "关区代码,关区名称\n2233,浦江\n".encode()}


def test_a_file_to_import_shows_its_name_before_it_is_sent(comes: Coming) -> None:
    page = comes("operator").page
    page.goto("/districts/")
    page.locator("form.import input[type=file]").set_input_files(FILE)  # type: ignore[arg-type]
    expect(page.locator("form.import label")).to_contain_text("关区 2026.csv")


def test_success_fades_and_what_is_missing_stays_and_is_read_first(comes: Coming, make_application: Making) -> None:
    key, person = make_application(title=None), comes("publisher")
    page = person.page
    page.clock.install()
    page.goto(f"/applications/edit/?id={key}")
    person.turn_over("保存")
    told = page.locator(".alert-success")
    expect(told).to_be_visible()
    page.clock.fast_forward(6000)
    expect(told).to_have_class("alert alert-success faded")
    page.goto(f"/applications/edit/?id={key}")
    person.agree("申报")
    page.clock.fast_forward(60_000)
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#missing")).to_contain_text("商品名称")
