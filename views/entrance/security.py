"""CSRF protection, security headers, error pages."""

import logging
import re
import secrets
from time import time
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, has_app_context, jsonify, render_template, request
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import (
    ClientDisconnected,
    Forbidden,
    HTTPException,
    RequestTimeout,
    SecurityError,
    Unauthorized,
)

from models.database import release
from models.language import html_lang
from models.workflow import Refused
from views.entrance import problems, rate_limits
from views.entrance.answer import Answer
from views.entrance.missing import Missing
from views.entrance.rate_limits import limiter
from views.entrance.signed_in_person import person_for_error
from views.entrance.signed_out import OtherAccount, SignedOut
from views.entrance.typed_text import labelled_fields, resubmittable_fields

STATIC = frozenset({"static", "admin.static", "icon"})
CACHEABLE = {"status_list": {200, 304}}  # endpoint → statuses of responses that set their own Cache-Control
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
AGAIN = frozenset({400, 401, 429})  # statuses after which resubmitting may succeed, besides 500 and above


def init_app(app: Flask) -> None:
    """Register CSRF protection, rate limits, security headers and error pages."""
    app.response_class = Answer
    rate_limits.init_app(app)  # first: a rate-limited request is refused before its body is read
    app.before_request(refuse_foreign_origin)  # before the token is checked: refused with a valid token, too
    CSRFProtect(app)
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(redirect_as_json)
    app.after_request(add_security_headers)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(Refused, handle_refused)
    problems.init_app(app)
    app.logger.addFilter(add_incident_number)


class ForeignOrigin(Forbidden):
    """The request was sent by a page of another site."""


def refuse_foreign_origin() -> None:
    """Raise ForeignOrigin for a POST whose Origin names another host, even with a valid token.

    Only hosts are compared, not schemes: a proxy may terminate https without telling us.
    """
    if request.method == "POST" and request.origin is not None:
        try:
            host = urlsplit(request.origin).netloc
        except ValueError:  # `http://[`
            host = ""
        if host != request.host:  # `null` has none
            raise ForeignOrigin


def random_name() -> str:
    """128 random bits, safe in headers, cookies and URLs."""
    return secrets.token_urlsafe(16)


def nonce() -> str:
    """The CSP nonce of this request; Flask-Admin calls this for every script it renders."""
    if "nonce" not in g:
        g.nonce = random_name()
    return str(g.nonce)


def add_security_headers(response: Response) -> Response:
    """Add the headers; a Content-Security-Policy and X-Frame-Options that the view has set are not replaced."""
    response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in STATIC and response.status_code not in CACHEABLE.get(request.endpoint or "", ()):
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def redirect_as_json(response: Response) -> Response:
    """Turn a redirect after a script's POST into {"location": address}: scripts cannot read redirect targets."""
    if response.status_code in (302, 303) and request.method == "POST" and "X-Requested-With" in request.headers:
        response.data, response.mimetype = jsonify(location=response.headers.pop("Location")).data, "application/json"
        response.status_code = 200
    return response


def local(target: str | None) -> str | None:
    """`target` if it is a path of this site, else None: one leading slash, nothing that a browser takes for a host."""
    return target if target and re.fullmatch(r"/(?!/)[^\\\x00-\x1f\x7f]*", target) else None


def referring_page() -> str | None:
    """Path and query of the referring page; None if it is of another site."""
    try:
        page = urlsplit(request.referrer or "")
    except ValueError:  # `http://[`
        return None
    return local(page._replace(scheme="", netloc="").geturl()) if page.netloc == request.host else None


def wants_json() -> bool:
    """Whether the client is a script, which gets JSON."""
    accepted = request.accept_mimetypes
    return "X-Requested-With" in request.headers or accepted["application/json"] > accepted["text/html"]


def sentence(error: HTTPException) -> str:
    """The sentence for an HTTP error; contains no text of the exception."""
    if isinstance(error, CSRFError):
        return _("页面已过期，请返回上一页刷新后重新提交。")
    if isinstance(error, OtherAccount):
        return _("这个页面是以另一个账号打开的，请用原来的账号登录后继续。")
    if isinstance(error, (Missing, SignedOut)) and error.words:
        return error.words
    if isinstance(error, ForeignOrigin):
        return _("这次提交来自其他网站的页面，没有办理，请从本系统的页面重新提交。")
    sentences = {
        401: _("登录已超时，请重新登录后继续办理。"),
        403: _("当前账号没有这项权限，请返回首页，或联系系统管理员开通。"),
        404: _("没有找到这个页面或资料，请核对地址，或返回首页查询。"),
        405: _("这个地址不能这样打开，请返回首页从菜单进入。"),
        408: _("提交的内容没有在限定时间内传完，没有保存，请检查网络后重新提交。"),
        413: _too_large(),
        429: _("操作过于频繁，请稍等一分钟后再试。"),
    }
    if (error.code or 500) >= 500:
        return _("系统暂时无法完成这次操作，请稍后再试；如仍未解决，请把事件编号告知系统管理员。")
    return sentences.get(error.code or 0, _("提交的内容不完整或格式不对，请返回上一页检查后重新提交。"))


