"""Parses a page as a browser would: the form as it would be submitted, flashed sentences, the rows of a list."""

import html
import re
from html.parser import HTMLParser


class FormReader(HTMLParser):
    """The successful controls of one form in order, name → value, without those in a <template>."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.inside = self.apart = False
        self.select = self.text = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.inside = self.form in (given.get("id"), given.get("class", "").split(" ")[0])
        elif tag == "template":
            self.apart = True
        elif self.inside and not self.apart:
            self.control(tag, given)

    def control(self, tag: str, given: dict[str, str]) -> None:
        """One control of the form: an unticked box, a file and a button send nothing."""
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "file") or "checked" in given):
            self.fields[name] = given.get("value", "on" if "checked" in given else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and (self.select not in self.fields or "selected" in given):
            self.fields[self.select] = given.get("value", "")
        elif tag == "textarea":
            self.text, self.fields[name] = name, ""

    def handle_data(self, data: str) -> None:
        if self.text:
            self.fields[self.text] += data if self.fields[self.text] else data.lstrip("\r\n")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self.inside = False
            case "template":
                self.apart = False
            case "select":
                self.select = ""
            case "textarea":
                self.text = ""


def form_of(page: str, form: str = "application") -> dict[str, str]:
    """The form with this id (or first class), as a browser would submit it unchanged: name → value."""
    reader = FormReader(form)
    reader.feed(page)
    assert reader.fields, f"the page has no form “{form}”"
    del reader.fields["csrf_token"]  # which the browser of the tests sends by itself
    return reader.fields


FLASHED = re.compile(
    r'<div class="alert alert-\w+" role="(?:alert|status)">(.*?)</div>'
    r'|<section class="alert alert-success result" tabindex="-1">\s*<strong>(.*?)</strong>',
    re.DOTALL,
)


def flashed(page: str) -> list[str]:
    """The flashed sentences on top of the page, in order; of the result after an act its heading."""
    return [html.unescape(words or heading).strip() for words, heading in FLASHED.findall(page)]


def result(page: str) -> tuple[str, list[str]]:
    """(sentence, texts of the links) of the result after an act."""
    (panel,) = re.findall(r'<section class="alert alert-success result" tabindex="-1">(.*?)</section>', page, re.DOTALL)
    return html.unescape(re.findall("<p>(.*?)</p>", panel)[0]), re.findall("<a [^>]*>(.*?)</a>", panel)


def complaints(page: str) -> list[str]:
    """The errors under the fields of the page."""
    found = re.findall(r'<p class="note error"[^>]*role="alert">(.*?)</p>', page, re.DOTALL)
    return [html.unescape(words).strip() for words in found]


def numbers(page: str) -> list[str]:
    """The blue 申请单号 of a list, from top to bottom."""
    return re.findall(r'<a class="number" href="[^"]*">(SQ\d+)</a>', page)
