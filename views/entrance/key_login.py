"""卡介质登录 (手册 第四篇) with a security key or passkey alone: the key identifies the account."""

from flask import Flask, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from models import access
from models.database import db
from models.people.accounts import Account
from models.people.methods import Method
from models.people.proofs import Proof
from models.people.security_keys import SecurityKey
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.relying_party import party, relying_party
from views.entrance.security import local, wants_json
from views.entrance.signed_in import assert_opened_by, begin, named_place

PURPOSE = "sign in"


def init_app(app: Flask) -> None:
    app.add_url_rule("/login/key", view_func=key_login, methods=["GET", "POST"])
    app.add_url_rule("/login/key/options", view_func=key_options, methods=["POST"])
    app.jinja_env.globals["key_party"] = lambda: relying_party(app.config)


def key_options() -> ResponseReturnValue:
    """WebAuthn options for the browser: any key enrolled in this system."""
    from models.people import key_answers

    options, challenge = key_answers.sign_in_options(db.session(), party(), None)
    key_challenge.store(PURPOSE, challenge)
    return jsonify(options)


def key_login() -> ResponseReturnValue:
    """GET: the page. POST: sign in with the key's answer in `credential`; a script gets JSON, as from login()."""
    from models.people import key_answers

    target = local(request.values.get("next")) or "/"
    if current_user.is_authenticated and not wants_json():
        return redirect(target, 303)
    if request.method != "POST":
        return render_template("entrance/key_login.html", next=target)
    where = named_place()
    try:
        asked = key_challenge.use_up_and_commit(PURPOSE)
        with access.everything() as everything:
            answer = request.form.get("credential", "")
            used = key_answers.verify_use_and_commit(everything, answer, asked.challenge, party(), where)
        account, proof = db.session.get_one(Account, used.account_id), Proof(SecurityKey, used.key_id)
        assert_opened_by(account)
        begin(account, where, Method.KEY, used.name, proof)
    except Refused as refused:
        if wants_json():
            return jsonify(message=str(refused)), 401
        return render_template("entrance/key_login.html", next=target, error=str(refused)), 401
    return jsonify(csrf_token=generate_csrf()) if wants_json() else redirect(target, 303)
