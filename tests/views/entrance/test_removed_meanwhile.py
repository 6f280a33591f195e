"""Credentials removed during a sign-in; wrong recovery codes in the log; sessions that end."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access, log
from models.log import Place, SignIn
from models.people import proofs, recovery_codes, security_keys
from models.people.methods import Method
from models.people.proofs import Proof
from models.people.security_keys import SecurityKey
from models.people.sessions import Visit, begin_visit, end_visits
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.views.keys import by_password, enrol, is_in, use
from tests.views.screens.filled_forms import fill
from views.entrance import key_login


def remove_all(app: Flask) -> None:
    """As a removal does it: the row first, then the sessions."""
    with app.app_context(), access.everything() as session:
        for key in session.scalars(select(SecurityKey)).all():
            security_keys.remove(session, key.account_id, key.id)
            end_visits(session, key.account_id)
        session.commit()


def test_a_key_removed_after_its_check_starts_no_session(
    webauthn_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both databases: the removal ended all sessions, and then one began by the key that was gone."""
    key, really = enrol(client_as("publisher")), key_login.begin

    def removed_meanwhile(*given: Any) -> None:
        worker = Thread(target=remove_all, args=(webauthn_app,))
        worker.start(), worker.join()
        really(*given)

    monkeypatch.setattr(key_login, "begin", removed_meanwhile)
    answer = use(browser := client_as(None), key)
    assert answer.status_code == 401 and "刚刚被移除，没有登录" in answer.text
    assert not is_in(browser)
    with webauthn_app.app_context(), access.everything() as session:
        assert log.newest(session, SignIn.SIGNED_IN) is None
        refused = log.newest(session, SignIn.KEY_REFUSED)
        assert refused is not None and refused.username == "publisher" and "刚刚被移除" in refused.words
        assert session.scalar(select(func.count(Visit.id)).where(Visit.method == Method.KEY)) == 0


def test_a_parallel_key_removal_and_sign_in_leave_no_session(webauthn_app: Flask, client_as: ClientAs) -> None:
    """Many times over: whichever is first, no session by a removed key is in use in the end."""
    for _time in range(5):
        enrol(client_as("publisher"))
        with webauthn_app.app_context(), access.everything() as session:
            key_id = session.scalars(select(SecurityKey.id)).one()
        at_once(lambda: remove_all(webauthn_app), lambda number=key_id: begun(webauthn_app, number))
        with webauthn_app.app_context(), access.everything() as session:
            assert session.scalar(select(func.count(Visit.id)).where(Visit.ended_at.is_(None))) == 0


def at_once(*acts: Callable[[], None]) -> None:
    gate = Barrier(len(acts))
    workers = [Thread(target=lambda act=act: (gate.wait(), act())) for act in acts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def begun(app: Flask, key_id: int) -> None:
    """A session that this key begins, as views begin it."""
    with app.app_context(), access.everything() as session:
        begin_visit(session, account_of("publisher").id, Place(), Method.KEY)
        if proofs.lock(session, Proof(SecurityKey, key_id)):
            session.commit()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_wrong_recovery_codes_are_logged_as_such(webauthn_app: Flask, client_as: ClientAs) -> None:
    key = enrol(client_as("publisher"))
    with webauthn_app.app_context(), access.everything() as session:
        recovery_codes.give(session, account_of("publisher"))
        session.commit()
    stranger = client_as(None)
    by_password(stranger)
    for _time in range(2):
        stranger.post("/login/confirm", data={"code": "AAAA-AAAA-AAAA-AAAA"})
    use(owner := client_as(None), key)
    page = owner.get("/visits/").text
    assert "有 2 次输错恢复码，最近一次" in page and "输错密码" not in page.replace("连续输错密码", "")


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_account_that_is_moved_to_another_province_is_signed_out(app: Flask, client_as: ClientAs) -> None:
    """Its visible rows have changed: no page of the former session works."""
    reviewer, operator = client_as("reviewer"), client_as("operator")
    with app.app_context():
        key = account_of("reviewer").id
    assert fill(operator, f"/accounts/edit/?id={key}", name="陈静敏").status_code == 302
    assert is_in(reviewer)
    assert fill(operator, f"/accounts/edit/?id={key}", province="440000").status_code == 302
    assert not is_in(reviewer)
