"""Every page of every role, on a desk and on a telephone: what a page owes to whoever reads it, and how it looks."""

import io
import os
import re
from urllib.parse import urlsplit

import pypdfium2
import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import select

from models import access
from models.certificate import Certificate
from tests import ROOT
from tests.browser.conftest import Coming
from tests.cast import make_papers
from views import demo
from views.resources import office, store

DESK, TELEPHONE = ViewportSize(width=1360, height=900), ViewportSize(width=390, height=800)
SCREENS = ROOT / "tests" / "screens"
RAW = re.compile(r"\b(?<!If-)(None|True|False|null|undefined|NaN|draft|pending|returned|filed|lazy_gettext)\b")
OWED = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)], lacking = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const named = (field) => field.labels?.length || field.ariaLabel || field.getAttribute("aria-labelledby");
  if (document.documentElement.lang !== "zh-CN") lacking.push("the language of the page");
  if (!document.title) lacking.push("a title");
  if (all("h1").filter(seen).length !== 1) lacking.push("one h1");
  if (all("main").length !== 1) lacking.push("one main landmark");
  for (const field of all("input:not([type=hidden]), select, textarea"))
    if (seen(field) && field.tabIndex >= 0 && !named(field)) lacking.push("a label: " + field.outerHTML.slice(0, 120));
  for (const button of all("a, button"))
    if (seen(button) && !button.innerText.trim() && !button.ariaLabel)
      lacking.push("words: " + button.outerHTML.slice(0, 120));
  for (const image of all("img")) if (!image.hasAttribute("alt")) lacking.push("an alt: " + image.src);
  const ids = all("[id]").map((element) => element.id);
  new Set(ids.filter((id, i) => ids.indexOf(id) !== i)).forEach((id) => lacking.push("an id of its own: " + id));
  return lacking;
}"""


@pytest.fixture
def furnished(app: Flask) -> str:
    """The demonstration's cases in every status, beside the people of the tests; the number of a certificate."""
    with app.app_context(), access.everything() as session:
        demo.cases(session, demo.people(session), store(), office(), 1 << 20)
        session.commit()
        number = session.scalars(select(Certificate.number)).first() or ""
    make_papers(app)
    return number


def addresses(page: Page) -> set[str]:
    """Where the links of a page lead, files aside: one address of each kind, for pages of a kind are alike."""
    links = page.locator("a[href]").evaluate_all("links => links.map((link) => link.href)")
    inside = [urlsplit(link) for link in links if link.startswith(page.url[: page.url.index("/", 8)])]
    pages = {
        part.path: part for part in inside if not re.search("/(export|attachment|certificate|template)/", part.path)
    }
    return {f"{part.path}?{part.query}" for part in pages.values()}


def walk(page: Page) -> dict[str, str]:
    """Every page that links lead to from here: path → address."""
    known, waiting = {}, [page.url]
    while waiting:
        address = waiting.pop()
        path = urlsplit(address).path
        if path not in known:
            known[path] = address
            page.goto(address)
            waiting += sorted(addresses(page))
    return known


def reads_well(page: Page) -> None:
    """无障碍环境建设法 第三十二条: language, heading, landmark, labels; no raw value; tables alone scroll sideways."""
    assert page.evaluate(OWED) == [], page.url
    assert not RAW.findall(page.locator("body").inner_text()), page.url
    for size in (TELEPHONE, DESK):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (page.url, size)


def test_every_page_reads_well_on_a_desk_and_on_a_telephone(furnished: str, comes: Coming) -> None:
    """Each page that links of a role lead to, and the public ones; a new screen is looked at without being named."""
    for username in ("publisher", "reviewer", "national", "operator"):
        page = comes(username).page
        known = walk(page)
        assert len(known) >= 3, username
        for address in known.values():
            page.goto(address)
            reads_well(page)
    page = comes().page
    for address in ("/login", "/verify/", f"/verify/{furnished}", "/verify/Z32"):
        page.goto(address)
        reads_well(page)


def test_the_pictures_of_the_readme_can_be_taken(furnished: str, comes: Coming) -> None:
    """List, details and certificate, none of them blank; `SCREENS=1` keeps them for the README."""
    press, province = comes("publisher"), comes("reviewer")
    press.row("《广陵散").get_by_role("checkbox").check()
    keep("list", press.page.screenshot(animations="disabled"))
    certificate = press.opened(press.row("《广陵散").get_by_role("button", name="打印"))
    out = io.BytesIO()
    pypdfium2.PdfDocument(certificate)[0].render(scale=2).to_pil().save(out, "PNG")
    keep("certificate", out.getvalue())
    province.page.goto("/filings/")
    province.row("《二胡协奏曲").get_by_role("link", name="SQ").click()
    height = province.page.evaluate("document.documentElement.scrollHeight")
    province.page.set_viewport_size({"width": 1360, "height": height})
    keep("details", province.page.screenshot(animations="disabled"))


def keep(name: str, picture: bytes) -> None:
    """A picture about 1,000 px wide and light enough for a README, where SCREENS asks for it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert len(image.getcolors(1 << 20) or ()) > 100
    if os.environ.get("SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        image = image.resize((1000, 1000 * image.height // image.width), Image.Resampling.LANCZOS)
        image = image.quantize(256, kmeans=3, dither=Image.Dither.NONE)
        image.save(SCREENS / f"{name}.png", optimize=True)
