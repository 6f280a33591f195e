"""状态名单 (lists of revoked certificates) at stable addresses, for verification of papers without a network."""

from flask import Flask, Response, abort, current_app, request
from sqlalchemy.exc import OperationalError, TimeoutError

from models import access
from models.certificate import status_list
from models.workflow import Refused
from views.entrance.rate_limits import limiter
from views.resources import list_publisher

ENDPOINT = "status_list"  # answers without a cookie, and may be cached (security.py, static_files.py)
MAX_AGE = 300  # seconds that a cache may keep a list; a revocation is seen by then


def init_app(app: Flask) -> None:
    app.add_url_rule("/status/<province>/<int(max=9999):year>", ENDPOINT, show)


@limiter.limit("60 per minute")
def show(province: str, year: int) -> Response:
    """The list of a province and year, signed at each request; 404 if it is not published, 503 if signing fails."""
    if not status_list.is_published(province, year):
        abort(404)
    try:
        with access.everything() as session:
            made = list_publisher().make(session, province, year)
    except (Refused, OperationalError, TimeoutError):
        current_app.logger.warning("the status list of %s, %s cannot be made", province, year, exc_info=True)
        abort(503)
    response = current_app.response_class(made, mimetype="application/vc+jwt")
    response.add_etag()
    response.cache_control.public, response.cache_control.max_age = True, MAX_AGE
    response.make_conditional(request)
    return response
