"""AttentiveUser notices a focus that cannot be seen.

On SQLite alone: a database adds nothing.
"""

import pytest

from tests.browser.attentive import AttentiveUser
from tests.browser.conftest import BrowseAs

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
RINGLESS = "place => { place.style.outline = 'none'; }"
COVERED = """place => {
  const cover = document.body.appendChild(document.createElement("div"));
  Object.assign(cover.style, { position: "fixed", inset: "0", zIndex: "99" });
}"""


@pytest.mark.parametrize(
    ("flaw", "words"), [(RINGLESS, "no ring"), (COVERED, "out of sight")], ids=["ringless", "covered"]
)
def test_a_focus_without_its_ring_or_under_something_else_is_noticed(
    browse_as: BrowseAs, flaw: str, words: str
) -> None:
    user = AttentiveUser(browse_as("reviewer"))
    place = user.page.get_by_role("link", name="工作台")
    place.evaluate(flaw)
    with pytest.raises(AssertionError, match=words):
        user.tab_to(place)
