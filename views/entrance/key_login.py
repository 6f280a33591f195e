"""卡介质登录 (手册 第四篇): with a security key or passkey alone, which knows its owner; no name is typed."""

from flask import Flask, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from models import access
from models.database import db
from models.people import security_keys
from models.people.accounts import Account
from models.people.methods import Method
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.relying_party import party, relying_party
from views.entrance.security import local
from views.entrance.signed_in import begin, named_place

PURPOSE = "sign in"


def init_app(app: Flask) -> None:
    app.add_url_rule("/login/key", view_func=key_login, methods=["GET", "POST"])
    app.add_url_rule("/login/key/options", view_func=key_options, methods=["POST"])
    app.jinja_env.globals["key_party"] = lambda: relying_party(app.config)


def key_options() -> ResponseReturnValue:
    """What the browser is to ask any key of this system."""
    options, challenge = security_keys.sign_in_options(db.session(), party(), None)
    key_challenge.keep(PURPOSE, challenge)
    return jsonify(options)


def key_login() -> ResponseReturnValue:
    """The page, and the answer of a key that it sends."""
    target = local(request.values.get("next")) or "/"
    if current_user.is_authenticated:
        return redirect(target, 303)
    if request.method != "POST":
        return render_template("entrance/key_login.html", next=target)
    where = named_place()
    try:
        asked = key_challenge.use_up(PURPOSE)
        with access.everything() as everything:
            answer = request.form.get("credential", "")
            used = security_keys.verify_use(everything, answer, asked.challenge, party(), where)
    except Refused as refused:
        return render_template("entrance/key_login.html", next=target, error=str(refused)), 401
    begin(db.session.get_one(Account, used.account_id), where, Method.KEY, used.name)
    return redirect(target, 303)
