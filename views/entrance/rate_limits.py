"""Rate limits per client network, counted before the body of the request is read."""

from flask import Flask, request
from flask_limiter import Limiter

from views.entrance.addresses import client_network

POSTS_PER_MINUTE = {  # passwords: argon2 is slow on purpose; keys and cards: each writes a log entry
    "login": 60, "password": 20, "key_login": 60, "key_options": 60, "card_login": 60,
    "confirm": 60, "confirm_options": 60,
}  # fmt: skip


def posts_allowed() -> str:
    """The limit of POSTs to the endpoint of this request."""
    return f"{POSTS_PER_MINUTE.get(request.endpoint or '', 60)} per minute"


def is_unlimited() -> bool:
    """Whether the default limit does not apply: no POST, or not to an endpoint of POSTS_PER_MINUTE."""
    return request.method != "POST" or request.endpoint not in POSTS_PER_MINUTE


# With RATELIMIT_STORAGE_URI, processes share the counts. Default limits are counted before CSRF protection checks the
# token; limits of a decorated view after it, so that those are only for views without a token.
# While Redis does not answer, each process counts by itself, so that sign-in goes on.
limiter = Limiter(
    client_network,
    default_limits=[posts_allowed],
    default_limits_exempt_when=is_unlimited,
    in_memory_fallback_enabled=True,
)
REDIS: dict[str, float] = {"socket_connect_timeout": 1, "socket_timeout": 1}  # seconds: every page would wait for it


def init_app(app: Flask) -> None:
    if str(app.config["RATELIMIT_STORAGE_URI"]).startswith("redis"):
        app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", REDIS)
    limiter.init_app(app)
