"""Addresses for every GET route, from the map of routes and the rows of the database: valid, missing and malformed."""

from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

from werkzeug.routing import Rule

from tests import ROOT
from tests.served.rows import Rows

ASKED = urlencode({"title": "茉莉花", "publisher": "音像", "since": "2020-01-01", "until": "2099-12-31"})
MISSING = 99_999_999
Queries = Callable[[Rows, str], Iterator[str]]


def lists(_rows: Rows, screen: str) -> Iterator[str]:
    """A list without parameters, with a query, sorted, paged, and with invalid values."""
    yield from ("", f"?{ASKED}", "?sort=1&desc=1&page=1&page_size=10", "?to=3&page_size=100", "?since=昨天&status=x")
    if screen == "exchange":
        yield from (f"?state={state}&number=Z" for state in EXCHANGE)
    if screen in ("signins", "operations", "prints", "acts", "online"):
        yield from ("?username=publisher&address=127.0.0.1", "?kind=signed_in&act=print&about=Z&number=SQ", "?kind=x")


def pages(rows: Rows, screen: str) -> Iterator[str]:
    """The page of each row, of a missing and a malformed id, and with a return address in Chinese."""
    keys = rows.messages if screen == "exchange" else [*rows.applications.values(), *rows.issued]
    yield from (f"?id={key}" for key in (keys if screen in APPLICATIONS or screen == "exchange" else [1]))
    yield from (f"?id={MISSING}", "?id=一", "", "?" + urlencode({"id": keys[0], "url": f"/{screen}/?title=茉莉花"}))
    yield from (f"?id={keys[0]}&check=1",)


def exports(_rows: Rows, _screen: str) -> Iterator[str]:
    yield from ("", f"?{ASKED}", "?status=filed", "?since=昨天")


def files(rows: Rows, _screen: str) -> Iterator[str]:
    yield from (f"?id={key}{how}" for key in (*rows.files, *rows.removed) for how in ("", "&download=1"))
    yield f"?id={MISSING}"


def papers(rows: Rows, _screen: str) -> Iterator[str]:
    yield from (f"?id={key}" for key in (*rows.applications.values(), *rows.issued, MISSING))


def bundles(rows: Rows, _screen: str) -> Iterator[str]:
    yield from (f"?job={job}" for job in (*rows.jobs, "x"))


def letters(rows: Rows, _screen: str) -> Iterator[str]:
    yield from (f"?id={key}&attempt={attempt}" for key in rows.messages for attempt in (1, 2))


def lookups(_rows: Rows, _screen: str) -> Iterator[str]:
    for name in ("organisation", "publisher", "agent"):
        yield "?" + urlencode({"name": name, "query": "江苏", "offset": 0, "limit": 10})
    yield "?name=organisation&query="


def numbers(rows: Rows, _screen: str) -> Iterator[str]:
    """查验 by number alone and with the check code, right and wrong, and of a number that was never issued."""
    one = rows.certificates[0]
    yield from (
        f"{one.number}",
        f"{one.number}?code={one.check_code}",
        f"{one.number}?code=WRONG&c=",
        f"{one.number}?c=x",
    )
    yield from ("Z32", quote("证明"), f"{one.number}/{quote('二')}")


def notices(rows: Rows, _screen: str) -> Iterator[str]:
    """The message of each account about an announcement."""
    yield from (f"?id={key}" for key in (*rows.notices, MISSING, "一"))


def blanks(_rows: Rows, _screen: str) -> Iterator[str]:
    yield from ("?kind=contract", "?kind=other", "?kind=x", "")


def saved_queries(rows: Rows, _screen: str) -> Iterator[str]:
    """The saved query of each account."""
    yield from (f"?id={key}" for key in (*rows.queries, MISSING, "一"))


def inbox(rows: Rows, screen: str) -> Iterator[str]:
    yield from lists(rows, screen)
    yield from ("?state=unread&kind=announced", "?state=read&kind=application", "?kind=other")


