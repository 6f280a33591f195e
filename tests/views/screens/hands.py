"""What the people of test_many_actors.py do: requests to the screens, and the outcome as one word."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from flask import Flask
from werkzeug.test import TestResponse

from models import access
from models.acts import drafts, uploads
from models.application.attachments import Store, Stored
from models.application.carriers import Carrier
from models.database import db
from models.exchange import inbox
from models.vocabulary import AttachmentKind, Reply
from tests.browsing import Browser, signed_in
from tests.cast import FIELDS, account_of, small_pdf
from tests.models.customs.made_receipts import PACE, receipt_for, sent
from tests.views.keys import SCRIPT
from tests.views.pages import form_of, numbers
from tests.views.screens.acts_done import WORDS, act
from tests.views.screens.uploaded import upload
from views.demo import simulator

SENTENCE = re.compile(r"[\u4e00-\u9fff].*[。！]", re.DOTALL)
LISTS = {"P": "applications", "R": "filings", "N": "register"}
KINDS = ("application_form", "licence", "sample", "contract", "entrustment")
USED_AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
TERM = {"since": "2026-01-01", "until": "2099-12-31"}


class Hands:
    """Sends requests as the people of the tests, each signed in once."""

    def __init__(self, app: Flask) -> None:
        self.app, self.browsers = app, dict[str, Browser]()

    def browser(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = signed_in(self.app, name)
        return self.browsers[name]

    def outcome(self, name: str, send: Callable[[Browser], TestResponse]) -> tuple[str, TestResponse]:
        """("done", "refused", "hidden" or "signed out", the answer); a refusal must have a sentence."""
        browser = self.browser(name)
        answer = send(browser)
        with browser.session_transaction() as session:
            flashed = session.pop("_flashes", [])
        assert answer.status_code < 500
        if answer.status_code in (403, 404):
            return "hidden", answer
        if answer.status_code == 401 or "/login" in (answer.location or ""):
            return "signed out", answer
        if answer.status_code in (400, 409, 422):
            words = answer.get_json()["message"] if answer.is_json else answer.text
            assert SENTENCE.search(words)
            return "refused", answer
        kinds = {kind for kind, _words in flashed}
        if kinds & {"error", "message"} and not kinds & {"result", "success"}:
            assert all(SENTENCE.search(words) for _kind, words in flashed), flashed
            return "refused", answer
        return "done", answer

    def act(self, name: str, screen: str, action: str, key: int, version: int | None) -> tuple[str, TestResponse]:
        """An act on an application by its button."""
        path = action if version is None else f"{action}/?version={version}"
        if version is None:
            return self.outcome(name, lambda browser: act(browser, screen, path, key))
        return self.outcome(name, lambda browser: browser.post(f"/{screen}/{path}", data={"id": key, "opinion": WORDS}))

    def edit(self, name: str, key: int, version: int | None, title: str) -> str:
        """Open the form and save it with another title; `version`: of an older page."""

        def save(browser: Browser) -> TestResponse:
            page = browser.get(f"/applications/edit/?id={key}")
            if "/login" in (page.location or ""):
                return page
            form = form_of(page.text) if page.status_code == 200 else {"version": "1"}
            form |= {"title": title} | ({} if version is None else {"version": str(version), "page_key": "0" * 32})
            return browser.post(f"/applications/edit/?id={key}", data=form)

        return self.outcome(name, save)[0]

    def autosave(self, name: str, key: int, version: int | None, title: str) -> str:
        """Open the form, and let its script store another title; `version`: of an older page."""

        def store_typed(browser: Browser) -> TestResponse:
            page = browser.get(f"/applications/edit/?id={key}")
            form = form_of(page.text) if page.status_code == 200 else {"version": "1"}
            form |= {"title": title} | ({} if version is None else {"version": str(version), "page_key": "0" * 32})
            return browser.post(f"/applications/autosave/?id={key}", data=form, headers=SCRIPT)

        return self.outcome(name, store_typed)[0]

    def attach(self, name: str, key: int, kind: str) -> str:
        return self.outcome(name, lambda browser: upload(browser, key, small_pdf(kind), kind=kind))[0]

    def detach(self, name: str, key: int, file: int) -> str:
        body = {"id": key, "attachment": file}
        return self.outcome(name, lambda browser: browser.post("/applications/remove/", data=body))[0]

    def look(self, name: str, screen: str, key: int) -> str:
        return self.outcome(name, lambda browser: browser.get(f"/{screen}/details/?id={key}"))[0]

    def listed(self, name: str, letter: str) -> set[str]:
        """申请单号 in the list of this person."""
        return set(numbers(self.browser(name).get(f"/{LISTS[letter]}/").text))

    def act_on_message(self, name: str, action: str, message: int) -> str:
        path, body = f"/exchange/{action.replace('_', '-')}/", {"id": message, "opinion": WORDS}
        return self.outcome(name, lambda browser: browser.post(path, data=body))[0]

    def invite(self, name: str) -> str:
        body = {"agent": "南京光盘进出口有限公司"} | TERM
        return self.outcome(name, lambda browser: browser.post("/entrusting/new/", data=body))[0]

    def answer_invitation(self, name: str, answer: str, key: int) -> str:
        return self.outcome(name, lambda browser: browser.post(f"/entrusting/{answer}/", data={"id": key}))[0]

    def set_active(self, account: int, is_active: bool) -> str:
        """停用 or 启用 by the operator."""

        def save(browser: Browser) -> TestResponse:
            form = form_of(browser.get(f"/accounts/edit/?id={account}").text, "card-box")
            form.pop("active", None)
            form |= {"active": "y"} if is_active else {}
            return browser.post(f"/accounts/edit/?id={account}", data=form)

        return self.outcome("operator", save)[0]


def inspected_files(app: Flask) -> dict[str, Stored]:
    """Kind → a file in the store, inspected once, so that many drafts can have it."""
    store = Store(app.config["STORE"])
    return {kind.value: store.put(io.BytesIO(small_pdf(kind)), "a.pdf", 1 << 20) for kind in AttachmentKind}


def begin_draft(app: Flask, by: str, publisher: str, title: str, files: dict[str, Stored]) -> int:
    """Create a draft with these files, by the acts of the models, and commit; returns its id."""
    with app.app_context():
        unit = account_of(publisher).organisation_id
        access.enter(filer := account_of(by))
        application = drafts.start(db.session(), filer)
        with drafts.revising(db.session(), application, application.version, filer):
            for name, value in (FIELDS | {"title": title, "publisher_id": unit}).items():
                setattr(application, name, value)
            application.carriers = [Carrier(specification="CD", quantity=Decimal(500), unit="010", kind="CD")]
        for kind, stored in files.items():
            uploads.attach_stored(db.session(), application, AttachmentKind(kind), stored, "合同.pdf", filer)
        db.session.commit()
        return application.id


def send_messages(app: Flask) -> None:
    """One round of the deliverer, which sends everything that is due."""
    with app.app_context(), access.everything() as session:
        sent(session)


def deliver_receipt(app: Flask, message: str, is_accepted: bool) -> None:
    """A receipt of customs about this message arrives."""
    raw = receipt_for(message, Reply.ACCEPTED if is_accepted else Reply.REJECTED)
    with app.app_context(), access.everything() as session:
        inbox.store_and_process(session, f"Receipt_{message}.xml", raw, PACE)


def deliver_use(app: Flask, message: str, is_used_up: bool, reference: str) -> None:
    """Customs reports 核销 or 核注 of the certificate that this message is about."""
    says = Reply.USED_UP if is_used_up else Reply.NOTED
    raw = simulator.receipt(message, "0", "", simulator.use(message, says, reference, USED_AT))
    with app.app_context(), access.everything() as session:
        inbox.store_and_process(session, f"Use_{message}.xml", raw, PACE)
