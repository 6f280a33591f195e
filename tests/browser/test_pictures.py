"""The pictures of 操作说明, some of which the README shows too; `make screens` retakes and stores them."""

import io
import os
import re
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize

from tests import ROOT
from tests.browser.conftest import BrowseAs, in_whole_chromium
from tests.browser.person import Person
from tests.browser.test_pages import certificate_number  # noqa: F401
from views.translations import COOKIE, LANGUAGES

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PICTURES = ROOT / "templates" / "static" / "help"
WIDE = ViewportSize(width=1360, height=900)
COLUMN = 910  # CSS pixels of the text of 操作说明, at most


@in_whole_chromium
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pictures_of_the_manual_can_be_taken(
    certificate_number: str,  # noqa: F811
    browse_as: BrowseAs,
    language: str,
) -> None:
    """No picture is blank, and each one in the page is taken, for dense screens, too; `SCREENS=1` stores them."""
    pictures = {"login": shot(reader(browse_as, language, "", width=1000, height=700), "/login")}
    pictures |= of_the_publisher(reader(browse_as, language, "publisher"))
    pictures |= of_the_province(reader(browse_as, language, "reviewer"))
    for who, name, address in (("national", "register", "/register/"), ("operator", "condition", "/condition/")):
        pictures[name] = shot(reader(browse_as, language, who), address)
    own = pictures.keys() - ({"certificate"} if language == "en" else set())  # a paper is Chinese
    folder = PICTURES / "en" if language == "en" else PICTURES
    for name in sorted(own):
        save(folder, name, pictures[name])
    shown = re.findall(r'picture\("(\w+)"', (ROOT / "templates/screens/help.html").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(pictures)
    assert {file.stem for file in folder.glob("*.webp")} == own | {f"{name}-dense" for name in own}
    assert sum(file.stat().st_size for file in folder.glob("*.webp")) < 1_100_000


def reader(browse_as: BrowseAs, language: str, username: str, **size: int) -> Person:
    """A person with a dense screen, who reads this language."""
    person = browse_as(username, density=2, **size)
    person.context.add_cookies([{"name": COOKIE, "value": language, "url": person.address}])
    person.page.reload()
    return person


def of_the_publisher(publisher: Person) -> dict[str, bytes]:
    """Form, list and certificate."""
    publisher.page.set_viewport_size(WIDE)
    publisher.row("《广陵散").get_by_role("checkbox").check()
    certificate = publisher.opened(publisher.row("《广陵散").locator("[data-act=print]"))
    out = io.BytesIO()
    pypdfium2.PdfDocument(certificate)[0].render(scale=3).to_pil().save(out, "PNG")
    show_whole(publisher.page)
    pictures = {"list": publisher.page.screenshot(animations="disabled"), "certificate": out.getvalue()}
    publisher.page.set_viewport_size(WIDE)
    return pictures | {"form": shot(publisher, "/applications/new/")}


def of_the_province(province: Person) -> dict[str, bytes]:
    """A case to decide, one that is decided, and 统计."""
    page = province.page
    page.goto("/review/")
    page.locator("table.model-list a.number").first.click()
    page.wait_for_load_state()
    pictures = {"decision": page.screenshot(animations="disabled")}
    page.goto("/filings/")
    province.row("《二胡协奏曲").locator("a.number").click()
    page.wait_for_load_state()
    show_whole(page)
    pictures["details"] = page.screenshot(animations="disabled")
    page.set_viewport_size(WIDE)
    return pictures | {"statistics": shot(province, "/statistics/")}


def show_whole(page: Page) -> None:
    """Make the window as high as the page."""
    page.set_viewport_size({**WIDE, "height": page.evaluate("document.documentElement.scrollHeight")})


def shot(person: Person, address: str) -> bytes:
    """The first 900 px of a page."""
    person.page.goto(address)
    return person.page.screenshot(animations="disabled")


def save(folder: Path, name: str, picture: bytes) -> None:
    """As wide as the column of the page, and twice as wide for dense screens, where SCREENS asks for it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert len(image.getcolors(1 << 22) or ()) > 100
    if not os.environ.get("SCREENS"):
        return
    folder.mkdir(exist_ok=True)
    for ending, widest, quality in (("", COLUMN, 80), ("-dense", 2 * COLUMN, 55)):
        width = min(widest, image.width * widest // (2 * COLUMN))
        size = width, width * image.height // image.width
        small = image.resize(size, Image.Resampling.LANCZOS)
        small.save(folder / f"{name}{ending}.webp", quality=quality, method=6)


def test_pictures_have_their_size_before_they_are_loaded(browse_as: BrowseAs) -> None:
    """Else a chapter that a link led to slides away whenever a picture above it is loaded."""
    person = browse_as("national")
    person.context.route("**/help/**/*.webp", lambda _route: None)
    person.page.goto("/help/", wait_until="domcontentloaded")
    heights = person.page.locator(".help img").evaluate_all("all => all.map((each) => each.clientHeight)")
    assert len(heights) > 5 and all(200 < height <= 760 for height in heights)