def _too_large() -> str:
    has_files = request.mimetype == "multipart/form-data"
    if has_files and (whole := (request.max_content_length or 0) >> 20):  # one more than a file may have
        most = min(current_app.config["ATTACHMENT_MB"], max(whole - 1, 1))
        return _("上传内容超过 %(most)s MB，请压缩或分次上传。", most=most)
    return _("提交的内容过长，没有保存，请精简后重新提交。")


def handle_http_error(error: HTTPException) -> Response:
    """An error as a page, or as JSON for a script, with the same status and headers (Allow, Retry-After)."""
    if (error.code or 500) >= 500:
        release()  # first: the error page must not be rendered in a failed transaction
    # A client that was too slow (views/entrance/server.py) but still reads gets 408.
    if isinstance(error, ClientDisconnected):
        error = RequestTimeout()
    response: Response = current_app.make_response(error.get_response(request.environ))
    if isinstance(error, RateLimitExceeded) and limiter.current_limit:
        response.retry_after = max(1, int(limiter.current_limit.reset_at - time()))
    if isinstance(error, SecurityError):  # untrusted host name: no URL can be built for it
        return response
    expired = isinstance(error, (CSRFError, Unauthorized))
    token = generate_csrf() if expired and wants_json() else None
    listed = error.listed if isinstance(error, Missing) else None
    return fill_with_sentence(response, sentence(error), token, listed)


def handle_refused(refusal: Refused) -> Response:
    """A Refused that no view caught: its sentence with status 409."""
    return fill_with_sentence(Response(status=409), str(refusal))


def fill_with_sentence(response: Response, words: str, token: str | None = None, listed: str | None = None) -> Response:
    """Fill `response` with a sentence, as page or JSON; a script also gets the CSRF `token` to continue with.

    `listed`: address of a list to link to instead of the page before.
    """
    status = response.status_code
    number = incident_number() if status >= 500 else None
    if problems.is_asked_for():
        return problems.fill(response, problems.DETAILS.get(status, words), number)
    if wants_json():
        body = {"message": words, "incident": number, "csrf_token": token}
        body = {name: value for name, value in body.items() if value}
        response.data, response.mimetype = jsonify(body).data, "application/json"
        return response
    response.data = _error_page(words, status, number, listed)
    response.content_type = "text/html; charset=utf-8"
    return response


def _error_page(words: str, status: int, number: str | None, listed: str | None) -> str:
    """The error page, with the menu if somebody is signed in. From status 500 on it does not query the database.

    If its template fails: minimal HTML with the same content.
    """
    sent = resubmittable_fields(status)
    typed = labelled_fields(sent)
    try:
        page: dict[str, Any] = {"back": referring_page() if listed is None else None, "listed": listed}
        page |= {"typed": typed, "action": local(request.full_path)}
        page["person"] = person_for_error(status)
        page["sent"] = sent if status in AGAIN or status >= 500 else []
        template = "panel/error.html" if page["person"] else "entrance/error.html"
        return render_template(template, sentence=words, status=status, incident=number, **page)
    except Exception:
        current_app.logger.exception("the error page failed")
        return _bare_page(words, status, number, typed)


def _bare_page(words: str, status: int, number: str | None, typed: list[tuple[str, str]]) -> str:
    """Sentence, incident number and typed text, made without templates."""
    incident = Markup("<p>{} <b>{}</b></p>").format(_("事件编号"), number) if number else ""
    heading = Markup("<p>{}</p>").format(_("这次填写的内容没有保存：")) if typed else ""
    lines = Markup().join(Markup("<dt>{}</dt><dd>{}</dd>").format(label, text) for label, text in typed)
    page = Markup('<!DOCTYPE html><html lang="{}"><meta charset="UTF-8"><title>{}</title><p>{}</p>{}{}<dl>{}</dl>')
    return page.format(html_lang(), status, words, incident, heading, lines)


def incident_number() -> str:
    """The number under which a person reports this failure and an administrator finds it in the log."""
    if "incident" not in g:
        g.incident = secrets.token_hex(4).upper()
    return str(g.incident)


def add_incident_number(record: logging.LogRecord) -> bool:
    """Logging filter: prefix lines that have a traceback with the incident number."""
    if record.exc_info and has_app_context():
        record.msg = f"[{incident_number()}] {record.msg}"
    return True
