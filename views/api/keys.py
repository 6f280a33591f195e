"""Authentication of the interface: a key in `Authorization: Bearer`. Row security is that of the key's account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from flask import current_app, g, request
from flask_babel import gettext as _
from limits import parse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access
from models.database import briefly, db, is_unavailable
from models.people import api_keys
from models.people.accounts import Account
from models.people.signin_failures import hashed
from views.entrance.addresses import client_network
from views.entrance.place import place
from views.entrance.problems import Problem
from views.entrance.rate_limits import limiter

SECONDS = 3  # that a request waits for its log entry to be written
UNKNOWN_KEYS = parse("20 per minute")  # different unknown keys from one network
SAME_UNKNOWN_KEY = parse("1 per minute")  # look-ups of one unknown key in the database
KNOWN_KEY = parse("1 per day")  # marks a valid key: unknown keys from its network do not block it
CHALLENGE = 'Bearer realm="filing"'


@dataclass(frozen=True)
class Reader:
    """The account that reads in this request, and its key."""

    account: Account
    name: str
    ends_at: datetime


def reader() -> Reader:
    found: Reader = g.reader
    return found


def given_token() -> str:
    """The token of the request; "" without one."""
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def with_key(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the view requires a valid key; sets g.reader and opens row security for its account."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        g.reader = authenticate()
        access.enter(g.reader.account)
        return view(*args, **kwargs)

    return guarded


def authenticate() -> Reader:
    """The reader of this request. Commits the log entry of the use or refusal.

    Raises Problem: 429, or 401 with the same sentence for every reason; the log has the actual reason.
    """
    token = given_token()
    if not token:
        sentence = _("请在请求头 Authorization 中提供接口密钥：Bearer 后面加一个空格，再加密钥。")
        raise Problem(401, sentence, **{"WWW-Authenticate": CHALLENGE})
    assert_not_limited(hashed(token))
    with access.everything() as session:
        key = api_keys.key_of(session, token)
        if key is None:
            count_unknown_key(hashed(token))
            raise unusable()
        if why := api_keys.obstacle(key, request.remote_addr or ""):
            commit_entry(session, lambda: api_keys.note_refusal(session, key, place(), why))
            raise unusable()
        account_id, found = key.account_id, (key.name, key.ends_at)
        commit_entry(session, lambda: api_keys.note_use(session, key, place()))
    if limiter.enabled:
        limiter.limiter.hit(KNOWN_KEY, "api good", hashed(token))
    return Reader(db.session.get_one(Account, account_id), *found)


def assert_not_limited(digest: str) -> None:
    """Checks the counts before the database is queried; `digest`: of the token.

    Raises Problem: 401 for a key that was unknown within the last minute, 429 for a network with too many unknown keys.
    """
    if not limiter.enabled:
        return
    counts = limiter.limiter
    if not counts.test(SAME_UNKNOWN_KEY, "api none", digest):
        raise unusable()
    if counts.test(KNOWN_KEY, "api good", digest) and not counts.test(UNKNOWN_KEYS, "api", client_network()):
        raise Problem(429, _("不正确的接口密钥过多，请一分钟后再试。"), **{"Retry-After": "60"})


def count_unknown_key(digest: str) -> None:
    """Count an unknown key against its network, once a minute.

    A program that goes on using a revoked key therefore does not block the other keys of its office.
    """
    if limiter.enabled and limiter.limiter.hit(SAME_UNKNOWN_KEY, "api none", digest):
        limiter.limiter.hit(UNKNOWN_KEYS, "api", client_network())


def unusable() -> Problem:
    sentence = _("接口密钥不能使用：可能已经撤销、到期，或不允许从这个地址使用，请在“接口密钥”页面核对。")
    return Problem(401, sentence, **{"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'})


def commit_entry(session: Session, write: Callable[[], bool]) -> None:
    """Call `write` and commit if it wrote an entry. While the database cannot be written, log that and go on."""
    try:
        with briefly(session, SECONDS):
            if write():
                session.commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        session.rollback()
        current_app.logger.exception("the use of a key is not in the log")
