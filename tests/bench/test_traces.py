"""Pages of logs, messages and sessions have something to show in a measured register."""

from flask import Flask

from models import access
from tests.bench import addresses, bulk, traces

MEASURED = {
    "operator": ("signins", "operations", "prints", "online"),
    "nation": ("acts", "prints"),
    "publisher": ("messages",),
    "large": ("messages", "review"),
}


def test_the_measured_pages_have_rows(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 200)
        traces.fill(session, 200)
    rows: dict[tuple[str, str], int] = {}
    for who, name, pages in addresses.busiest(app):
        browser = addresses.visitor(app, who, name)
        rows |= {(who, page): browser.get(pages[page]).text.count("<tr") - 1 for page in MEASURED.get(who, ())}
    assert set(rows) == {(who, page) for who, pages in MEASURED.items() for page in pages}
    assert all(rows.values()), rows


def test_the_feed_answers_the_key_of_the_nation(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        bulk.fill(session, 60)
    for who, name, pages in addresses.busiest(app):
        if who == "nation":
            browser = addresses.visitor(app, who, name)
            assert browser.get(pages["feed"]).get_json()["items"]
            assert browser.get(pages["changes"]).get_json()["items"]
