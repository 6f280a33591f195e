"""What every answer carries and how every refusal reads: CSRF, headers, error pages."""

import logging
import re
import secrets
from time import time
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, has_app_context, jsonify, render_template, request
from flask_babel import gettext as _
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import escape
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestTimeout, SecurityError, Unauthorized
from werkzeug.http import parse_range_header

from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.codes import label_of
from models.vocabulary import WordColumn
from models.workflow import Refused

STATIC = frozenset({"static", "admin.static", "icon"})
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
UNREAD = {408, 413, 429}  # answers to a body that was not read to its end, and is not read for the error page either
limiter = Limiter(get_remote_address)  # by address; RATELIMIT_STORAGE_URI lets several processes count together
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FIELDS = {  # of the forms that hold long work: name → column, which says its label and how its value is read
    column.key: column
    for table in (TrailEntry, Carrier, Application)
    for column in table.__table__.columns
    if "label" in column.info
}
SECRET = frozenset({"csrf_token", "password", "code", "current", "new", "repeat"})  # never sent back in an error page
AGAIN = frozenset({400, 401, 429})  # what a second try may mend; so may anything from 500 on


class OtherAccount(Unauthorized):
    """The page was opened by another account than the one that is signed in now."""


class Answer(Response):
    """Every answer of ours."""

    def make_conditional(
        self, request_or_environ: Any, accept_ranges: bool | str = False, complete_length: int | None = None
    ) -> Any:
        """Werkzeug's, which answers 416 to every Range but one of bytes; RFC 9110, 14.2 lets the others be ignored.

        So several ranges, an unknown unit, what cannot be read and an ending longer than the file mean the whole file.
        """
        environ = getattr(request_or_environ, "environ", request_or_environ)
        asked = parse_range_header(environ.get("HTTP_RANGE"))
        one = asked and asked.units == "bytes" and len(asked.ranges) == 1 and asked.ranges[0]
        if not one or one[0] <= -(complete_length or 0):
            environ.pop("HTTP_RANGE", None)
        return super().make_conditional(environ, accept_ranges, complete_length)


def init_app(app: Flask) -> None:
    """Guard every unsafe request, dress every answer, put every error into one sentence."""
    app.response_class = Answer
    limiter.init_app(app)  # first: whoever has to wait is told so before what they send is read
    CSRFProtect(app)
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(tell_script_where)
    app.after_request(dress)
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(Refused, refused)
    app.logger.addFilter(name_incident)


def random_name() -> str:
    """128 random bits that fit into a header, a cookie or an address."""
    return secrets.token_urlsafe(16)


def nonce() -> str:
    """The one nonce of this request: Flask-Admin asks for it at every script it renders."""
    if "nonce" not in g:
        g.nonce = random_name()
    return str(g.nonce)


def dress(response: Response) -> Response:
    """The security headers; what an answer says for itself about its content stays."""
    response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
    response.headers.update(HEADERS)
    if request.endpoint not in STATIC:
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def tell_script_where(response: Response) -> Response:
    """A redirect after a script's POST becomes {"location": address}: a script cannot read where a redirect leads."""
    if response.status_code in (302, 303) and request.method == "POST" and "X-Requested-With" in request.headers:
        response.data, response.mimetype = jsonify(location=response.headers.pop("Location")).data, "application/json"
        response.status_code = 200
    return response


def local(target: str | None) -> str | None:
    """`target` when it is a path of ours: exactly one leading slash, nothing a browser reads as another host."""
    return target if target and re.fullmatch(r"/(?!/)[^\\\x00-\x1f\x7f]*", target) else None


def came_from() -> str | None:
    """The page of ours that sent this request."""
    try:
        page = urlsplit(request.referrer or "")
    except ValueError:  # `http://[`
        return None
    return local(page._replace(scheme="", netloc="").geturl()) if page.netloc == request.host else None


def wants_json() -> bool:
    """Whether a script is asking, and not a page."""
    accepted = request.accept_mimetypes
    return "X-Requested-With" in request.headers or accepted["application/json"] > accepted["text/html"]


