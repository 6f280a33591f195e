"""Steps in 载体信息 as a sheet: cells copied from a workbook, pasted, and filled in."""

import re

from playwright.sync_api import Page, expect

from tests.browser.person import Person


def clipboard_text(cells: list[list[object]]) -> str:
    """What Excel puts on the clipboard for these cells."""

    def quoted(cell: object) -> str:
        text = "" if cell is None else str(cell)
        return '"' + text.replace('"', '""') + '"' if re.search(r'[\t\n"]', text) else text

    return "".join("\t".join(map(quoted, row)) + "\r\n" for row in cells)


def paste(person: Person, text: str, cell: str = "#carriers-0-kind") -> Page:
    """Put a text on the clipboard of Chromium, and press Ctrl+V in a cell."""
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    person.page.locator(cell).focus()
    person.page.keyboard.press("Control+V")
    return person.page


def fill_in(person: Person) -> None:
    """Agree to the preview, and wait until all rows are in the table, which is filled after the dialog has closed."""
    person.answer("全部填入")
    expect(person.page.locator(".block-status")).not_to_be_empty()


def values(page: Page, column: str) -> list[str]:
    """The cells of a column, of every row that is not deleted."""
    return page.eval_on_selector_all(
        f"tr.inline-row:not([hidden]) .col-{column} input", "cells => cells.map((cell) => cell.value)"
    )