def counts(_rows: Rows, _screen: str) -> Iterator[str]:
    """统计 of this quarter, by every dimension, of one province, and with invalid values."""
    yield from (
        "",
        "?since=2026-01-01&until=2026-12-31&province=320000",
        "?since=昨天&dimension=x",
        "?since=2000-01-01",
    )
    yield from (f"?dimension={name}" for name in ("province", "month", "quarter", "publisher", "kind", "country"))


def once(_rows: Rows, _screen: str) -> Iterator[str]:
    yield ""


QUERIES: dict[str, Queries] = {
    "index_view": lists,
    "create_view": once,
    "edit_view": pages,
    "details_view": pages,
    "export": exports,
    "ajax_lookup": lookups,
    "attachment": files,
    "certificate": papers,
    "preview": papers,
    "opinions": once,
    "queries.edit_view": saved_queries,
    "ask": saved_queries,
    "messages.index_view": inbox,
    "messages.details_view": notices,
    "announcement": lambda rows, _screen: iter((f"?id={rows.announcement}", f"?id={MISSING}", "")),
    "mail": once,
    "messages.feed": once,
    "bundle": bundles,
    "letter": letters,
    "admin.index": once,
    "desk.index": once,
    "carrier_template": once,
    "handbook.index": once,
    "condition.index": once,
    "blanks.file": blanks,
    "blank": blanks,
    "visits.index": once,
    "help.index": once,
    "keys.index": once,
    "apikeys.index": once,
    "keys": lambda _rows, _screen: iter(("?id=1", f"?id={MISSING}", "")),
    "key_login": once,
    "confirm": once,
    "card_login": once,
    "portal_login": once,
    "portal_return": once,
    "statistics.index": counts,
    "statistics.export": counts,
    "login": lambda _rows, _screen: iter(("", "?" + urlencode({"next": "/applications/?title=茉莉花"}))),
    "password": once,
    "picture": lambda _rows, _screen: iter(("", "?new=1")),
    "sound": once,
    "health": once,
    "icon": once,
}
EXCHANGE = ("queued", "sent", "set_aside", "accepted", "rejected", "unanswered")
APPLICATIONS = ("applications", "review", "filings", "register")


def addresses(rule: Rule, rows: Rows) -> Iterator[str]:
    """Every address of a GET route; KeyError for a route that is not listed here."""
    screen, _dot, view = rule.endpoint.rpartition(".")
    match rule.endpoint:
        case "static":
            yield from (f"/assets/{file.name}" for file in (ROOT / "templates" / "static").iterdir() if file.is_file())
            yield from ("/assets/missing.css", "/assets/%2e%2e/base.html")
        case "admin.static":
            yield from ("/static/admin/vendor/jquery.min.js", "/static/admin/missing.js")
        case "feed":
            yield from (f"/feed/{rows.feed}.ics", "/feed/x.ics", "/feed/%E4%BA%8C.ics")
        case "language":  # the last one stays in the cookie
            yield from ("/language/fr", "/language/en", "/language/zh")
        case "witnessed":
            yield from ("/witness/checkpoint", "/witness/checkpoint?origin=x")
        case "status_list":
            yield from ("/status/320000/2026", "/status/320000/1999", "/status/%E4%BA%8C/2026")
        case name if name.startswith("api."):  # read with a key: keys_story.py
            yield rule.rule.replace("<number>", "SQ202600000001")
        case "verify.show":
            yield from ("/verify/", f"/verify/?number={rows.certificates[0].number}&code=x")
            yield from (f"/verify/{query}" for query in numbers(rows, screen)) if rule.arguments else ()
        case _:
            queries = QUERIES[rule.endpoint if rule.endpoint in QUERIES else view]
            kinds = ("csv", "xlsx", "pdf") if view == "export" else ("",)
            for kind in kinds:
                yield from (rule.rule.replace("<export_type>", kind) + query for query in queries(rows, screen))
