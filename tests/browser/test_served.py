"""A browser in front of gunicorn."""

from playwright.sync_api import expect

from tests.browser.conftest import BrowseAs


def test_a_person_signs_in_through_the_real_server(browse_server_as: BrowseAs) -> None:
    expect(browse_server_as("publisher").page.get_by_role("button", name="查询")).to_be_visible()
