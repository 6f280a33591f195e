"""常用查询: a person names the present query of a list, asks it again with a click, renames and deletes it."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from models import saved_queries
from models.access import Closed
from models.database import db
from models.saved_queries import SavedQuery
from models.workflow import Refused
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs
from tests.views.pages import flashed, form_of
from tests.views.panel.exported import rows_of
from views.translations import COOKIE

ASKED = "status=returned&title=茉莉花&sort=3&desc=1&page_size=50"


def save_query(browser: Browser, name: str, asked: str = ASKED, screen: str = "applications") -> list[str]:
    """As the form above the list does it; the sentences on the next page."""
    page = browser.get(f"/{screen}/?{asked}").text
    form = form_of(page, "save-query") | {"name": name}
    return flashed(browser.post("/queries/keep/", data=form, follow_redirects=True).text)


def offered(page: str) -> dict[str, int]:
    """Name → id of each query above the list."""
    found = re.findall(r'<li><a href="/queries/ask/\?id=(\d+)" title="[^"]*"[^>]*>(.*?)</a>', page)
    return {html.unescape(name): int(key) for key, name in found}


def asks(browser: Browser, key: int) -> tuple[str, dict[str, str]]:
    """(path, parameters) of the list that a saved query opens."""
    parts = urlsplit(browser.get(f"/queries/ask/?id={key}").location)
    return parts.path, dict(parse_qsl(parts.query))


def test_a_saved_query_is_repeated_with_a_click(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    assert save_query(browser, "  退回的茉莉花 ") == ["已存为常用查询「退回的茉莉花」。"]
    page = browser.get("/applications/").text
    (key,) = offered(page).values()
    assert 'title="商品名称：茉莉花；数据状态：退回；排序：申请日期，降序；每页 50 条"' in page
    where, asked = asks(browser, key)
    assert where == "/applications/"
    assert asked == {"status": "returned", "title": "茉莉花", "sort": "3", "desc": "1", "page_size": "50"}
    page = browser.get(f"/applications/?{ASKED}").text
    assert re.search(r'aria-current="true">退回的茉莉花<', page)
    assert "存为常用查询" not in page


def test_an_invalid_query_cannot_be_saved(client_as: ClientAs) -> None:
    assert "存为常用查询" not in client_as("publisher").get("/applications/?since=昨天&title=茉莉花").text


def test_a_saved_query_keeps_its_sort_order(client_as: ClientAs, act_as: ActAs) -> None:
    browser = client_as("publisher")
    for n, order in enumerate(("sort=1", "sort=1&desc=0", "sort=1&desc=1")):
        save_query(browser, str(n), f"title=茉莉花{n}&{order}")
    with act_as("publisher"):
        saved = db.session.scalars(select(SavedQuery).order_by(SavedQuery.id)).all()
        assert [row.asked.get("desc") for row in saved] == [None, None, "1"]
        assert [row.words.rpartition("，")[2] for row in saved] == ["升序", "升序", "降序"]


def test_a_saved_query_contains_only_parameters_of_the_list(client_as: ClientAs, act_as: ActAs) -> None:
    """No page number, return address, other list, sort by an unknown column, or URL."""
    browser = client_as("publisher")
    more = "&page=7&to=3&url=https://evil.example&publisher=x&sort=99&page_size=7000&constructor=1&next=//evil.example"
    form = {"screen": "applications", "name": "退回", "asked": "status=returned" + more, "url": "https://evil.example/"}
    assert browser.post("/queries/keep/", data=form).location == "/queries/"
    with act_as("publisher"):
        assert db.session.scalars(select(SavedQuery)).one().asked == {"status": "returned"}


@pytest.mark.parametrize(
    ("name", "asked", "sentence"),
    [
        ("", ASKED, "请填写常用查询的名称"),
        ("名" * 21, ASKED, "最多 20 字，现在 21 字"),
        ("退回", "", "现在没有查询条件"),
        ("退回", "status=nonsense", "查询条件有误"),
        ("退回", "since=昨天", "查询条件有误"),
        ("退回", "&".join(f"a{n}=1" for n in range(60)), "现在没有查询条件"),
        ("已有", "status=draft", "已有名为「已有」的常用查询"),
    ],
)
def test_an_invalid_saved_query_is_refused_with_a_message(
    client_as: ClientAs, act_as: ActAs, name: str, asked: str, sentence: str
) -> None:
    browser = client_as("publisher")
    save_query(browser, "已有")
    form = {"screen": "applications", "name": name, "asked": asked}
    sentences = flashed(browser.post("/queries/keep/", data=form, follow_redirects=True).text)
    assert (len(sentences), sentence in sentences[0]) == (1, True)
    with act_as("publisher"):
        assert db.session.scalars(select(SavedQuery.name)).all() == ["已有"]


@pytest.mark.parametrize("typed", ["%00", "%ED%A0%80", "%EF%BF%BF", "a%00b", "<script>alert(1)</script>", "\U0001f4bf"])
def test_unusual_characters_in_a_query_are_stored_or_removed(client_as: ClientAs, typed: str) -> None:
    browser = client_as("publisher")
    form = {"screen": "applications", "name": "<b>x</b>\0", "asked": f"title={typed}&status=returned"}
    assert browser.post("/queries/keep/", data=form).status_code == 303
    (key,) = offered(browser.get("/applications/").text).values()
    assert browser.get(f"/queries/ask/?id={key}", follow_redirects=True).status_code == 200
    for page in ("/queries/", "/applications/"):
        assert "<b>x" not in browser.get(page).text and "<script>alert" not in browser.get(page).text


def test_a_query_sent_twice_is_saved_once(client_as: ClientAs) -> None:
    browser = client_as("publisher")
    form = form_of(browser.get(f"/applications/?{ASKED}").text, "save-query") | {"name": "退回"}
    for _time in range(2):
        assert browser.post("/queries/keep/", data=form).location.startswith("/applications/?status=returned")
    assert list(offered(browser.get("/applications/").text)) == ["退回"]


def test_queries_of_different_lists_may_have_the_same_name(client_as: ClientAs) -> None:
    browser = client_as("reviewer")
    save_query(browser, "茉莉花", "title=茉莉花", "review")
    save_query(browser, "茉莉花", "title=茉莉花&status=filed", "filings")
    (first,) = offered(browser.get("/review/").text).values()
    (second,) = offered(browser.get("/filings/").text).values()
    assert asks(browser, first) == ("/review/", {"title": "茉莉花"})
    assert asks(browser, second) == ("/filings/", {"title": "茉莉花", "status": "filed"})
    assert re.findall(r'col-screen"[^>]*>(.*?)</td>', browser.get("/queries/").text) == ["待审核", "全部申请"]


def test_a_saved_query_of_another_account_cannot_be_seen_or_changed(client_as: ClientAs, act_as: ActAs) -> None:
    """Not even of a colleague of the same publisher or province."""
    save_query(client_as("publisher"), "退回")
    (key,) = offered(client_as("publisher").get("/applications/").text).values()
    for who in ("agent", "publisher2", "reviewer", "national", "operator"):
        browser = client_as(who)
        assert "退回" not in offered(browser.get("/queries/").text)
        assert browser.get(f"/queries/ask/?id={key}").status_code == 404
        assert browser.post(f"/queries/edit/?id={key}", data={"name": "改了"}).status_code == 404
        browser.post("/queries/remove/", data={"id": key})
        with act_as(who) as account:
            assert db.session.scalars(select(SavedQuery)).all() == []
            db.session.add(SavedQuery(account_id=account.id + 1, screen="x", name="x", asked={}, words=""))
            with pytest.raises(Closed):
                db.session.flush()
    assert list(offered(client_as("publisher").get("/applications/").text)) == ["退回"]


def test_a_query_of_an_inaccessible_list_is_refused(client_as: ClientAs) -> None:
    for screen in ("review", "accounts", "desk", "statistics", "queries", "nonsense", ""):
        form = {"screen": screen, "name": "退回", "asked": ASKED}
        assert client_as("publisher").post("/queries/keep/", data=form).status_code == 400, screen


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"status": "returned", "gone": "1"}, {"status": "returned"}),
        ({"status": "gone"}, {"status": "gone"}),
        ({"title": "茉莉花", "sort": "gone", "desc": "1"}, {"title": "茉莉花"}),
        ({"title": "茉莉花", "page_size": "30"}, {"title": "茉莉花"}),
    ],
)
def test_a_saved_query_with_a_removed_filter_says_so(
    client_as: ClientAs, act_as: ActAs, asked: dict[str, str], left: dict[str, str]
) -> None:
    """After a change of the program; the remaining filters are applied."""
    with act_as("publisher") as by:
        row = saved_queries.save(db.session(), "applications", "旧的", asked, "某条件：某值", by)
        key = row.id
        db.session.commit()
    browser = client_as("publisher")
    assert asks(browser, key) == ("/applications/", left)
    answer = browser.get(f"/queries/ask/?id={key}", follow_redirects=True)
    assert answer.status_code == 200
    assert flashed(answer.text)[-1] == "常用查询「旧的」保存的条件（某条件：某值）有的已不再提供，请核对下面的条件。"


def test_a_saved_query_is_shown_with_the_labels_of_today(client_as: ClientAs, act_as: ActAs) -> None:
    """Labels change with the program: 起 and 止 of a quantity are 不少于 and 不超过 today."""
    asked, stored = {"amount_since": "100", "amount_until": "200"}, "数量（张）起：100；数量（张）止：200"
    with act_as("reviewer") as by:
        saved_queries.save(db.session(), "filings", "旧的", asked, stored, by)
        db.session.commit()
    for address in ("/filings/", "/queries/"):
        page = client_as("reviewer").get(address).text
        assert "数量（张）不少于：100；数量（张）不超过：200" in page
        assert stored not in page
    reviewer = client_as("reviewer")
    reviewer.set_cookie(COOKIE, "en")
    (row,) = rows_of(reviewer.get("/queries/export/csv/"), "csv")[1:]
    assert row[2] == "数量（张）不少于：100；数量（张）不超过：200", "a file is in Chinese"


def test_a_saved_query_of_a_removed_list_says_so(client_as: ClientAs, act_as: ActAs) -> None:
    with act_as("publisher") as by:
        key = saved_queries.save(db.session(), "gone", "旧的", {"a": "b"}, "某条件：某值", by).id
        db.session.commit()
    page = client_as("publisher").get(f"/queries/ask/?id={key}", follow_redirects=True).text
    assert flashed(page) == ["常用查询「旧的」所在的列表已不再提供，可以将其删除。"]
    assert "删除" in page


def test_an_account_has_at_most_thirty_saved_queries(act_as: ActAs) -> None:
    with act_as("publisher") as by:
        for n in range(saved_queries.MOST):
            saved_queries.save(db.session(), "applications", f"第 {n} 个", {"title": str(n)}, "", by)
        with pytest.raises(Refused, match="最多保存 30 个"):
            saved_queries.save(db.session(), "applications", "再一个", {"title": "再"}, "", by)


@pytest.mark.parametrize(
    ("who", "screens"),
    [
        ("publisher", "applications messages"),
        ("reviewer", "review filings exchange messages"),
        ("national", "register signins operations prints acts"),
        ("operator", "accounts organisations districts calendar online signins"),
    ],
)
def test_every_list_with_a_query_form_can_save_queries(client_as: ClientAs, who: str, screens: str) -> None:
    browser = client_as(who)
    for screen in screens.split():
        save_query(browser, "每页 100 条", "page_size=100", screen)
        (key,) = offered(browser.get(f"/{screen}/").text).values()
        assert asks(browser, key) == (f"/{screen}/", {"page_size": "100"})
