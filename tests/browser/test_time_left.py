"""The working days left below the status: in small type on a desktop, a line of the card on a phone."""

from datetime import datetime

import pytest
from playwright.sync_api import expect

from models import clock
from tests.browser.conftest import BrowseAs
from tests.browser.test_accessibility import flawless
from tests.browser.test_small_screens import runs_over
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.mark.parametrize(("username", "path"), [("publisher", "/applications/"), ("reviewer", "/filings/")])
def test_the_time_left_stands_below_the_status_and_in_the_card(
    browse_as: BrowseAs, make_application: MakeApplication, username: str, path: str
) -> None:
    """Also one that is overdue, in a row that is ticked; neither table nor page needs scrolling sideways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 10, tzinfo=clock.SHANGHAI))
        make_application(status="pending")
    make_application(status="pending")
    page = browse_as(username, width=1280, height=720).page
    page.goto(path)
    left = page.locator(".model-list .left")
    expect(left).to_contain_text(["还剩 20 个工作日", "已超期"])
    boxes = [(cell.locator(".badge").bounding_box(), cell.locator(".left").bounding_box())
             for cell in page.locator("td.col-status").all()]  # fmt: skip
    assert all(tag and words and tag["y"] + tag["height"] <= words["y"] for tag, words in boxes)
    assert not runs_over(page.locator(".table-responsive"))
    page.get_by_label("全选本页").check()
    flawless(page, "time left in ticked rows")
    page.set_viewport_size({"width": 390, "height": 844})
    flawless(page, "time left in cards")
    for row in page.locator(".model-list tbody tr").all():
        number, words = row.locator("a.number").bounding_box(), row.locator(".left").bounding_box()
        tag = row.locator(".badge").bounding_box()
        assert number and words and tag
        assert abs(tag["y"] + tag["height"] / 2 - number["y"] - number["height"] / 2) < 12 < words["y"] - number["y"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
