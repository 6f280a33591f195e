"""Stored texts about keys, links, addresses, forms and refusals are Chinese, in either language of the actor."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access, clock
from models.log import LogEntry
from models.mail import SENT_WORDS
from models.notifications import Notification, letters
from models.notifications.letters import MailLetter, Purpose
from models.people.api_keys import ApiKey
from models.people.portal_links import PortalLink, request_link
from models.vocabulary import AttachmentKind
from tests.cast import account_of, small_pdf
from tests.views.api.reading import LIST, Program, token_of
from tests.views.test_records_in_chinese import alike, reading
from tests.views.words_of_pages import CHINESE
from views.translations import COOKIE

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
ISSUER = "https://portal.example.cn"


def newest(app: Flask, model: Any) -> Any:
    """The id of the last row."""
    with app.app_context(), access.everything() as session:
        return session.scalar(select(model.id).order_by(model.id.desc()).limit(1))


def asked(app: Flask, subject: str) -> int:
    """The id of the request of a user of the portal."""
    with app.app_context(), access.everything() as session:
        made = request_link(session, ISSUER, subject, {"name": "王敏"}, "10.0.0.1")
        session.commit()
        return made.id


def log_and_messages(app: Flask) -> tuple[list[str], list[str]]:
    """All log entries and all notifications, in the order of their writing."""
    with app.app_context(), access.everything() as session:
        entries = session.scalars(select(LogEntry).order_by(LogEntry.id)).all()
        messages = session.scalars(select(Notification).order_by(Notification.id)).all()
        return (
            [alike([each.kind, each.about, each.words]) for each in entries],
            [alike([each.event, each.detail]) for each in messages],
        )


def adds_and_removes_credentials(app: Flask, language: str) -> None:
    """Keys of programs made and ended, by their owner and by the operator; users of the portal linked and not."""
    publisher, operator = reading(app, "publisher", language), reading(app, "operator", language)
    for screen, who in (("apikeys", publisher), ("accounts/api-keys", operator)):
        assert publisher.post("/apikeys/make/", data={"name": "综合业务系统", "days": "9"}).status_code == 303
        assert who.post(f"/{screen}/end/", data={"id": newest(app, ApiKey)}).status_code == 303
    token = token_of(app, "reviewer", f"{language}2026", networks="10.9.0.0/16")
    assert Program(app, token).get(LIST, Cookie=f"{COOKIE}={language}").status_code == 401
    for act, name in (("link", "publisher"), ("decline", "")):
        form = {"id": asked(app, f"{language}2026-{act}"), "username": name}
        assert operator.post(f"/portal/{act}/", data=form).status_code == 303
    assert operator.post("/accounts/portal/unlink/", data={"id": newest(app, PortalLink)}).status_code == 303


def uploads_and_removes_a_form(app: Flask, language: str) -> None:
    operator = reading(app, "operator", language)
    sent = {"kind": AttachmentKind.CONTRACT.value, "version": "0", "file": (io.BytesIO(small_pdf("表")), "样本.pdf")}
    assert operator.post("/blanks/keep/", data=sent).status_code in (302, 303)
    _before, _found, rest = operator.get("/blanks/").text.partition("/blanks/remove/?version=")
    version = rest.partition('"')[0]
    assert operator.post(f"/blanks/remove/?version={version}", data={"id": sent["kind"]}).status_code in (302, 303)


@pytest.mark.parametrize("act", [adds_and_removes_credentials, uploads_and_removes_a_form])
def test_log_and_messages_are_the_same_in_both_languages(app: Flask, act: Any) -> None:
    act(app, "zh")
    chinese = log_and_messages(app)
    act(app, "en")
    for first, both in zip(chinese, log_and_messages(app), strict=True):
        assert [each.replace("zh#", "en#") for each in first] == both[len(first) :]
    assert len(chinese[0]) > 1
    assert any(map(CHINESE.search, chinese[0]))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_state_of_a_letter_is_stored_and_recognised_in_chinese(app: Flask, language: str) -> None:
    """A code that a newer one replaced; and an address that works again, for a reader of either language."""
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}), access.everything() as session:
        account = account_of("publisher").id
        for _time in range(2):
            letters.enqueue_about_address(session, account, Purpose.CONFIRM, "new@example.cn")
        answers = select(MailLetter.answer).order_by(MailLetter.id)
        assert session.scalars(answers).all() == ["已有新的确认码，没有发送。", None]
        session.execute(update(MailLetter).values(purpose=None, sent_at=None, set_aside_at=clock.now(), answer="拒收"))
        assert letters.undelivered(session, account) == "拒收"
        later = MailLetter(account_id=account, queued_at=clock.now(), sent_at=clock.now(), answer="已发送。")
        session.add(later)
        session.flush()
        assert letters.undelivered(session, account) is None
        assert (str(SENT_WORDS) == "已发送。") == (language == "zh")
