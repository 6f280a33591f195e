"""A browser in front of gunicorn."""

from playwright.sync_api import expect

from tests.browser.conftest import Coming


def test_a_person_signs_in_through_the_real_server(comes_to_server: Coming) -> None:
    expect(comes_to_server("publisher").page.get_by_role("button", name="查询")).to_be_visible()
