"""The front door: 登录, 退出, 修改密码 (手册 第四篇). Everything behind it is shut unless PUBLIC opens it."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    after_this_request,
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
from flask_login import LoginManager, current_user, login_user
from flask_wtf.csrf import generate_csrf

from models import access
from models.database import db
from models.people.accounts import Account
from models.people.passwords import SHORTEST
from models.people.sessions import end_visit, end_visits, has_given, lockout, sign_in, told_at_sign_in, visitor
from models.people.signin_failures import Place
from models.workflow import Refused
from views.entrance import captcha
from views.entrance.limits import SMALL, limit_to
from views.entrance.security import STATIC, OtherAccount, limiter, local, random_name, wants_json

# Endpoints, and whole blueprints, that need no account. They see no row of the register: the session stays closed.
PUBLIC = STATIC | {"login", "picture", "sound", "health", "verify"}
OPENED_BY = "X-Account"  # sent by our scripts: the account that the page was made for
BROWSER, BROWSER_KEPT = "filing_browser", timedelta(days=180)  # as long as the visits are that it is known by
WHILE_CHANGING = frozenset({"password", "logout"})


def init_app(app: Flask) -> None:
    """Sign people in, and let nobody else past."""
    app.config["PERMANENT_SESSION_LIFETIME"] = _timeout(app)
    manager = LoginManager(app, add_context_processor=False)
    # Flask-Login can bind a session to address and browser: whoever changes networks or proxies would be thrown
    # out. What protects a session here is its own token, ended on the server.
    manager.session_protection = None
    manager.user_loader(lambda token: visitor(db.session(), token, _timeout(current_app), _lifetime(current_app)))
    # A proxy, so that a page that does not ask who is there (an error page) does not ask the database either.
    app.jinja_env.globals["current_user"] = current_user
    # Before CSRF: who has timed out is told so, and a stranger's upload is refused before it is read.
    app.before_request_funcs.setdefault(None, []).insert(0, guard)
    app.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    app.add_url_rule("/captcha.png", view_func=picture)
    app.add_url_rule("/captcha.wav", view_func=sound)
    app.add_url_rule("/logout", view_func=logout, methods=["POST"])
    app.add_url_rule("/password", view_func=password, methods=["GET", "POST"])


def _timeout(app: Flask) -> timedelta:
    return timedelta(minutes=int(app.config["SESSION_MINUTES"]))


def _lifetime(app: Flask) -> timedelta:
    return timedelta(hours=int(app.config["SESSION_HOURS"]))


def place() -> Place:
    """Where this request comes from; the browser by a cookie that it is given at its first sign-in."""
    browser = request.cookies.get(BROWSER, "")
    return Place(request.remote_addr or "", browser if re.fullmatch(r"[\w-]{22}", browser) else "")


def _remember_browser(name: str) -> None:
    """Let the browser be known at the next sign-in: whoever guesses elsewhere does not slow it down."""

    def give(response: Response) -> Response:
        config = current_app.config
        options: dict[str, Any] = {"secure": config["SESSION_COOKIE_SECURE"], "samesite": "Lax", "httponly": True}
        response.set_cookie(BROWSER, name, max_age=BROWSER_KEPT, **options)
        return response

    after_this_request(give)


def guard() -> ResponseReturnValue | None:
    """Who is here, and may they be? Runs before every request; the rows they see follow from it."""
    public = request.routing_exception or not PUBLIC.isdisjoint({request.endpoint, request.blueprint})
    account = current_user if not public and current_user.is_authenticated else None
    access.enter(account)
    if public:
        return None
    if account is None:
        limit_to(SMALL)  # the larger limits are for those who have signed in
        return _signed_out() if request.endpoint == "logout" else _to_login()
    if request.headers.get(OPENED_BY, str(account.id)) != str(account.id):
        raise OtherAccount
    if account.must_change and request.endpoint not in WHILE_CHANGING:
        return abort(403) if wants_json() else redirect(url_for("password"), 303)
    if not account.is_complete and request.endpoint not in WHILE_CHANGING:  # no screen could show them a row
        return abort(403) if wants_json() else (render_template("entrance/incomplete.html"), 403)
    return None


def _signed_out() -> ResponseReturnValue:
    """After 退出, also of a session that had ended, or in another tab: nobody is told of a timeout."""
    session.clear()
    flash(_("已安全退出。"))
    return redirect(url_for("login"), 303)


def _to_login() -> ResponseReturnValue:
    if session.pop("_user_id", None):
        session.permanent = False  # or the next picture or style sheet would send back a cookie without the 验证码
        if not wants_json():
            flash(_("登录已超时，请重新登录。"))
    if request.method == "POST" or wants_json():
        abort(401)
    return redirect(url_for("login", next=request.full_path.rstrip("?")))


@limiter.limit("60 per minute", methods=["POST"])
def login() -> ResponseReturnValue:
    """User name, password and 验证码, in the reverse order: a wrong 验证码 never tries a password.

    A script, whose page has lost its session, gets JSON: {"csrf_token": …}, or 401 and {"message": …}.
    """
    target = local(request.values.get("next")) or "/"
    if current_user.is_authenticated and not wants_json():
        return redirect(target)
    if request.method != "POST":
        session.permanent = False  # or every picture and style sheet would send back the cookie without the 验证码
        return _login_page(target)
    username = request.form.get("username", "").replace("\0", "").strip()
    try:
        if current_app.config["CAPTCHA"]:
            captcha.check(request.form.get("code", ""))
        where = place() if place().browser else replace(place(), browser=random_name())
        account = sign_in(db.session(), username, request.form.get("password", ""), where)
        check_opened_by(account)
    except Refused as refused:
        if wants_json():
            return jsonify(message=str(refused)), 401
        return _login_page(target, username, str(refused)), 401
    if current_user.is_authenticated:  # the other account of OtherAccount
        end_visit(db.session(), current_user.visit)
    session.clear()
    session.permanent = True
    login_user(account)
    _remember_browser(where.browser)
    if told := told_at_sign_in(db.session(), account):
        flash(told, "message")
    return jsonify(csrf_token=generate_csrf()) if wants_json() else redirect(target, 303)


def check_opened_by(account: Account) -> None:
    """Raises Refused, and ends the visit, when the page that asks was made for another account."""
    if request.headers.get(OPENED_BY, str(account.id)) != str(account.id):
        assert account.visit is not None
        end_visit(db.session(), account.visit)
        raise Refused(_("这个页面不是以该账号打开的，请用原来的账号登录后继续。"))


def _login_page(target: str, username: str = "", error: str = "") -> str:
    return render_template("entrance/login.html", next=target, username=username, error=error, digits=captcha.DIGITS)


@limiter.limit("120 per minute")
def picture() -> ResponseReturnValue:
    """The 验证码 to see; `?new` makes another one («看不清？换一张»)."""
    if "new" in request.args:
        captcha.renew()
    return send_file(captcha.picture(captcha.answer(captcha.current())), mimetype="image/png")


@limiter.limit("20 per minute")  # a second of work each, for whoever asks
def sound() -> ResponseReturnValue:
    """The same 验证码 to hear, in Chinese."""
    return send_file(captcha.sound(captcha.answer(captcha.current())), mimetype="audio/wav")


def logout() -> ResponseReturnValue:
    """退出: the visit ends on the server, so that a copy of the cookie is worth nothing."""
    end_visit(db.session(), current_user.visit)
    return _signed_out()


@limiter.limit("20 per minute", methods=["POST"])  # argon2 is slow on purpose
def password() -> ResponseReturnValue:
    """修改密码; asked of everybody at the first login."""
    if request.method != "POST":
        return render_template("entrance/password.html", error="", shortest=SHORTEST)
    try:
        _change(current_user, *(request.form.get(name, "") for name in ("current", "new", "repeat")))
    except Refused as refused:
        db.session.rollback()
        return render_template("entrance/password.html", error=str(refused), shortest=SHORTEST), 422
    flash(_("密码已修改，其他设备上的登录已退出。"), "success")
    return redirect("/", 303)


def _change(account: Account, old: str, new: str, repeat: str) -> None:
    """The new password, and the end of every other visit."""
    assert account.visit is not None
    if not has_given(db.session(), account, old, place()):
        raise Refused(_("当前密码不正确，请核对后重新输入；%(rule)s", rule=lockout()))
    if new != repeat:
        raise Refused(_("两次输入的新密码不一致，请重新输入。"))
    if new == old:
        raise Refused(_("新密码不能与当前密码相同，请换一个。"))
    account.set_password(new)
    end_visits(db.session(), account.id, except_for=account.visit.id)
    db.session.commit()
