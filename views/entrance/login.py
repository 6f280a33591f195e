"""登录, 退出, 修改密码 (手册 第四篇). Every endpoint requires an account unless PUBLIC lists it."""

from datetime import timedelta
from time import time
from typing import Any

from flask import (
    Flask,
    abort,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import LoginManager, current_user
from flask_wtf.csrf import generate_csrf

from models import access
from models.database import db, replica
from models.people.accounts import Account
from models.people.expiry import how_ended
from models.people.methods import Method
from models.people.online import resume_visit_and_commit
from models.people.sessions import attempt_sign_in, end_visit_and_commit
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance import captcha, card_login, key_login, portal_login, second_step, signed_in_person
from views.entrance.fields import WrongFields, about, wrong_fields
from views.entrance.limits import SMALL, limit_to
from views.entrance.other_sites import forwarding_page
from views.entrance.password import password
from views.entrance.place import place
from views.entrance.rate_limits import limiter
from views.entrance.relying_party import must_enrol
from views.entrance.security import STATIC, local, wants_json
from views.entrance.signed_in import OPENED_BY, assert_opened_by, begin, named_place
from views.entrance.signed_out import OtherAccount, SignedOut
from views.resources import session_limits

# Endpoints and blueprints without sign-in, which see no row.
BEFORE = {"login", "key_login", "key_options", "card_login", "confirm", "confirm_options"}  # of sign-in itself
BEFORE |= {"portal_login", "portal_return", "portal_logout"}
PUBLIC = STATIC | BEFORE | {"picture", "sound", "health", "metrics", "verify", "feed", "language", "status_list", "api"}
PUBLIC |= {"witness", "witnessed"}
WHILE_CHANGING = frozenset({"password", "logout"})
WHILE_ENROLLING = WHILE_CHANGING | {"keys.index", "keys.options", "keys.add", "portal_login", "portal_return"}


def init_app(app: Flask) -> None:
    """Register sign-in, its pages, and the check of every request."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(minutes=int(app.config["SESSION_MINUTES"]))
    manager = LoginManager(app, add_context_processor=False)
    # Flask-Login could bind a session to address and browser, which would sign out people who change networks. Sessions
    # are protected by their token, which is ended on the server.
    manager.session_protection = None
    signed_in_person.init_app(app)
    manager.user_loader(lambda token: resume_visit_and_commit(db.session(), token, *session_limits()))
    # A proxy: pages that do not use current_user (error pages) do not query the database.
    app.jinja_env.globals["current_user"] = current_user
    # Before CSRF protection: a timed-out session gets its own message, and an anonymous upload is refused unread.
    app.before_request_funcs.setdefault(None, []).insert(0, authorize)
    app.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    app.add_url_rule("/captcha.png", view_func=picture)
    app.add_url_rule("/captcha.wav", view_func=sound)
    app.add_url_rule("/logout", view_func=logout, methods=["POST"])
    app.add_url_rule("/password", view_func=password, methods=["GET", "POST"])
    key_login.init_app(app)
    card_login.init_app(app)
    portal_login.init_app(app)
    second_step.init_app(app)


def is_public() -> bool:
    """Whether this request needs no sign-in: of PUBLIC, or of an address that does not exist."""
    return bool(request.routing_exception) or not PUBLIC.isdisjoint({request.endpoint, request.blueprint})


def authorize() -> ResponseReturnValue | None:
    """Before every request: open row security for the account, or refuse the request."""
    if request.endpoint in STATIC:  # first: reading the session would add Vary: Cookie to the response
        return None
    public = is_public()
    account = current_user if not public and current_user.is_authenticated else None
    access.enter(account)
    if public:
        return None
    if account is None:
        limit_to(SMALL)  # the larger limits apply only after sign-in
        return _sign_out() if request.endpoint == "logout" else _to_login()
    if request.headers.get(OPENED_BY, str(account.id)) != str(account.id):
        raise OtherAccount
    _prefer_replica(account)
    if account.must_change and request.endpoint not in WHILE_CHANGING:
        return abort(403) if wants_json() else redirect(url_for("password"), 303)
    if not account.is_complete and request.endpoint not in WHILE_CHANGING:  # row security would show no row
        return abort(403) if wants_json() else (render_template("entrance/incomplete.html"), 403)
    if must_enrol(account) and request.endpoint not in WHILE_ENROLLING:
        return abort(403) if wants_json() else redirect(url_for("keys.index"), 303)
    signed_in_person.remember(account)
    return None


def _prefer_replica(account: Account) -> None:
    """The national authority reads from the replica, except for some seconds after an act of its own, such as 打印."""
    if account.role is not Role.NATIONAL or not current_app.config["REPLICA_URI"]:
        return
    if request.method == "POST":
        session["acted"] = int(time())
    elif time() - session.get("acted", 0) > current_app.config["REPLICA_SECONDS"] + 1:
        replica.prefer(db.session(), current_app.extensions.get(replica.KEY))


def _sign_out() -> ResponseReturnValue:
    """Clear the session and redirect to the login page; no timeout message for an expired session."""
    session.clear()
    flash(_("已安全退出。"))
    return redirect(url_for("login"), 303)


def _to_login() -> ResponseReturnValue:
    """Redirect to the login page, with the reason if a session has ended; for a POST or a script raise SignedOut."""
    why = None
    if token := session.pop("_user_id", None):
        why = how_ended(db.session(), str(token), *session_limits())
        session.permanent = False  # permanent sessions are re-sent with static files and overwrite the captcha cookie
        if not wants_json():
            flash(why or _("登录已超时，请重新登录。"))
    if request.method == "POST" or wants_json():
        raise SignedOut(why)
    return redirect(url_for("login", next=request.full_path.rstrip("?")))


def login() -> ResponseReturnValue:
    """GET: the page. POST: sign in. The 验证码 is checked first: with a wrong one the password is not tried.

    A script whose session has ended gets JSON: {"csrf_token": …}; {"confirm": address} when a key has to confirm it;
    or 401 and {"message": …, "field": …}. By GET it asks whether somebody has signed in meanwhile, in another window.
    """
    target = local(request.values.get("next")) or "/"
    if current_user.is_authenticated and not wants_json():
        return redirect(target)
    if request.method != "POST" and wants_json():
        return _signed_in_meanwhile()
    if request.method != "POST":
        session.permanent = False  # permanent sessions are re-sent with static files and overwrite the captcha cookie
        return _login_page(target)
    username = request.form.get("username", "").replace("\0", "").strip()
    where = named_place()
    try:
        _check_form(username)
        account = attempt_sign_in(db.session(), username, request.form.get("password", ""), where)
        assert_opened_by(account)
    except Refused as refused:
        if wants_json():
            return jsonify(message=str(refused), field=next(iter(wrong_fields(refused)), None)), 401
        return _login_page(target, username, refused), 401
    if second_step.is_needed(account):
        second_step.remember_first_step_and_commit(account, target)
        confirming = url_for("confirm")
        return jsonify(confirm=confirming) if wants_json() else redirect(confirming, 303)
    begin(account, where, Method.PASSWORD)
    return jsonify(csrf_token=generate_csrf()) if wants_json() else redirect(target, 303)


def _signed_in_meanwhile() -> ResponseReturnValue:
    """{"csrf_token": …} if the account of the page is signed in; else 401 with the reason, "" if nobody is."""
    try:
        if current_user.is_authenticated:
            assert_opened_by(current_user)
            return jsonify(csrf_token=generate_csrf())
    except Refused as refused:
        return jsonify(message=str(refused)), 401
    return jsonify(message=""), 401


def _check_form(username: str) -> None:
    """Raises WrongFields for empty fields, and then for a wrong 验证码, which each answer uses up."""
    asked = {"username": _("请填写用户名。"), "password": _("请填写密码。")}
    if current_app.config["CAPTCHA"]:
        asked["code"] = _("请填写验证码。")
    given = {"username": username} | {name: request.form.get(name, "") for name in ("password", "code")}
    if missing := {name: sentence for name, sentence in asked.items() if not given[name]}:
        raise WrongFields(missing)
    if current_app.config["CAPTCHA"]:
        with about("code"):
            captcha.use_up_and_commit(given["code"])


def _login_page(target: str, username: str = "", refused: Refused | None = None) -> str:
    """The form as typed, without the password; errors of single fields stand beside them, other errors on top."""
    wrong = wrong_fields(refused)
    page: dict[str, Any] = {"next": target, "username": username, "wrong": wrong, "digits": captcha.DIGITS}
    page["error"] = "" if wrong or refused is None else str(refused)
    return render_template("entrance/login.html", **page)


@limiter.limit("120 per minute")
def picture() -> ResponseReturnValue:
    """The 验证码 as a picture; `?new` starts a new one («看不清？换一张»)."""
    if "new" in request.args:
        captcha.renew()
    return send_file(captcha.picture(captcha.digits_of(captcha.current_nonce())), mimetype="image/png")


@limiter.limit("20 per minute")  # each takes a second of processor time
def sound() -> ResponseReturnValue:
    """The same 验证码 as sound."""
    return send_file(captcha.sound(captcha.digits_of(captcha.current_nonce())), mimetype="audio/wav")


def logout() -> ResponseReturnValue:
    """退出; a session from the portal is forwarded there to sign out as well."""
    portal_address = portal_login.logout_address()
    end_visit_and_commit(db.session(), current_user.visit, place())
    response = _sign_out()
    return forwarding_page(portal_address) if portal_address else response
