"""No page shows an application to the operator."""

import re

import pytest

from tests.browsing import ClientAs
from tests.conftest import MakeApplication


@pytest.mark.slow
def test_the_operator_sees_no_application_anywhere(client_as: ClientAs, make_application: MakeApplication) -> None:
    """Design 2.6: administration and decision are separate duties."""
    key = make_application(status="filed", title="机密标题")
    operator = client_as("operator")
    menu = operator.get("/accounts/").text
    assert re.findall(r'<li><a href="(/\w+/)"', menu) == [
        "/desk/",
        "/accounts/",
        "/organisations/",
        "/entrustments/",
        "/announcements/",
        "/blanks/",
        "/districts/",
        "/calendar/",
        "/traffic/",
        "/condition/",
        "/online/",
        "/signins/",
        "/operations/",
        "/prints/",
        "/handbook/",
    ]
    for screen in ("applications", "review", "filings", "exchange", "register"):
        for place in ("", f"details/?id={key}", "export/csv/"):
            assert operator.get(f"/{screen}/{place}").status_code == 403
    client_as("reviewer").get("/filings/export/csv/?title=机密标题")
    for screen in (
        "accounts", "organisations", "entrustments", "districts", "traffic", "signins", "operations", "prints",
        "condition",
    ):  # fmt: skip
        page = operator.get(f"/{screen}/").text
        assert "机密标题" not in page
        assert "SQ20" not in page
