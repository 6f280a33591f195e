"""The challenge of a security key: in the session cookie, for one purpose, valid for minutes, accepted once."""

from datetime import timedelta

from flask import session
from flask_babel import gettext as _

from models import clock
from models.database import db
from models.people import spent_challenges
from models.people.security_keys import Enrolling
from models.workflow import Refused

KEY, LIFE = "key_challenge", timedelta(minutes=5)


def keep(purpose: str, challenge: str, handle: str = "") -> None:
    """Store a challenge in place of a former one. `handle`: the user handle of an enrolment."""
    session[KEY] = [purpose, challenge, handle, clock.now().timestamp()]


def use_up(purpose: str) -> Enrolling:
    """End the challenge and return it; raises Refused when there is none for this purpose any more. Commits."""
    kept_for, challenge, handle, started = session.pop(KEY, ("", "", "", 0))
    is_valid = kept_for == purpose and 0 <= clock.now().timestamp() - started <= LIFE.total_seconds()
    if not is_valid or not spent_challenges.spend(db.session(), challenge):
        raise Refused(_("这次密钥操作已超时或已使用过，请重试。"))
    return Enrolling(challenge, handle)
