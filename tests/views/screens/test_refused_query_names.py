"""常用查询: a name that is refused stays in its field above the list."""

import re

import pytest

from models import saved_queries
from tests.browsing import ClientAs
from tests.views.pages import flashed, form_of
from tests.views.screens.test_saved_queries import save_query


@pytest.mark.parametrize(("name", "sentence"), [("已有 ", "已有名为「已有」的常用查询"), ("名" * 200, "现在 200 字")])
def test_a_refused_name_stays_in_its_field_with_the_reason_beside_it(
    client_as: ClientAs, name: str, sentence: str
) -> None:
    """Until the next page; at most a hundred characters, which the session cookie has room for."""
    browser = client_as("publisher")
    save_query(browser, "已有")
    address = "/applications/?status=draft"
    form = form_of(browser.get(address).text, "save-query") | {"name": name}
    page = browser.post("/queries/keep/", data=form, follow_redirects=True).text
    assert flashed(page) == [] and form_of(page, "save-query")["name"] == name[:100]
    assert (
        re.findall(r'<p class="note error" id="query-name-note" role="alert">(.*?)</p>', page)[0].count(sentence) == 1
    )
    assert form_of(browser.get(address).text, "save-query")["name"] == ""


def test_a_name_stays_when_no_further_query_can_be_saved(client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_queries, "MOST", 0)
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/?status=draft").text, "save-query") | {"name": "第三十一个"}
    page = browser.post("/queries/keep/", data=form, follow_redirects=True).text
    assert flashed(page)[0].startswith("每人最多保存")
    assert form_of(page, "save-query")["name"] == "第三十一个"
