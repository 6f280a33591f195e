"""How often an address may ask: counted before the body of the request is read."""

from flask import request
from flask_limiter import Limiter

from views.entrance.addresses import client_network

POSTS_PER_MINUTE = {  # of passwords: argon2 is slow on purpose; of keys, because each writes into the log
    "login": 60, "password": 20, "key_login": 60, "key_options": 60, "card_login": 60,
    "confirm": 60, "confirm_options": 60,
}  # fmt: skip


def posts_allowed() -> str:
    """The limit of POSTs to this endpoint."""
    return f"{POSTS_PER_MINUTE.get(request.endpoint or '', 60)} per minute"


def is_unlimited() -> bool:
    """Whether this request is no POST that POSTS_PER_MINUTE limits."""
    return request.method != "POST" or request.endpoint not in POSTS_PER_MINUTE


# With RATELIMIT_STORAGE_URI, processes share the counts. Default limits count before CSRF protection looks for a token;
# those of a decorated view count after it, so that they are for views without a token.
limiter = Limiter(client_network, default_limits=[posts_allowed], default_limits_exempt_when=is_unlimited)
