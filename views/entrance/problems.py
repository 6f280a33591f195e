"""Errors of the interface for programs (/api/) as application/problem+json (RFC 9457)."""

import json
from typing import Any

from flask import Flask, Response, current_app, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

ROOT = "/api/"
MEDIA_TYPE = "application/problem+json"
DETAILS = {  # status → sentence for programs in place of the one for people
    404: _l("没有这项资料，或者当前密钥不能读取，请核对申请单号和地址。"),
    405: _l("接口只能读取，请使用 GET 方法。"),
    429: _l("读取过于频繁，请按响应头 Retry-After 的秒数等待后再试。"),
}


class Problem(HTTPException):
    """An error with its own sentence; `headers`: further ones of the response."""

    def __init__(self, code: int, words: str, **headers: str) -> None:
        super().__init__(words)
        self.code, self.words, self.headers = code, words, headers


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, handle_problem)


def handle_problem(error: Problem) -> Response:
    response = current_app.response_class(status=error.code)
    response.headers.update(error.headers)
    return fill(response, error.words)


def is_asked_for() -> bool:
    """Whether the request is to the interface for programs."""
    return request.path.startswith(ROOT)


def fill(response: Response, words: Any, incident: str | None = None) -> Response:
    """Fill `response` with a problem document for its status; `words`: the detail."""
    status = response.status_code
    problem = {"type": "about:blank", "title": HTTP_STATUS_CODES.get(status, ""), "status": status}
    problem |= {"detail": str(words)} | ({"incident": incident} if incident else {})
    response.data, response.mimetype = json.dumps(problem, ensure_ascii=False), MEDIA_TYPE
    return response
