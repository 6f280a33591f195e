"""Addresses of pages for measuring, each for the person who has most rows of it."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import access
from models.application import Application
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.log import LOGS
from models.people.accounts import Account
from models.statistics.periods import Dimension
from models.vocabulary import Role, Status
from tests.browsing import Browser, signed_in
from tests.views.api.reading import token_of
from views.screens.statistics_query import COMMON

Pages = dict[str, str]  # name → address


def busiest(app: Flask) -> Iterator[tuple[str, str, Pages]]:
    """(who, user name, their pages): the publisher and the province with most rows, one with few, nation, operator."""
    with app.app_context(), access.everything() as session:
        count = func.count(Application.id)
        owners = session.execute(select(Application.owner_id).group_by(Application.owner_id).order_by(count.desc()))
        owner = owners.scalars().first()
        desks = session.scalars(
            select(Application.desk).where(Application.desk.is_not(None)).group_by(Application.desk).order_by(count)
        ).all()
        by = {"publisher": Account.organisation_id == owner, "large": _desk(desks[-1]), "small": _desk(desks[0])}
        by |= {"nation": Account.role == Role.NATIONAL, "operator": Account.role == Role.OPERATOR}
        names = {who: session.scalars(select(Account.username).where(which)).first() for who, which in by.items()}
        people = update(Account).where(Account.username.in_(names.values()))
        session.execute(people.values(active=True, must_change=False))
        session.commit()
        more = _found(session, owner, desks[-1])
    lists = {"publisher": "/applications/", "large": "/filings/", "small": "/filings/", "nation": "/register/"}
    for who, name in names.items():
        pages = _of_list(lists[who], who == "publisher") if who in lists else {}
        yield who, str(name), pages | more.get(who, {}) | _others(who)


def _found(session: Session, owner: int | None, desk: str | None) -> dict[str, Pages]:
    """Who → the pages whose addresses name a row."""
    rows = {status: session.scalar(_own(owner, status)) for status in (Status.CUSTOMS_RECEIVED, Status.DRAFT)}
    publisher = {
        "details": f"/applications/details/?id={rows[Status.CUSTOMS_RECEIVED]}",
        "edit form": f"/applications/edit/?id={rows[Status.DRAFT]}",
    }
    certificate = f"/register/?certificate={session.scalar(select(func.max(Certificate.number)))}"
    return {
        "publisher": publisher,
        "nation": {"certificate's number": certificate},
        "large": _of_exchange(_message(session, desk)),
        "small": _of_exchange("Z"),
    }


def _others(who: str) -> Pages:
    """The pages that are not of one list."""
    pages = {"desk": "/desk/", "messages": "/messages/"}
    if who in ("nation", "large", "small"):
        odd = "since=2025-07-05&until=2026-02-25"  # two ends that are no whole thirds of a month
        pages |= {"statistics": "/statistics/", "statistics, odd days": f"/statistics/?{odd}"}
        for by in Dimension if who == "nation" else COMMON:
            pages |= {
                f"statistics by {by.value}": f"/statistics/?dimension={by.value}&since=2025-01-01&until=2025-12-31"
            }
            pages |= {f"statistics by {by.value}, odd days": f"/statistics/?dimension={by.value}&{odd}"}
    if who in ("large", "small"):
        pages |= {"review": "/review/", "review, title": "/review/?title=花"}
    if who == "nation":
        pages |= {"acts": "/acts/", "feed": "/api/v1/applications", "changes": "/api/v1/changes/applications"}
    if who in ("nation", "operator"):
        asked = {"": "", " of an account": "?username=publisher", " of days": "?since=2025-01-01&until=2025-03-31"}
        pages |= {f"{log}{name}": f"/{log}/{question}" for log in LOGS for name, question in asked.items()}
    if who == "operator":
        pages |= {"online": "/online/", "accounts": "/accounts/", "organisations": "/organisations/"}
    return pages


def _desk(province: str | None) -> Any:
    return (Account.role == Role.REVIEWER) & (Account.province == province)


def _own(owner: int | None, status: Status) -> Any:
    return select(Application.id).where(Application.owner_id == owner, Application.status == status).limit(1)


def _message(session: Any, desk: str | None) -> str:
    newest = select(func.max(CustomsMessage.message_id)).join(CustomsMessage.application)
    return str(session.scalar(newest.where(Application.desk == desk)))[:11]


def _of_list(address: str, own: bool) -> Pages:
    asked = {
        "plain": "", "200 rows": "page_size=200", "row 5,000": "page=249", "beyond the end": "page=499",
        "title, 2 common": "title=梅花", "title, 1 common": "title=花", "title, 6": "title=梅花·交响乐",
        "title, rare": "title=龘𠮷", "title, absent": "title=鼍", "title and status": "title=花&status=revoked",
        "title, dates": "title=花&since=2025-01-01&until=2025-03-31", "status": "status=customs_received",
        "rare status by title": "status=revoked&sort=%(title)s", "dates": "since=2025-01-01&until=2025-12-31",
        "title within dates": "since=2025-01-01&until=2025-12-31&sort=%(title)s", "number": "number=SQ2025000",
        "by title": "sort=%(title)s", "by title, end": "sort=%(title)s&page=499",
    }  # fmt: skip
    if not own:
        asked |= {"publisher, common": "publisher=出版社", "publisher, one": "publisher=第3音像",
                  "publisher, absent": "publisher=鼍", "publisher and title": "publisher=第1&title=花",
                  "amounts, many": "amount_since=1000", "amounts, row 5,000": "amount_since=1000&page=249",
                  "amounts, some": "amount_since=20000&amount_until=21000", "amounts, none": "amount_since=99999999",
                  "amounts by title": "amount_since=1000&sort=%(title)s", "by amount": "sort=%(amount)s&desc=1",
                  "amounts and status": "amount_since=1000&status=revoked"}  # fmt: skip
    if address == "/register/":
        asked |= {
            "province by title": "province=110000&sort=%(title)s",
            "province by publisher": "province=440000&sort=4",
        }
    places = {"title": 3, "amount": 8} if address == "/register/" else {"title": 1, "amount": 5}
    return {name: f"{address}?{question % places}" for name, question in asked.items()}


def _of_exchange(number: str) -> Pages:
    asked = {"": "", ", row 5,000": "page=249", ", rejected": "state=rejected", ", number": f"number={number}",
             ", dates": "since=2025-01-01&until=2025-12-31", ", unanswered": "state=unanswered",
             ", by date": "sort=5&desc=1"}  # fmt: skip
    return {f"exchange{name}": f"/exchange/?{question}" for name, question in asked.items()}


def visitor(app: Flask, who: str, username: str) -> Browser:
    """A signed-in browser; the nation's has a key of the interface too, which pages ignore."""
    browser = signed_in(app, username)
    if who == "nation":
        browser.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(app, username)}"
    return browser
