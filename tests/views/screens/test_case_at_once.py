"""The page of a case while others act on it: the case is read again, and typed text is preserved."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from models import access
from models.acts import filing, withdrawal
from models.application import Application, typed_opinion
from models.application.typed_form import typed_by
from models.database import db
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication, StoredRows
from views.panel import leases


def meanwhile(app: Flask, action: Action, key: int, who: str) -> None:
    """Perform that act as another account, in a thread and session of its own."""

    def work() -> None:
        with app.app_context():
            by = account_of(who)
            access.enter(by)
            filing.perform(db.session(), action, db.session.get_one(Application, key), by)
            db.session.commit()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(work).result(timeout=60)


def typed(browser: Browser, key: int) -> str:
    """The opinion in the field of the case page."""
    page = browser.get(f"/review/details/?id={key}").text
    (words,) = re.findall(r'<textarea[^>]* id="opinion"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return str(words).strip()


def test_an_application_withdrawn_while_its_page_opens_is_not_shown(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A draft again, it is its owner's alone."""
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    noting = withdrawal.note_opening

    def too_late(*args: Any) -> None:
        meanwhile(app, Action.WITHDRAW, key, "publisher")
        noting(*args)

    monkeypatch.setattr(withdrawal, "note_opening", too_late)
    assert reviewer.get(f"/review/details/?id={key}").status_code == 404
    assert stored_rows(key)["application"][0]["opened_at"] is None


def test_a_case_released_while_its_page_opens_stays_unassigned(
    app: Flask,
    client_as: ClientAs,
    add_colleague: Callable[..., None],
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    add_colleague("second", like="reviewer")
    reviewer.get(f"/review/details/?id={key}")
    meanwhile(app, Action.TAKE, key, "second")
    looking, looks = leases.is_own, iter([True])

    def put_back_then(lease: Any) -> bool:
        if next(looks, False):
            looking(lease)
            meanwhile(app, Action.PUT_BACK, key, "second")
        return looking(lease)

    monkeypatch.setattr(leases, "is_own", put_back_then)
    page = reviewer.get(f"/review/details/?id={key}")
    assert page.status_code == 200
    assert "second办理至" not in page.text


@pytest.mark.parametrize("action", ["take", "take_over", "put_back"])
def test_an_opinion_typed_just_before_claiming_is_preserved(
    app: Flask, client_as: ClientAs, add_colleague: Callable[..., None], make_application: MakeApplication, action: str
) -> None:
    """The acts share a form with the opinion, which may not be autosaved yet."""
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    add_colleague("second", like="reviewer")
    if action != "take":
        meanwhile(app, Action.TAKE, key, "second" if action == "take_over" else "reviewer")
    reviewer.post(f"/review/{action}/", data={"id": key, "opinion": "材料需要核对。", "ground": "1"})
    assert typed(reviewer, key) == "材料需要核对。"
    reviewer.post(f"/review/{'put_back' if action != 'put_back' else 'take'}/", data={"id": key})  # from the list
    assert typed(reviewer, key) == "材料需要核对。"


def test_a_refused_grant_without_an_opinion_leaves_the_typed_opinion(
    app: Flask, client_as: ClientAs, add_colleague: Callable[..., None], make_application: MakeApplication
) -> None:
    """From the list, whose dialog does not have the opinion of the case page."""
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    add_colleague("second", like="reviewer")
    reviewer.post(f"/review/typed/?id={key}", data={"opinion": "材料需要核对。"})
    meanwhile(app, Action.TAKE, key, "second")
    reviewer.post("/review/grant/", data={"id": key, "opinion": ""})
    assert typed(reviewer, key) == "材料需要核对。"


def test_an_act_does_not_fail_because_of_a_parallel_autosave(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """An autosave that is on its way when the act is sent."""
    key = make_application(status="pending")

    def autosave(words: str) -> None:
        with app.app_context():
            by = account_of("reviewer")
            access.enter(by)
            typed_opinion.save(db.session(), db.session.get_one(Application, key), by, words, ())
            db.session.commit()

    autosave("材料")
    with app.app_context():
        by = account_of("reviewer")
        access.enter(by)
        session, case = db.session(), db.session.get_one(Application, key)
        session.expire_on_commit = False  # what was read stays as it was read
        read = typed_by(session, case, by)
        assert read is not None
        session.commit()
        with ThreadPoolExecutor(1) as threads:
            threads.submit(autosave, "材料需要核对。").result(timeout=60)
        typed_opinion.forget(session, case, by)
        session.commit()
    assert stored_rows(key)["typed_form"] == []
