"""境外加工企业: a plant of former applications fills what belongs to it.

On SQLite alone: what is tried here is a script in a browser.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.attentive import AttentiveUser, focus_on
from tests.browser.conftest import BrowseAs
from tests.browser.options import FORM
from tests.conftest import MakeApplication

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_a_plant_of_a_former_application_fills_its_empty_fields(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """A note says which; what was typed before stays, and a plant that is not known fills nothing."""
    make_application(manufacturer="Sonopress GmbH", country="DEU", sid_code="IFPI 94Z1")
    user = AttentiveUser(browse_as("publisher"))
    page, country, sid = user.page, user.page.locator("#country"), user.page.locator("#sid_code")
    plant, note = page.locator("#manufacturer"), page.locator(".filled")
    page.goto(FORM)
    user.write(plant, "一家新厂")
    user.press("Tab")
    expect(country).to_have_value("")
    expect(note).to_have_count(0)
    for typed, filled in (("", "国别（地区）、SID 码"), ("捷克", "SID 码")):
        page.goto(FORM)
        if typed:
            user.choose("country", typed)
        chosen = country.input_value() or "DEU-德国"
        user.tab_to(plant, "Shift+Tab" if typed else "Tab")
        user.type("sono")
        user.press("ArrowDown", "Enter")
        expect(note).to_have_text(f"已按以往申请填入{filled}，请核对。")
        expect(sid).to_have_value("IFPI 94Z1")
        expect(country).to_have_value(chosen)
        focus_on(plant)
        user.flawless(f"{filled} filled")
    user.write(plant, "一家新厂")
    user.press("Tab")
    expect(note).to_have_count(0)
    expect(sid).to_have_value("IFPI 94Z1")
