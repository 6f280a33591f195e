"""WebAuthn challenge: stored in the session cookie, bound to one purpose, valid for five minutes, accepted once."""

from datetime import timedelta

from flask import session
from flask_babel import gettext as _

from models import clock
from models.database import db
from models.people import spent_challenges
from models.people.security_keys import Enrolling
from models.workflow import Refused

KEY, LIFE = "key_challenge", timedelta(minutes=5)


def store(purpose: str, challenge: str, handle: str = "") -> None:
    """Store a challenge, replacing a former one. `handle`: the user handle of an enrolment."""
    session[KEY] = [purpose, challenge, handle, clock.now().timestamp()]


def use_up_and_commit(purpose: str) -> Enrolling:
    """Use up the challenge and return it. Raises Refused when there is no valid one for this purpose. Commits."""
    stored_purpose, challenge, handle, started = session.pop(KEY, ("", "", "", 0))
    is_valid = stored_purpose == purpose and clock.is_within(LIFE, started)
    if not is_valid or not spent_challenges.spend_and_commit(db.session(), challenge):
        raise Refused(_("这次密钥操作已超时或已使用过，请重试。"))
    return Enrolling(challenge, handle)
