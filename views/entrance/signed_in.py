"""Begins a session, for all methods of sign-in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from flask import Response, after_this_request, current_app, flash, request, session
from flask_babel import gettext as _
from flask_login import current_user, login_user
from sqlalchemy.orm import Session

from models import access, log
from models.database import db
from models.log import Place, SignIn
from models.people import portal_visits, proofs
from models.people.accounts import Account
from models.people.card_certificates import CardCertificate
from models.people.methods import Method
from models.people.portal_links import PortalLink
from models.people.portal_visits import SignOn
from models.people.proofs import Proof
from models.people.security_keys import SecurityKey
from models.people.sessions import Visit, attach_visit, begin_visit, end_visit_and_commit, remove_unused_password
from models.people.sign_in_notices import advice, failures_notice, last_sign_in, previous_visit
from models.workflow import Refused
from views.entrance.place import BROWSER, place
from views.entrance.security import random_name

OPENED_BY = "X-Account"  # request header of our scripts: id of the account that the page was rendered for
PORTAL = "portal"  # session key: handle of the portal sign-on that began the session
REFUSALS: dict[type[Any], SignIn] = {SecurityKey: SignIn.KEY_REFUSED, CardCertificate: SignIn.CARD_REFUSED}
BROWSER_LIFETIME = timedelta(days=180)  # as long as the visits that it refers to are stored


def named_place() -> Place:
    """place() of this request; a browser without our cookie gets a new name, which begin() stores in the cookie."""
    return place() if place().browser else replace(place(), browser=random_name())


def begin(
    account: Account,
    where: Place,
    method: Method,
    words: str = "",
    proof: Proof | None = None,
    sign_on: SignOn | None = None,
) -> None:
    """Begin the session of the account, ending a former one of this browser. Commits.

    `proof`: row of the key or card that was used; `sign_on`: the sign-on at the portal. Raises Refused when one of them
    was removed or ended meanwhile; then only a log entry is committed.
    """
    # May be another account's: a page of that account may still be open in this browser.
    former = current_user.visit if current_user.is_authenticated else None
    with access.everything() as everything:
        visit = begin_visit(everything, account.id, where, method, words)
        has_lost_password = remove_unused_password(everything, visit, where)
        token, removed_meanwhile = visit.token, _bind_proofs(everything, visit, proof, sign_on)
        if removed_meanwhile:
            everything.rollback()
            log.record(everything, removed_meanwhile.kind, account, where, words=removed_meanwhile.sentence)
        everything.commit()
    if former is not None:
        end_visit_and_commit(db.session(), former, where)
    session.clear()
    if removed_meanwhile:
        raise Refused(removed_meanwhile.sentence)
    db.session.commit()  # what it reads from here on includes the visit
    attach_visit(db.session(), account, token)
    if sign_on:
        session[PORTAL] = sign_on.handle
    session.permanent = True
    login_user(account)
    _remember_browser(where.browser)
    _flash_last_sign_in(account, has_lost_password)


class Removed(NamedTuple):
    """A key, card, link or sign-on that was removed during the sign-in: kind of the log entry, and sentence."""

    kind: SignIn
    sentence: str


def _bind_proofs(everything: Session, visit: Visit, proof: Proof | None, sign_on: SignOn | None) -> Removed | None:
    """Lock the row of the key, card or link, and assign the visit to the sign-on; what was removed, or None."""
    sentence = _("登录所用的密钥、卡或关联刚刚被移除，没有登录；请用其他方式登录，或联系系统管理员。")
    if proof and not proofs.lock(everything, proof):
        return Removed(REFUSALS[proof.model], sentence)
    if sign_on and not proofs.lock(everything, Proof(PortalLink, sign_on.link_id)):
        return Removed(SignIn.PORTAL_REFUSED, sentence)
    if sign_on and not portal_visits.bind(everything, sign_on, visit):
        return Removed(SignIn.PORTAL_REFUSED, _("您已在单一窗口退出，没有登录，请重新登录。"))
    return None


def assert_opened_by(account: Account) -> None:
    """Raises Refused when the page was rendered for another account."""
    if request.headers.get(OPENED_BY, str(account.id)) != str(account.id):
        raise Refused(_("这个页面不是以该账号打开的，请用原来的账号登录后继续。"))


def _flash_last_sign_in(account: Account, has_lost_password: bool) -> None:
    """Flash the time and place of the previous sign-in, or a notice of wrong passwords since then."""
    if has_lost_password:
        flash(_("系统管理员为您设置的一次性密码没有用过，已经失效。需要用户名登录的，请向系统管理员索取。"), "message")
    if notice := failures_notice(db.session(), account):
        flash(notice, "message")
    elif last := previous_visit(db.session(), account):
        flash(_("%(last)s。%(advice)s", last=last_sign_in(last), advice=advice(account)), "info")


def _remember_browser(name: str) -> None:
    """Set the cookie by which the next sign-in recognises the browser."""

    def set_cookie(response: Response) -> Response:
        config = current_app.config
        options: dict[str, Any] = {"secure": config["SESSION_COOKIE_SECURE"], "samesite": "Lax", "httponly": True}
        response.set_cookie(BROWSER, name, max_age=BROWSER_LIFETIME, **options)
        return response

    after_this_request(set_cookie)
