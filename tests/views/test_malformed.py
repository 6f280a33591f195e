"""Malformed files and messages: each is accepted, or refused with a sentence, and a refusal changes nothing.

No exception, no 5xx, nothing that waits for ever. `MALFORMED=10000` sends so many, of another seed each time unless
`SEED` is given; otherwise it is a small part, always the same.
"""

import io
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask

from models import access
from models.application.attachments import Store
from models.codes.sheet import read_sheet
from models.customs import receipt
from models.exchange import inbox
from models.sign_on import NotVerified, tokens
from models.sign_on.discovery import KNOWN
from models.signing import check_code
from models.signing.check_code import Forged
from models.vocabulary import Reply
from models.workflow import Refused
from tests import malformed
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.models.customs.made_receipts import PACE
from tests.portal import portal_served
from tests.views.api.reading import Program, token_of
from tests.views.conftest import CertificateData, PrintedPaper
from tests.views.entrance.verified import verdict
from tests.views.ledger import ledger
from views.entrance.portal import portal as portal_of_settings
from views.entrance.rate_limits import limiter
from views.resources import keys, list_publisher

COUNT = int(os.environ.get("MALFORMED", "300"))
SEED = os.environ.get("SEED", "1" if COUNT == 300 else str(time.time()))
SLOWEST = 30  # seconds for one
SENTENCE = re.compile(r"[\u4e00-\u9fff].*。", re.DOTALL)
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("app", ["sqlite"], indirect=True)]
Send = Callable[[random.Random], str]


def send_many(send: Send, share: float, kind: str) -> Counter[str]:
    """Send a share of COUNT; how often each outcome came. The number of each is in the message of a failure."""
    found: Counter[str] = Counter()
    for at in range(max(int(COUNT * share), 5)):
        began = time.monotonic()
        choose = random.Random(f"{SEED} {kind} {at}")
        try:
            found[send(choose)] += 1
        except Exception as broken:
            raise AssertionError(f"SEED={SEED} {kind} {at}") from broken
        assert time.monotonic() - began < SLOWEST, f"SEED={SEED} {kind} {at}"
    print(kind, dict(found))  # noqa: T201  shown by pytest -s
    return found


@pytest.fixture(autouse=True)
def _unlimited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def words(app: Flask) -> Iterator[None]:
    """Sentences need a request."""
    with app.test_request_context():
        yield


def test_files_are_accepted_or_refused(app: Flask, words: None) -> None:
    """Attachments: PDFs, JPEG, PNG, TIFF, and workbooks under their names."""
    store, honest = Store(app.config["STORE"]), [*malformed.pdfs(), *malformed.pictures(), malformed.tables()[0]]

    def send(choose: random.Random) -> str:
        before = set(store.digests())
        sentence, content = "", malformed.mutated(choose, honest)
        try:
            return store.put(io.BytesIO(content), "合同.pdf", 1 << 20).media_type
        except Refused as refused:
            sentence = str(refused)
        assert SENTENCE.search(sentence)
        assert set(store.digests()) == before
        return "refused"

    assert send_many(send, 0.35, "files")["refused"]


def test_tables_are_read_or_refused(app: Flask, client_as: ClientAs, make_application: MakeApplication) -> None:
    """载体信息 from a file: a preview, which changes no row."""
    browser, key = client_as("publisher"), make_application()
    before = ledger(app)

    def send(choose: random.Random) -> str:
        file = io.BytesIO(malformed.mutated(choose, malformed.tables()))
        body = {"file": (file, choose.choice(("a.xlsx", "a.xls", "a.csv")))}
        headers = {"X-Requested-With": "XMLHttpRequest"}
        answer = browser.post(f"/applications/carriers/preview/?id={key}", data=body, headers=headers)
        assert answer.status_code in (200, 422)
        assert answer.status_code == 200 or SENTENCE.search(answer.get_json()["message"])
        return "read" if answer.status_code == 200 else "refused"

    assert send_many(send, 0.15, "tables")["refused"]
    assert ledger(app) == before


def test_sheets_of_codes_are_read_or_refused(words: None) -> None:
    """The calendar and the customs districts of the operator."""

    def send(choose: random.Random) -> str:
        sentence = ""
        try:
            read_sheet(malformed.mutated(choose, malformed.tables()))
        except Refused as refused:
            sentence = str(refused)
        assert not sentence or SENTENCE.search(sentence)
        return "refused" if sentence else "read"

    assert send_many(send, 0.1, "sheets")["refused"]


