"""Every page of every role in a desktop and a phone window: the checks of every page, and screenshots."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import select

from models import access
from models.certificate import Certificate
from tests.apps import PreparedApp, is_on_sqlite
from tests.browser.conftest import BrowseAs
from tests.cast import make_papers
from views import demo
from views.resources import office, store

DESK, TELEPHONE = ViewportSize(width=1360, height=900), ViewportSize(width=390, height=800)
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
  const hidden = (label) => document.getElementById(label.htmlFor)?.type === "hidden";
  for (const label of all("label[for]")) if (seen(label) && hidden(label)) lacking.push("a field: " + label.innerText);
  for (const button of all("a, button"))
    if (seen(button) && !button.innerText.trim() && !button.ariaLabel)
      lacking.push("words: " + button.outerHTML.slice(0, 120));
  for (const image of all("img")) if (!image.hasAttribute("alt")) lacking.push("an alt: " + image.src);
  const ids = all("[id]").map((element) => element.id);
  new Set(ids.filter((id, i) => ids.indexOf(id) !== i)).forEach((id) => lacking.push("an id of its own: " + id));
  return lacking;
}"""


BROKEN = """() => {
  const lines = (element) => {
    const words = document.createRange();
    words.selectNodeContents(element);
    return new Set([...words.getClientRects()].map((line) => Math.round(line.top))).size;
  };
  const whole = document.querySelectorAll(".top form.who > *, header button, code > span:not(.long), .badge");
  return [...whole].filter((e) => e.checkVisibility() && e.innerText && lines(e) > 1).map((e) => e.innerText);
}"""


@pytest.fixture
def certificate_number(app: Flask, request: pytest.FixtureRequest) -> str:
    """The demonstration's cases in every status, beside the people of the tests; the number of a certificate."""
    prepared: PreparedApp = request.getfixturevalue("on_sqlite" if is_on_sqlite(app) else "on_postgresql")
    demonstration, place = (("", "demonstration", 0, ""),), Path(app.config["STORE"])
    assert prepared.snapshots is not None
    if prepared.snapshots.put_back(demonstration, place) is None:
        with app.app_context(), access.everything() as session:
            demo.file_cases(session, demo.add_people(session), store(), office(), 1 << 20)
            session.commit()
        make_papers(app)
        prepared.snapshots.remember(demonstration, 0, place)
    with app.app_context(), access.everything() as session:
        return session.scalars(select(Certificate.number)).first() or ""


def addresses(page: Page) -> set[str]:
    """Where the links of a page lead, files aside: one address of each kind, for pages of a kind are alike."""
    links = page.locator("a[href]").evaluate_all("links => links.map((link) => link.href)")
    inside = [urlsplit(link) for link in links if link.startswith(page.url[: page.url.index("/", 8)])]
    pages = {
        part.path: part for part in inside if not re.search("/(export|attachment|certificate|template|api)/", part.path)
    }
    return {f"{part.path}?{part.query}" for part in pages.values()}


def walk(page: Page) -> dict[str, str]:
    """Every page that links lead to from here: path → address."""
    known, waiting = {}, [page.url]
    while waiting:
        address = waiting.pop()
        path = urlsplit(address).path
        if path not in known and not path.startswith("/language/"):  # test_english.py looks at English
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
        assert page.evaluate(BROKEN) == [], (page.url, size)  # names, buttons and commands stand in one line


def test_every_page_reads_well_on_a_desk_and_on_a_telephone(certificate_number: str, browse_as: BrowseAs) -> None:
    """Each page that links of a role lead to, and the public ones; a new screen is looked at without being named."""
    for username in ("publisher", "reviewer", "national", "operator"):
        page = browse_as(username).page
        known = walk(page)
        assert len(known) >= 3, username
        for address in known.values():
            page.goto(address)
            reads_well(page)
    page = browse_as().page
    for address in ("/login", "/verify/", f"/verify/{certificate_number}", "/verify/Z32"):
        page.goto(address)
        reads_well(page)
