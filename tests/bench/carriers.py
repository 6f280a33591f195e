"""载体信息 of a large set: as many rows as a form takes, pasted and previewed, then saved in a draft."""

from statistics import median
from typing import Any

from flask import Flask

from models.application import MOST_CARRIERS
from models.application.carrier_columns import FIELDS
from tests.bench.addresses import busiest
from tests.bench.pages import milliseconds
from tests.bench.table import SECONDS, Goal, Line
from tests.browsing import Browser, signed_in
from tests.views.pages import form_of

ROW = {
    "kind": "黑胶唱片", "specification": "12 英寸双张限量版黑胶唱片", "quantity": "1000", "unit": "张",
    "name": "江苏民歌选集第一辑", "catalogue_number": "ISRC CN-C18-26-0009", "unit_price": "12.5", "currency": "欧元",
    "note": "含歌词册一本",
}  # fmt: skip


def lines(app: Flask, turns: int) -> list[Line]:
    """The two lines of the table."""
    browser = signed_in(app, next(name for who, name, _pages in busiest(app) if who == "publisher"))
    previews, saves = zip(*(pasted(browser) for _turn in range(turns + 1)), strict=True)
    return [
        Line(f"{MOST_CARRIERS:,} rows of 载体信息 {what}", median(times[1:]), None, "", None, None, Goal(most, SECONDS))
        for what, times, most in (("previewed", previews, 2), ("saved", saves, 3))
    ]


def pasted(browser: Browser) -> tuple[float, float]:
    """Milliseconds of the preview, and of saving a new draft with its rows as the page would send them."""
    rows = [ROW | {"specification": f"{ROW['specification']} {place}"} for place in range(MOST_CARRIERS)]
    text = "\n".join("\t".join(row.get(name, "") for name in FIELDS) for row in rows)
    scripted = {"X-Requested-With": "XMLHttpRequest"}
    preview: list[Any] = []
    took = milliseconds(
        lambda: preview.append(browser.post("/applications/carriers/preview/", data={"text": text}, headers=scripted))
    )
    read = preview[0].get_json()
    assert (len(read["rows"]), read["errors"]) == (MOST_CARRIERS, {}), read
    blank = form_of(browser.get("/applications/new/").text)
    form = {name: value for name, value in blank.items() if not name.startswith("carriers-")} | {"title": "大套装"}
    for place, row in enumerate(read["rows"]):
        form |= {f"carriers-{place}-{name}": value for name, value in zip(read["fields"], row, strict=True)}
        form[f"carriers-{place}-id"] = ""
    return took, milliseconds(lambda: _save(browser, form))


def _save(browser: Browser, form: dict[str, str]) -> None:
    answer = browser.post("/applications/new/", data=form)
    assert answer.status_code == 302, answer.text[:300]
