"""验证码: five digits as picture or sound, valid for two minutes, accepted once (手册 第四篇)."""

import hmac
import io
import unicodedata
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app, session
from flask_babel import gettext as _

from models import clock
from models.database import db
from models.people import spent_challenges
from models.workflow import Refused
from views.entrance.security import random_name

if TYPE_CHECKING:
    from captcha.audio import AudioCaptcha

DIGITS, LIFE = 5, timedelta(minutes=2)


def renew() -> None:
    """Start a new challenge, stored in the session cookie only: [nonce, Unix time]. Nothing changes on the server."""
    session["challenge"] = [random_name(), clock.now().timestamp()]


def current_nonce() -> str:
    """The nonce of the current challenge; starts a new one when there is none or it has expired."""
    if not _is_valid(*session.get("challenge", ("", 0))):
        renew()
    return str(session["challenge"][0])


def _is_valid(nonce: str, started: float) -> bool:
    return bool(nonce) and 0 <= clock.now().timestamp() - started <= LIFE.total_seconds()


def digits_of(nonce: str) -> str:
    """The digits of a challenge: an HMAC of its nonce, because the session cookie is signed but readable."""
    mac = hmac.digest(_key(), f"captcha {nonce}".encode(), "sha256")
    return f"{int.from_bytes(mac) % 10**DIGITS:0{DIGITS}d}"


def _key() -> bytes:
    return str(current_app.secret_key).encode()


def use_up_and_commit(typed: str) -> None:
    """Use up the challenge, whether `typed` is right or wrong. Raises Refused if it is wrong or expired. Commits."""
    nonce, started = session.pop("challenge", ("", 0))
    if not _is_valid(nonce, started) or not spent_challenges.spend_and_commit(db.session(), nonce):
        raise Refused(_("验证码已过期，请按新图片重新输入。"))
    folded = unicodedata.normalize("NFKC", typed).strip()  # a Chinese input method may produce full-width digits
    if not hmac.compare_digest(digits_of(nonce).encode(), folded.encode()):
        raise Refused(_("验证码不正确，请按新图片重新输入。"))


def picture(digits: str) -> io.BytesIO:
    """The digits as a PNG, at twice the displayed size."""
    from views.entrance.captcha_picture import picture_of

    return picture_of(digits)


def sound(digits: str) -> io.BytesIO:
    """The digits spoken over background noise, as a WAV."""
    return io.BytesIO(bytes(_speaker().generate(digits)))


@cache
def _speaker() -> "AudioCaptcha":
    """Chinese digits where `make setup` has made them, else the package's English ones."""
    from captcha.audio import AudioCaptcha

    voices = Path(current_app.instance_path) / "voices"
    return AudioCaptcha(str(voices) if (voices / "made").exists() else None)
