"""Crawler: follows the links of all pages that an account can reach."""

import re
from collections import deque
from html import unescape

from flask import Flask
from sqlalchemy import select

from models import access
from models.customs import CustomsMessage
from models.exchange import inbox
from models.people import mail_confirmation
from models.people.accounts import Account
from models.people.portal_links import decline, link, request_link
from models.vocabulary import AttachmentKind, Status
from tests.browsing import Browser
from tests.cast import account_of, add_saved_query, announced, blank_form, create_application
from tests.models.customs.made_receipts import PACE
from tests.models.customs.test_uses import used
from tests.views.api.reading import token_of

LINK = re.compile(r'<a\b[^>]*?\shref="(/[^"#]*)')
NO_PAGE = re.compile("^/(assets|language|feed)/|/(export|attachment|certificate|template|file|blank|letter|preview)/")
READERS = {"publisher": "applications", "reviewer": "filings", "national": "register"}


def furnish(app: Flask) -> dict[str, int]:
    """An application in each status, and all other rows that pages can show; status → id."""
    keys = {status.value: create_application(app, "publisher", status, 2) for status in Status}
    announced(app)
    blank_form(app, AttachmentKind.CONTRACT)
    for username in ("publisher", "reviewer", "national", "operator"):
        add_saved_query(app, username)
    add_credentials(app)
    used_at_customs(app, keys[Status.CUSTOMS_RECEIVED.value])
    return keys


def add_credentials(app: Flask) -> None:
    """Keys of programs, users of the portal, linked and not, and an address that waits to be confirmed."""
    for username in READERS:
        token_of(app, username)
    with app.app_context(), access.everything() as session:
        asked = [request_link(session, "https://portal.example.cn", name, {"name": name}, "") for name in ("a", "b")]
        asked.append(request_link(session, "https://portal.example.cn", "c", {"name": "c"}, ""))
        link(session, asked[0], account_of("publisher"))
        decline(session, asked[1])
        mail_confirmation.ask(session.get_one(Account, account_of("publisher").id), "new@example.cn")
        session.commit()


def used_at_customs(app: Flask, key: int) -> None:
    """Record a use of the certificate by customs, which its pages show."""
    with app.app_context(), access.everything() as session:
        name = session.scalars(select(CustomsMessage.message_id).where(CustomsMessage.application_id == key)).first()
        inbox.store_and_process(session, "used.xml", used(str(name)), PACE)


def pages(browser: Browser, *starts: str) -> dict[str, str]:
    """Path → text of every page that links lead to from `starts`; one page of each path, since these are alike."""
    found, waiting = dict[str, str](), deque(starts)
    while waiting:
        address = waiting.popleft()
        path = address if address in starts else address.partition("?")[0]
        if path in found or NO_PAGE.search(path):
            continue
        answer = browser.get(address)
        if answer.location:
            waiting.append(answer.location)
        elif answer.mimetype == "text/html":
            found[path] = answer.text
            waiting += map(unescape, LINK.findall(answer.text))
    return found


def starts(username: str | None, keys: dict[str, int]) -> list[str]:
    """First pages: home, and the page of an application in each status."""
    if username is None:
        return ["/login", "/login/key", "/verify/", "/verify/Z32", "/verify/?number=Z32&code=x", "/missing"]
    screen = READERS.get(username)
    portal = ["/portal/"] if username == "operator" else []  # not in the menu while the portal is off
    return ["/", *portal, *(f"/{screen}/details/?id={key}" for key in keys.values() if screen)]