def test_receipts_change_only_what_they_are_about(app: Flask, make_application: MakeApplication) -> None:
    """Each is stored as it came; the register changes only by results that can be read, about messages that exist."""
    for _each in range(3):
        make_application(status="filed")
    rows = ledger(app)["customs_message"]
    names = [row.message_id for row in rows]
    honest = malformed.receipts(names)

    def send(choose: random.Random) -> str:
        before, raw = ledger(app), malformed.mutated(choose, honest)
        with app.test_request_context(), access.everything() as session:
            lines = inbox.store_and_process(session, f"Receipt_{choose.random()}.xml", raw, PACE)
            about = {result.message_id: result.reply for result in receipt.interpret("", raw)[0]}
        after = ledger(app)
        known = {name: reply for name, reply in about.items() if name in names}
        if not known:
            for table in ("application", "customs_message", "customs_note", "trail_entry", "certificate_use"):
                assert after[table] == before[table]
        if not set(known.values()) & {Reply.ACCEPTED, Reply.REJECTED}:
            assert [row.status for row in after["application"]] == [row.status for row in before["application"]]
        assert all(lines)
        return "applied" if known else "kept"

    assert send_many(send, 0.15, "receipts").keys() == {"applied", "kept"}


def test_changed_papers_are_not_valid(
    client_as: ClientAs, make_application: MakeApplication, printed_paper: PrintedPaper
) -> None:
    """查验 by a file: only the issued bytes are valid."""
    paper, browser = printed_paper(make_application(status="filed")), client_as(None)
    assert verdict(browser.post("/verify/", data={"file": (io.BytesIO(paper), "a.pdf")}).text) == "有效"

    def send(choose: random.Random) -> str:
        changed = malformed.mutated(choose, [paper])
        answer = browser.post("/verify/", data={"file": (io.BytesIO(changed), "a.pdf")})
        assert answer.status_code == 200
        assert verdict(answer.text) != "有效" or changed == paper
        return verdict(answer.text)

    send_many(send, 0.05, "papers")


def test_changed_codes_are_not_valid(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, certificate_data: CertificateData
) -> None:
    """查验 by the code of a QR picture, by its page and by the program for other machines."""
    printed, browser = certificate_data(make_application(status="filed")), client_as(None)
    with app.app_context():
        public = list(keys().code_keys())
    assert verdict(browser.get(f"/verify/{printed.number}", query_string={"c": printed.code}).text) == "有效"

    def send(choose: random.Random) -> str:
        changed = malformed.mutated(choose, [printed.code.encode()]).decode("latin-1")
        answer = browser.get(f"/verify/{printed.number}", query_string={"c": changed})
        assert answer.status_code in (200, 414)
        genuine = False
        with suppress(Forged):
            genuine = check_code.read(changed, public) == printed.facts
            assert genuine
        word = verdict(answer.text) if answer.status_code == 200 else "414"
        assert (word == "有效") == genuine
        return word

    send_many(send, 0.1, "codes")


def test_changed_status_lists_are_refused(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="revoked")
    with app.app_context(), access.everything() as session:
        public = list(keys().code_keys())
        honest = list_publisher().make(session, "320000", 2026)
    found = check_code.read_list(honest, public)

    def send(choose: random.Random) -> str:
        try:
            changed = malformed.mutated(choose, [honest.encode()]).decode("latin-1")
            assert check_code.read_list(changed, public) == found  # another spelling of the same list
        except Forged:
            return "refused"
        return "the same"

    assert send_many(send, 0.05, "lists")["refused"]


def test_changed_api_keys_open_nothing(app: Flask) -> None:
    token = token_of(app, "publisher")

    def send(choose: random.Random) -> str:
        changed = re.sub(r"[\r\n\0]", " ", malformed.mutated(choose, [token.encode()]).decode("latin-1"))
        answer = Program(app, changed).get("/api/v1/key")
        assert answer.status_code in (401, 200) and (answer.status_code == 401 or changed.strip() == token)
        assert answer.status_code == 200 or answer.get_json()["detail"]
        return str(answer.status_code)

    assert send_many(send, 0.02, "keys")["401"]


def test_changed_tokens_of_the_portal_end_no_session(app: Flask, words: None) -> None:
    """A logout token, whose signature covers all of it."""
    with portal_served() as server:
        app.config.update(server.settings())
        KNOWN.clear()
        portal, honest = portal_of_settings(), server.logout_token()
        assert portal is not None
        found = tokens.logged_out(portal, honest)

        def send(choose: random.Random) -> str:
            try:
                changed = malformed.mutated(choose, [honest.encode()]).decode("latin-1")
                assert tokens.logged_out(portal, changed) == found
            except NotVerified:
                return "refused"
            return "the same"

        assert send_many(send, 0.03, "tokens")["refused"]
