"""What begins a session, however somebody has signed in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Response, after_this_request, current_app, flash, request, session
from flask_babel import gettext as _
from flask_login import current_user, login_user

from models.database import db
from models.log import Place
from models.people.accounts import Account
from models.people.methods import Method
from models.people.sessions import begin_visit, end_visit, failures_notice, last_sign_in, previous_visit
from models.workflow import Refused
from views.entrance.place import BROWSER, place
from views.entrance.security import random_name

OPENED_BY = "X-Account"  # request header of our scripts: id of the account that the page was rendered for
BROWSER_LIFETIME = timedelta(days=180)  # as long as the visits that it refers to are stored


def named_place() -> Place:
    """Where this request comes from; a browser without our cookie gets a name that begin() sets."""
    return place() if place().browser else replace(place(), browser=random_name())


def begin(account: Account, where: Place, method: Method, words: str = "") -> None:
    """Begin the session of the account in place of a former one. Commits."""
    begin_visit(db.session(), account, where, method, words)
    if current_user.is_authenticated:  # the other account of OtherAccount
        end_visit(db.session(), current_user.visit, where)
    session.clear()
    session.permanent = True
    login_user(account)
    _remember_browser(where.browser)
    _tell_last_sign_in(account)


def assert_opened_by(account: Account) -> None:
    """Raises Refused when the page was rendered for another account."""
    if request.headers.get(OPENED_BY, str(account.id)) != str(account.id):
        raise Refused(_("这个页面不是以该账号打开的，请用原来的账号登录后继续。"))


def _tell_last_sign_in(account: Account) -> None:
    """Flash when and from where the account was last signed in, and what passwords were wrong since, once."""
    if notice := failures_notice(db.session(), account):
        flash(notice, "message")
    elif last := previous_visit(db.session(), account):
        flash(_("%(last)s。如非本人操作，请修改密码，并告知系统管理员。", last=last_sign_in(last)), "info")


def _remember_browser(name: str) -> None:
    """Set the cookie by which the next sign-in recognises the browser."""

    def set_cookie(response: Response) -> Response:
        config = current_app.config
        options: dict[str, Any] = {"secure": config["SESSION_COOKIE_SECURE"], "samesite": "Lax", "httponly": True}
        response.set_cookie(BROWSER, name, max_age=BROWSER_LIFETIME, **options)
        return response

    after_this_request(set_cookie)
