"""Second step of sign-in for accounts with a security key or card: the key, the card, or a recovery code.

Between the steps there is no session: the signed cookie holds the account whose first step succeeded, for five minutes.
"""

from dataclasses import astuple
from datetime import timedelta

from flask import Flask, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from models import access, clock, log
from models.database import db
from models.log import SignIn
from models.people import portal_visits, recovery_codes, security_keys
from models.people.accounts import Account
from models.people.card_certificates import cards_of
from models.people.methods import WITH_CODE, Method
from models.people.portal_visits import SignOn
from models.people.proofs import Proof
from models.people.security_keys import SecurityKey
from models.people.signin_failures import hashed
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.card_login import authorities
from views.entrance.place import place
from views.entrance.relying_party import party
from views.entrance.security import local, wants_json
from views.entrance.signed_in import assert_opened_by, begin, named_place

NO_FIRST_STEP = (0, "", "", 0, None)
KEY, LIFE = "first_of_two", timedelta(minutes=5)
# session[KEY]: [account id, password mark, target, Unix time, sign-on].


def init_app(app: Flask) -> None:
    app.add_url_rule("/login/confirm", view_func=confirm, methods=["GET", "POST"])
    app.add_url_rule("/login/confirm/options", view_func=confirm_options, methods=["POST"])


def is_needed(account: Account) -> bool:
    """Whether the account has a key or card, so that the password or the portal alone is not enough."""
    return any(_factors_of(account))


def _factors_of(account: Account) -> tuple[bool, bool]:
    """(whether it has a security key, whether it has a card) that can be used here."""
    with access.everything() as session:
        has_card = authorities() is not None and bool(cards_of(session, account.id))
        return security_keys.has_key(session, account.id), has_card


def remember_first_step_and_commit(account: Account, target: str, sign_on: SignOn | None = None) -> None:
    """Store in the cookie, and log, that the first step succeeded. Commits.

    `target`: page to open afterwards; `sign_on`: given if the first step was the portal and not the password.
    """
    log.record(db.session(), SignIn.PORTAL_AWAITS_KEY if sign_on else SignIn.AWAITS_KEY, account, place())
    db.session.commit()
    session[KEY] = [
        account.id,
        _password_mark(account),
        target,
        clock.now().timestamp(),
        sign_on and astuple(sign_on)[:2],
    ]


def _password_mark(account: Account) -> str:
    """A mark that changes with the password, so that a new password invalidates the first step."""
    return hashed(account.password_hash)[:16]


def _account_of_first_step() -> Account | None:
    """The account whose first step succeeded, if it is still valid and the account may sign in."""
    key, mark, _target, started, _portal = session.get(KEY, NO_FIRST_STEP)
    if not key or not clock.is_within(LIFE, started):
        return None
    if (sign_on := _sign_on()) and not _still_waits(sign_on):
        return None
    account = db.session.get(Account, key)
    return account if account and account.is_active and _password_mark(account) == mark else None


def _sign_on() -> SignOn | None:
    """The sign-on of the first step; None if that was the password."""
    stored = session.get(KEY, NO_FIRST_STEP)[4]
    return SignOn(*stored) if stored else None


def _still_waits(sign_on: SignOn) -> bool:
    with access.everything() as everything:
        return portal_visits.waits(everything, sign_on)


def confirm_options() -> ResponseReturnValue:
    """WebAuthn options for the browser: the keys of this account. Raises Refused after LIFE."""
    from models.people import key_answers

    account = _account_of_first_step()
    if account is None:
        raise Refused(_too_late())
    with access.everything() as everything:
        options, challenge = key_answers.sign_in_options(everything, party(), account.id)
    key_challenge.store(f"confirm {account.id}", challenge)
    return jsonify(options)


def confirm() -> ResponseReturnValue:
    """GET: the page of the second step. POST: its answer, `credential` or `code`."""
    account = _account_of_first_step()
    if account is None:
        return _back_to_login(_too_late())
    if request.method != "POST":
        return _page()
    target, where, sign_on = local(session[KEY][2]) or "/", named_place(), _sign_on()
    try:
        assert_opened_by(account)
        method, words, proof = _verify_answer_and_commit(account)
        begin(account, where, method, words, proof, sign_on)
    except Refused as refused:
        if wants_json() or KEY not in session:  # a key or link removed meanwhile has ended the first step
            return _back_to_login(str(refused))
        return _page(str(refused)), 401
    if method in WITH_CODE:
        flash(_("本次用恢复码登录，恢复码已作废。请登记新的密钥，并移除遗失的密钥。"), "message")
        target = url_for("keys.index")
    return jsonify(csrf_token=generate_csrf()) if wants_json() else redirect(target, 303)


def _back_to_login(sentence: str) -> ResponseReturnValue:
    """The response to a failed second step: 401 for a script, else the login page with the sentence."""
    if wants_json():
        return jsonify(message=sentence), 401
    flash(sentence)
    return redirect(url_for("login"), 303 if request.method == "POST" else 302)


def _page(error: str = "") -> str:
    account_id, _mark, target, _started, sign_on = session[KEY]
    with_key, with_card = _factors_of(db.session.get_one(Account, account_id))
    page = {"with_key": with_key, "with_card": with_card, "by_portal": bool(sign_on), "next": target}
    return render_template("entrance/confirm.html", error=error, **page)


def _verify_answer_and_commit(account: Account) -> tuple[Method, str, Proof | None]:
    """(method of sign-in, name of the key, its row); a recovery code has no name and row. Raises Refused. Commits."""
    from models.people import key_answers

    by_portal = _sign_on() is not None
    if "code" in request.form:
        with access.everything() as everything:
            recovery_codes.use_and_commit(everything, account, request.form["code"], named_place())
        return Method.PORTAL_AND_CODE if by_portal else Method.PASSWORD_AND_CODE, "", None
    asked = key_challenge.use_up_and_commit(f"confirm {account.id}")
    with access.everything() as everything:
        answer = request.form.get("credential", "")
        used = key_answers.verify_use_and_commit(
            everything, answer, asked.challenge, party(), named_place(), account.id
        )
    method = Method.PORTAL_AND_KEY if by_portal else Method.PASSWORD_AND_KEY
    return method, used.name, Proof(SecurityKey, used.key_id)


def _too_late() -> str:
    return _("登录确认已超时，请重新登录。")
