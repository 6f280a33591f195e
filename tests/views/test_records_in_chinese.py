"""Stored, printed and sent text is Chinese, in either language of the actor."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.codes import code_of, label_of
from models.customs import CustomsMessage, envelope
from models.database import db
from models.language import in_chinese
from models.log import LogEntry
from models.notifications import Notification
from models.vocabulary import Ground
from tests.browsing import Browser, signed_in
from tests.cast import account_of
from tests.conftest import MakeApplication, StoredRows
from tests.views.screens.acts_done import act
from tests.views.words_of_pages import CHINESE
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
VARYING = re.compile(r"\b[0-9a-f]{16,}\b|[\d-]+")  # hashes, ids, numbers, times; a check code has letters
OF_ITS_OWN = {"check_code", "message_id"}


def reading(app: Flask, username: str, language: str) -> Browser:
    browser = signed_in(app, username)
    browser.set_cookie(COOKIE, language)
    return browser


def alike(rows: Any) -> str:
    """Rows without what differs between two of the same kind anyhow."""
    return VARYING.sub("#", json.dumps(rows, ensure_ascii=False, default=str, sort_keys=True))


def everything_about(app: Flask, key: int, stored_rows: StoredRows) -> list[str]:
    """The rows of an application, its messages to customs, and its notifications, as text."""
    rows = {
        table: [{name: value for name, value in row.items() if name not in OF_ITS_OWN} for row in found]
        for table, found in stored_rows(key).items()
    }
    with app.app_context(), access.everything() as session:
        letters = session.scalars(select(CustomsMessage).where(CustomsMessage.application_id == key)).all()
        sent = [envelope.business_xml(letter).decode() for letter in letters]
        shown = session.scalars(select(Notification).where(Notification.application_id == key)).all()
        return [alike(rows), *map(alike, sent), *(alike(each.sentence) for each in shown)]


@pytest.mark.parametrize(
    ("action", "more"),
    [("grant", {}), ("refuse", {"ground": [Ground.UNITY.value, Ground.CULT.value]}), ("return", {}), ("extend", {})],
)
def test_a_decision_leaves_the_same_records_in_both_languages(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, action: str, more: dict[str, Any]
) -> None:
    """Trail, certificate, messages to customs and to people do not depend on the language."""
    left = []
    for language in ("zh", "en"):
        key = make_application(status="pending")
        assert act(reading(app, "reviewer", language), "review", action, key, **more).status_code == 303
        left.append(everything_about(app, key, stored_rows))
    assert left[0] == left[1]
    assert CHINESE.search(left[1][0])


def test_the_logs_are_the_same_in_both_languages(app: Flask, make_application: MakeApplication) -> None:
    """Changes by operators, exports and downloads, and saved queries of a publisher."""
    make_application(status="filed")
    with app.app_context():
        organisation = account_of("publisher").organisation_id
    entries = []
    for language in ("zh", "en"):
        publisher, operator = reading(app, "publisher", language), reading(app, "operator", language)
        month = {"zh": "本月", "en": "This month"}[language]
        publisher.get(f"/applications/export/csv/?status=filed&since={month}")
        publisher.get("/applications/attachment/?id=1&download=1")
        publisher.post(
            "/queries/keep/", data={"screen": "applications", "name": language, "asked": f"status=filed&since={month}"}
        )
        given = {"day": {"zh": "2026-12-24", "en": "2026-12-25"}[language], "kind": "off", "name": "临时放假"}
        assert operator.post("/calendar/new/", data=given).status_code == 302
        person = {"username": f"{language}1", "name": "钱进", "role": "publisher", "organisation": organisation}
        assert operator.post("/accounts/new/", data=person | {"active": "y"}).status_code == 302
        with app.app_context(), access.everything() as session:
            found = session.scalars(select(LogEntry).order_by(LogEntry.id)).all()
            entries.append([(each.kind, each.words) for each in found])
            stored_words = session.execute(db.text("select words from kept_query order by id")).scalars().all()
    count = len(entries[0])
    assert count >= 4
    assert [alike(each).replace("zh#", "en#") for each in entries[0]] == [alike(each) for each in entries[1][count:]]
    assert stored_words[0] == stored_words[1]
    assert CHINESE.search(stored_words[0])


def test_a_code_means_the_same_in_both_languages(app: Flask) -> None:
    """010-张 and 010-sheets: text typed or autosaved in one language is read in the other."""
    for language, typed in (("zh", ("010-sheets", "sheets", "010-张")), ("en", ("010-sheets", "张", "010-张"))):
        with app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}):
            assert [code_of("unit", words) for words in typed] == ["010"] * 3
            assert code_of("country", label_of("country", "TWN")) == "TWN"
            assert label_of("unit", "010") == ("010-sheets" if language == "en" else "010-张")
            with in_chinese():
                assert label_of("unit", "010") == "010-张"
