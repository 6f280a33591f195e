"""Process log on stderr: plain lines for people, or one JSON object per line (FILING_LOG_FORMAT=json).

A JSON line has time, level and message; within a request also its id, endpoint and account id, and no other personal
data; a failure has the incident number that the error page shows. Every response is logged.
"""

import logging
import sys
from collections.abc import MutableMapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import sqlalchemy
from flask import Flask, Response, g, has_app_context, has_request_context, request

from views.entrance.security import incident_number, random_name

if TYPE_CHECKING:
    import structlog

JSON, PLAIN = "json", "plain"
FORMATS = (PLAIN, JSON)
LOG = logging.getLogger("filing.request")


def init_app(app: Flask) -> None:
    """With LOG_FORMAT=json make every logger write JSON; otherwise change nothing."""
    if app.config["LOG_FORMAT"] != JSON:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter())
    for name in ("", "gunicorn.error", app.logger.name):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name in ("", "gunicorn.error") else []
        logger.propagate = name != "gunicorn.error"
    LOG.setLevel(logging.INFO)

    def begin() -> None:
        g.request_name, g.request_at = random_name(), perf_counter()

    def log_response(response: Response) -> Response:
        milliseconds = round((perf_counter() - g.get("request_at", perf_counter())) * 1000)
        LOG.info("answered", extra={"method": request.method, "status": response.status_code, "ms": milliseconds})
        response.headers["X-Request-Id"] = g.get("request_name", "")
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(log_response)


def formatter() -> "structlog.stdlib.ProcessorFormatter":
    """Formatter of the standard library's log records as JSON."""
    import structlog  # here, for with its colours for terminals it takes 12 MB

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(("method", "status", "ms")),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_request,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def add_request(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: add request, endpoint, account id and incident; never names, addresses or typed text."""
    if has_app_context() and ("incident" in g or line.get("exc_info")):
        line["incident"] = incident_number()
    if has_request_context():
        line.update(request=g.get("request_name"), endpoint=request.endpoint)
        state = sqlalchemy.inspect(g.get("_login_user"), raiseerr=False)  # no attribute: it might query the database
        line["account"] = state.identity[0] if state is not None and state.identity else None
    return line
