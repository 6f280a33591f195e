"""从单一窗口登录 (手册: 一点接入): OpenID Connect, code flow with PKCE; logout started here or at the portal."""

from datetime import timedelta
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from models import access, log
from models.database import db
from models.log import SignIn
from models.people import portal_links, portal_visits, spent_challenges
from models.people.accounts import Account
from models.people.methods import PORTAL_ALONE, Method
from models.people.portal_visits import SignOn
from models.people.sessions import LONGEST_VISIT
from models.people.signin_failures import hashed
from models.sign_on import NotVerified, Portal, PortalAway, SignedOn, Started
from models.workflow import Refused
from views.entrance import second_step
from views.entrance.other_sites import exempt_from_token, forwarding_page
from views.entrance.place import place
from views.entrance.portal import accepted_levels, base, forget, portal, recall, remember
from views.entrance.rate_limits import limiter
from views.entrance.security import local
from views.entrance.signed_in import PORTAL, begin, named_place


def init_app(app: Flask) -> None:
    app.add_url_rule("/login/portal", view_func=portal_login)
    app.add_url_rule("/login/portal/return", view_func=portal_return)
    app.add_url_rule("/login/portal/logout", view_func=exempt_from_token(app, portal_logout), methods=["POST"])
    app.jinja_env.globals["portal_on"] = lambda: bool(app.config["PORTAL_ISSUER"])
    app.jinja_env.globals["came_by_portal"] = _came_by_portal


def _came_by_portal() -> bool:
    """Whether the account was authenticated by the portal alone, without a key or code of this system."""
    return bool(current_user.is_authenticated and current_user.visit.method in PORTAL_ALONE)


def _redirect_while_off() -> ResponseReturnValue:
    flash(_("本系统没有开通单一窗口登录，请用其他方式登录。"))
    return redirect(url_for("login"))


@limiter.limit("60 per minute")
def portal_login() -> ResponseReturnValue:
    """Redirect to the portal. A GET, because the portal's own pages may link here.

    `?renew`: the account is signed in through the portal already and has to authenticate there again (max_age=0).
    """
    from models.sign_on import client

    is_renewal = "renew" in request.args and _came_by_portal()
    target, where = local(request.args.get("next")) or "/", portal()
    if where is None:
        return _redirect_while_off()
    if current_user.is_authenticated and not is_renewal:
        return redirect(target)
    try:
        address, started = client.begin(where, timedelta() if is_renewal else LONGEST_VISIT)
    except PortalAway as away:
        return _refused(str(away), target, 503)
    return remember(make_response(redirect(address)), started, target)


@limiter.limit("60 per minute")
def portal_return() -> ResponseReturnValue:
    """Redirect URI: begins a session or the second step, or stores a request to the operator, or shows a refusal."""
    found, where = recall(request.args.get("state", "")), portal()
    if where is None:
        return _redirect_while_off()
    target = (local(found[1]) if found else None) or "/"
    try:
        if found is None:
            raise NotVerified("state")
        answer = _begin_session_or_ask(where, _redeem_answer(where, found[0]), target)
    except NotVerified as wrong:
        log.record(db.session(), SignIn.PORTAL_REFUSED, None, place(), words=str(wrong)[:200])
        db.session.commit()
        answer = _refused(_("单一窗口的登录没有完成，或已过期，请重新从单一窗口登录。"), target)
    except PortalAway as away:
        answer = _refused(str(away), target, 503)
    except Refused as refused:
        answer = _refused(str(refused), target)
    return forget(make_response(answer))


def _redeem_answer(where: Portal, started: Started) -> SignedOn:
    """The identity that the portal has verified. Each answer is accepted once. Commits.

    Raises NotVerified, Refused, PortalAway.
    """
    from models.sign_on import client

    if request.args.get("iss", where.issuer) != where.issuer:  # RFC 9207
        raise NotVerified("issuer of the answer")
    if not spent_challenges.spend_and_commit(db.session(), hashed(f"portal {started.state}")):
        raise NotVerified("state: used before")
    if "error" in request.args:
        raise Refused(_("您没有在单一窗口完成登录；需要继续的，请重新从单一窗口登录，或用其他方式登录。"))
    return client.redeem(where, request.args.get("code", ""), started)


