"""The second step of accounts with a security key: after the password, the key, or a recovery code in its place.

Between the steps there is no session yet: a note in the signed cookie says whose password was right, for minutes.
"""

from datetime import timedelta

from flask import Flask, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from models import access, clock
from models.database import db
from models.people import recovery_codes, security_keys
from models.people.accounts import Account
from models.people.methods import Method
from models.people.signin_failures import hashed
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.relying_party import party
from views.entrance.security import local, wants_json
from views.entrance.signed_in import assert_opened_by, begin, named_place

KEY, LIFE = "second_step", timedelta(minutes=5)


def init_app(app: Flask) -> None:
    app.add_url_rule("/login/confirm", view_func=confirm, methods=["GET", "POST"])
    app.add_url_rule("/login/confirm/options", view_func=confirm_options, methods=["POST"])


def is_needed(account: Account) -> bool:
    """Whether the password is not enough."""
    with access.everything() as session:
        return security_keys.has_key(session, account.id)


def hold(account: Account, target: str) -> None:
    """Note that the password was right, until the second step."""
    session[KEY] = [account.id, _password_of(account), target, clock.now().timestamp()]


def _password_of(account: Account) -> str:
    """Changes with the password, so that a new one ends what the old one has begun."""
    return hashed(account.password_hash)[:16]


def _held() -> Account | None:
    """Whose password was right, if that account may still sign in."""
    key, mark, _target, started = session.get(KEY, (0, "", "", 0))
    if not key or not 0 <= clock.now().timestamp() - started <= LIFE.total_seconds():
        return None
    account = db.session.get(Account, key)
    return account if account and account.is_active and _password_of(account) == mark else None


def confirm_options() -> ResponseReturnValue:
    """What the browser is to ask the keys of this account."""
    account = _held()
    if account is None:
        raise Refused(_too_late())
    with access.everything() as everything:
        options, challenge = security_keys.sign_in_options(everything, party(), account.id)
    key_challenge.keep(f"confirm {account.id}", challenge)
    return jsonify(options)


def confirm() -> ResponseReturnValue:
    """The page of the second step, and what it sends: `credential`, or `code`."""
    account = _held()
    if account is None:
        if wants_json():
            return jsonify(message=_too_late()), 401
        flash(_too_late())
        return redirect(url_for("login"), 303 if request.method == "POST" else 302)
    if request.method != "POST":
        return render_template("entrance/confirm.html")
    target, where = local(session[KEY][2]) or "/", named_place()
    try:
        assert_opened_by(account)
        method, words = _confirmed(account)
    except Refused as refused:
        if wants_json():
            return jsonify(message=str(refused)), 401
        return render_template("entrance/confirm.html", error=str(refused)), 401
    begin(account, where, method, words)
    if method is Method.PASSWORD_AND_CODE:
        flash(_("本次用恢复码登录，恢复码已作废。请登记新的密钥，并移除遗失的密钥。"), "message")
        target = url_for("keys.index")
    return jsonify(csrf_token=generate_csrf()) if wants_json() else redirect(target, 303)


def _confirmed(account: Account) -> tuple[Method, str]:
    """By what the account has confirmed, and the name of the key; raises Refused. Commits."""
    if "code" in request.form:
        with access.everything() as everything:
            recovery_codes.use(everything, account, request.form["code"], named_place())
        return Method.PASSWORD_AND_CODE, ""
    asked = key_challenge.use_up(f"confirm {account.id}")
    with access.everything() as everything:
        answer = request.form.get("credential", "")
        used = security_keys.verify_use(everything, answer, asked.challenge, party(), named_place(), account.id)
    return Method.PASSWORD_AND_KEY, used.name


def _too_late() -> str:
    return _("登录确认已超时，请重新输入用户名和密码。")
