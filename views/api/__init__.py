"""Read-only JSON interface for programs: each key of an account reads the rows that the account sees.

The session cookie is not accepted. `/api/v1/openapi.json` (OpenAPI 3.1) is generated from the same fields and
parameters as the answers.
"""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, url_for

from models.people.signin_failures import hashed
from views.api import applications, certificates, changes, document, figures
from views.api.applications import APPLICATIONS, Listing
from views.api.certificates import CERTIFICATES
from views.api.keys import given_token, reader, with_key
from views.api.parameters import CHANGES, DEFAULT, NO_CHANGE, parse_query, read_parameters
from views.api.values import as_json
from views.entrance.addresses import client_network
from views.entrance.rate_limits import limiter

PER_KEY = "120 per minute"
PER_KEY_COUNTED = "10 per minute"  # of statistics, which are slow
PER_NETWORK = "60 per minute"  # of openapi.json, which needs no key

api = Blueprint("api", __name__, url_prefix="/api/v1")


def init_app(app: Flask) -> None:
    app.register_blueprint(api)


def key_or_network() -> str:
    """Key of the rate limit: the hash of the token; without a token the client's network."""
    token = given_token()
    return hashed(token) if token else client_network()


limited = limiter.limit(PER_KEY, key_func=key_or_network)


@api.after_request
def tag(answer: Response) -> Response:
    """Add an ETag; 304 without a body for a program that names it in If-None-Match. The read is logged all the same."""
    if answer.status_code == 200:
        answer.add_etag()
        answer.make_conditional(request)
    return answer


@api.get("/openapi.json")
@limiter.limit(PER_NETWORK)
def openapi() -> Response:
    """The OpenAPI document. Public: it contains no data."""
    return jsonify(document.build())


@api.get("/key")
@limited
@with_key
def key() -> Response:
    """Name and expiry of the key, and its account."""
    return jsonify(as_json(document.KEY, reader()))


def listed(listing: Listing) -> Response:
    """A page; the next one by `cursor`, also in the header Link (RFC 8288)."""
    wanted = parse_query()
    page: dict[str, Any] = applications.page(listing, wanted)
    answer = jsonify(page)
    if page["next"]:
        more = wanted.parameters | {"cursor": page["next"]}
        answer.headers["Link"] = f'<{url_for(request.endpoint or "", **more)}>; rel="next"'
    return answer


def changed(listing: Listing) -> Response:
    """What has changed since `changed_since`."""
    typed = read_parameters(CHANGES)
    since, limit = typed.get("changed_since", NO_CHANGE), int(typed.get("limit", DEFAULT))
    return jsonify(changes.page(listing, since, limit))


@api.get("/applications")
@limited
@with_key
def list_applications() -> Response:
    """A page of applications, newest first."""
    return listed(APPLICATIONS)


@api.get("/applications/<number>")
@limited
@with_key
def show_application(number: str) -> Response:
    """One application with all that its details page shows; 404 for one that the account does not see."""
    return jsonify(applications.details(number, reader().account))


@api.get("/certificates")
@limited
@with_key
def list_certificates() -> Response:
    """A page of certificates, those of the newest applications first."""
    return listed(CERTIFICATES)


@api.get("/certificates/<number>")
@limited
@with_key
def show_certificate(number: str) -> Response:
    """One certificate."""
    return jsonify(certificates.details(number))


@api.get("/changes/applications")
@limited
@with_key
def changed_applications() -> Response:
    """Applications in the order of their last change."""
    return changed(APPLICATIONS)


@api.get("/changes/certificates")
@limited
@with_key
def changed_certificates() -> Response:
    """Certificates in the order of the last change of their applications."""
    return changed(CERTIFICATES)


@api.get("/statistics")
@limiter.limit(PER_KEY_COUNTED, key_func=key_or_network)
@with_key
def count_statistics() -> Response:
    """The figures of 统计."""
    return jsonify(figures.statistics_for(reader().account))