def _begin_session_or_ask(where: Portal, signed_on: SignedOn, target: str) -> ResponseReturnValue:
    """Begin the session or the second step of the linked account; without one ask the operator to link it. Commits.

    Raises Refused when the account is disabled, or when link or sign-on were removed meanwhile.
    """
    identity, coming = signed_on.identity, named_place()
    with access.everything() as everything:
        link = portal_links.link_of(everything, where.issuer, identity.subject)
        if link is None:
            return _ask_operator(everything, where, signed_on)
        if not link.account.is_active:
            log.record(everything, SignIn.ACCOUNT_DISABLED, link.account, coming)
            everything.commit()
            raise Refused(_("与该单一窗口用户关联的账号已停用，不能登录。如需恢复，请联系系统管理员。"))
        account_id, name, link_id = link.account_id, link.name, link.id
        portal_links.mark_used(link)
        handle = portal_visits.store_and_commit(
            everything, where.issuer, identity.subject, identity.session_id, signed_on.id_token
        )
    sign_on = SignOn(handle, link_id, identity.authenticated_at)
    account, assured = db.session.get_one(Account, account_id), identity.reached(accepted_levels())
    if second_step.is_needed(account) and not assured:
        second_step.remember_first_step_and_commit(account, target, sign_on)
        return forwarding_page(f"{base()}/login/confirm")
    begin(account, coming, Method.PORTAL_ASSURED if assured else Method.PORTAL, name, sign_on=sign_on)
    return forwarding_page(base() + target)


def _ask_operator(everything: Any, where: Portal, signed_on: SignedOn) -> ResponseReturnValue:
    """Store a request to link this portal user to an account; the page says how to sign in meanwhile. Commits."""
    from models.sign_on import client

    subject, config = signed_on.identity.subject, current_app.config
    claims = client.claims_of(where, signed_on)
    names = {"name": "name", "organisation": config["PORTAL_ORGANISATION"], "credit_code": config["PORTAL_CREDIT_CODE"]}
    named = {field: claims.get(claim) for field, claim in names.items()}
    try:
        asked = portal_links.request_link(everything, where.issuer, subject, named, request.remote_addr or "")
        log.record(everything, SignIn.PORTAL_ASKED, None, place(), asked.name[:64])
        everything.commit()
    except IntegrityError:  # a concurrent request has stored it
        everything.rollback()
        asked = None
    page = {"declined": asked is not None and asked.declined_at is not None, "name": asked.name if asked else ""}
    return render_template("entrance/portal_waiting.html", **page), 403


def _refused(sentence: str, target: str, status: int = 401) -> tuple[str, int]:
    return render_template("entrance/portal_refused.html", error=sentence, next=target), status


def logout_address() -> str | None:
    """The logout address of the portal; None for a session that did not come from it, and while it does not answer."""
    from models.sign_on import client

    where, handle = portal(), session.get(PORTAL)
    if where is None or not handle:
        return None
    with access.everything() as everything:
        id_token = portal_visits.id_token_of(everything, str(handle))
    try:
        return client.sign_out_address(where, id_token, f"{base()}/login") if id_token else None
    except PortalAway:
        return None


@limiter.limit("300 per minute")
def portal_logout() -> ResponseReturnValue:
    """Back-channel logout: the portal reports a logout, authenticated by the signature of its token. Commits."""
    from models.sign_on import tokens

    where = portal() or abort(404)
    try:
        logout = tokens.logged_out(where, request.form.get("logout_token", ""))
        if not spent_challenges.spend_and_commit(db.session(), hashed(f"logout {where.issuer} {logout.token_id}")):
            raise NotVerified("logout token: used before")
    except (NotVerified, PortalAway) as wrong:
        current_app.logger.warning("a logout by the portal was refused: %s", wrong)
        return jsonify(error="invalid_request"), 503 if isinstance(wrong, PortalAway) else 400
    with access.everything() as everything:
        for visit in portal_visits.end(everything, where.issuer, logout.subject, logout.session_id):
            log.record(everything, SignIn.PORTAL_ENDED, visit.account, place())
        everything.commit()
    return Response(status=200)
