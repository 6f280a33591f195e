"""Acts that are impossible for good are not drawn in row or page; the manual's three buttons above the list stay.

Both tables are by hand: from the manual, and from the statuses that an application can still reach.
"""

import re

import pytest

from models.vocabulary import Action, Role, Status
from models.workflow import refusal
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication
from tests.models.matrix import CELLS, LETTERS
from tests.views.screens.acts_done import SCREENS, sees

# Of each list the acts of its rows: Y possible now, n dimmed with the reason, - never again and therefore not drawn;
# . the list does not show the status.
ROWS = """
                 applications        filings register review
                 submit delete print print   print    take grant return
draft            Y      Y      n     .       .        .    .     .
pending          n      n      n     n       .        Y    Y     Y
returned         Y      n      n     n       .        .    .     .
not_accepted     -      Y      -     -       .        .    .     .
refused          -      Y      -     -       .        .    .     .
filed            -      -      Y     Y       Y        .    .     .
customs_received -      -      Y     Y       Y        .    .     .
customs_failed   -      -      n     n       n        .    .     .
revoked          -      -      -     -       -        .    .     .
"""
COLUMNS = [
    ("publisher", "applications", "submit"), ("publisher", "applications", "delete"),
    ("publisher", "applications", "print"), ("reviewer", "filings", "print"), ("national", "register", "print"),
    ("reviewer", "review", "take"), ("reviewer", "review", "grant"), ("reviewer", "review", "return"),
]  # fmt: skip
CELLS_OF_ROWS = {line.split()[0]: line.split()[1:] for line in ROWS.strip().splitlines()[2:]}

# Status → the acts that some role can still do to it, now or later. All of them before the decision.
AFTER_GRANT = {"print", "revoke", "resend", "copy", "duplicate"}
LATER = {
    "not_accepted": {"delete", "duplicate"},
    "refused": {"delete", "duplicate"},
    "filed": AFTER_GRANT,
    "customs_received": AFTER_GRANT,
    "customs_failed": AFTER_GRANT,
    "revoked": {"resend", "copy", "duplicate"},  # 重发 of its notice, while customs has rejected that
}
BUTTON = re.compile(r'<button type="submit" form="act"[^>]*data-act="(\w+)"[^>]*>')


def buttons(browser: Browser, address: str) -> dict[str, str]:
    """Act → the start tag of its button."""
    return {found[1]: found.group() for found in BUTTON.finditer(browser.get(address).text)}


def state_of(tag: str) -> str:
    """The letter of ROWS for a button."""
    return "-" if re.search(r"\bhidden\b", tag) else "n" if 'aria-disabled="true"' in tag else "Y"


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_a_row_draws_only_acts_that_are_possible_now_or_later(
    client_as: ClientAs, make_application: MakeApplication, status: Status
) -> None:
    """Each hidden button still has its reason, which the button above the list shows."""
    make_application(status=status)
    found = []
    for who, screen, act in COLUMNS:
        tag = buttons(client_as(who), f"/{screen}/").get(act)
        found.append(state_of(tag) if tag else ".")
        if tag and state_of(tag) != "Y":
            assert f'title="{refusal(Action(act), status, Role(who))}"' in tag, (who, act)
    assert found == CELLS_OF_ROWS[status]


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_a_page_draws_only_acts_that_are_possible_now_or_later(
    client_as: ClientAs, make_application: MakeApplication, status: Status
) -> None:
    """Of every role that sees the row; what the matrix allows now is always drawn."""
    key = make_application(status=status)
    for role, screens in SCREENS.items():
        if not sees(role, status):
            continue
        shown = buttons(client_as(role), f"/{screens[-1]}/details/?id={key}")
        drawn = {act for act, tag in shown.items() if state_of(tag) != "-"}
        later = LATER.get(status, set(shown))
        assert drawn == shown.keys() & later, role
        assert drawn >= {act for act in shown if LETTERS[role] in CELLS[status, act]}, role


def test_the_three_buttons_of_the_manual_stay_above_the_list(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Over rows for which they are impossible, and over an empty list: dimmed, with the reason."""
    bar = re.compile(r'<button [^>]*data-bar="(\w+)"[^>]*>')
    make_application(status="revoked")
    for who in ("publisher", "publisher2"):
        page = client_as(who).get("/applications/").text
        tags = {found[1]: found.group() for found in bar.finditer(page)}
        assert list(tags) == ["submit", "delete", "print"]
        for tag in tags.values():
            assert ('aria-disabled="true"' in tag, 'title="请先选择一条记录。"' in tag) == (True, True)
            assert not re.search(r"\bhidden\b", tag)
