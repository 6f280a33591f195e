"""The options that a combobox shows."""

from playwright.sync_api import Page

FORM = "/applications/new/"


def options(page: Page) -> list[str]:
    """What the open list shows."""
    return page.get_by_role("listbox").get_by_role("option").all_inner_texts()