def sentence(error: HTTPException) -> str:
    """What happened and what to do next, by status; nothing of the exception itself."""
    if isinstance(error, CSRFError):
        return _("页面已过期，请返回上一页刷新后重新提交。")
    if isinstance(error, OtherAccount):
        return _("这个页面是以另一个账号打开的，请用原来的账号登录后继续。")
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
    most = (request.max_content_length or 0) >> 20
    if most > 0:
        return _("上传内容超过 %(most)s MB，请压缩或分次上传。", most=current_app.config["ATTACHMENT_MB"])
    return _("提交的内容过长，没有保存，请精简后重新提交。")


def explain(error: HTTPException) -> Response:
    """An error as a page, or as JSON for a script, with the same status and headers (Allow, Retry-After)."""
    if isinstance(
        error, ClientDisconnected
    ):  # who is still there hears that it took too long (views/entrance/server.py)
        error = RequestTimeout()
    response: Response = current_app.make_response(error.get_response(request.environ))
    if isinstance(error, RateLimitExceeded) and limiter.current_limit:
        response.retry_after = max(1, int(limiter.current_limit.reset_at - time()))
    if isinstance(error, SecurityError):  # a host name that is not ours: no address can be built for it
        return response
    expired = isinstance(error, (CSRFError, Unauthorized))
    return say(response, sentence(error), generate_csrf() if expired and wants_json() else None)


def refused(refusal: Refused) -> Response:
    """An act that the rules refuse and no screen caught: its sentence, and 409 for nothing has changed."""
    return say(Response(status=409), str(refusal))


def say(response: Response, words: str, token: str | None = None) -> Response:
    """Put one sentence into `response`, in the form that was asked for; a script gets a CSRF `token` to go on with."""
    status = response.status_code
    number = incident() if status >= 500 else None
    if wants_json():
        said = {"message": words, "incident": number, "csrf_token": token}
        said = {name: value for name, value in said.items() if value}
        response.data, response.mimetype = jsonify(said).data, "application/json"
        return response
    response.data = _error_page(words, status, number)
    response.content_type = "text/html; charset=utf-8"
    return response


def _error_page(words: str, status: int, number: str | None) -> str:
    """The page of one sentence; the bare sentence when even that page fails, for nothing stands behind it."""
    try:
        sent = typed(status)
        page = {"back": came_from(), "typed": readable(sent), "action": local(request.full_path)}
        page["sent"] = sent if status in AGAIN or status >= 500 else []
        return render_template("entrance/error.html", sentence=words, status=status, incident=number, **page)
    except Exception:
        current_app.logger.exception("the error page failed")
        return f'<!DOCTYPE html><html lang="zh-CN"><meta charset="UTF-8"><title>{status}</title><p>{escape(words)}</p>'


def typed(status: int) -> list[tuple[str, str]]:
    """What a form of ours had sent, as (name, value), to be sent again; [] for anybody else's form."""
    if request.method != "POST" or status in UNREAD or request.origin != request.host_url.rstrip("/"):
        return []
    try:
        return [(name, value) for name, value in request.form.items(multi=True) if name not in SECRET]
    except HTTPException:  # it is the body that is wrong
        return []


def readable(sent: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of what was sent, what a person had written or chosen, as (label, text)."""
    found = []
    for name, value in sent:
        row, _dash, key = name.rpartition("-")
        column, text = FIELDS.get(key), value.strip()
        if column is None or not text or text == "__None" or key == "publisher_id":
            continue
        place = row.rpartition("-")[2]
        where = _("载体信息第 %(place)s 行 ", place=int(place) + 1) if place.isdecimal() else ""
        found.append((f"{where}{column.info['label']}", _meaning(column, text)))
    return found


def _meaning(column: Any, text: str) -> str:
    """The label of a chosen word or code; any other text is itself."""
    if isinstance(column.type, WordColumn):
        return next((str(word.label) for word in column.type.words if word.value == text), text)
    return label_of(column.info["codes"], text) if "codes" in column.info else text


def incident() -> str:
    """The number under which a person reports this failure and an administrator finds it in the log."""
    if "incident" not in g:
        g.incident = secrets.token_hex(4).upper()
    return str(g.incident)


def name_incident(record: logging.LogRecord) -> bool:
    """A log line with a traceback begins with the number that the person was shown."""
    if record.exc_info and has_app_context():
        record.msg = f"[{incident()}] {record.msg}"
    return True
