"""验证码: five digits to see or to hear, valid two minutes, counted once (手册 第四篇)."""

import hmac
import io
import random
import unicodedata
import wave
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

from captcha.image import ImageCaptcha
from flask import current_app, session
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from models import clock
from models.accounts import SpentChallenge
from models.db import db
from models.workflow import Refused
from views.security import random_name

DIGITS, LIFE = 5, timedelta(minutes=2)
INK, PAPER = (27, 95, 180), (247, 249, 252)
VOICES, RATE = Path(__file__).parent.parent / "templates" / "voices", 16_000


class Painter(ImageCaptcha):
    """The package's pictures, a little kinder to eyes: full ink, and digits that hardly overlap."""

    lookup_table: ClassVar = [min(3 * light, 255) for light in range(256)]
    word_offset_dx = 0.12


PAINTER = Painter(width=264, height=88, font_sizes=(56, 62, 68))


def renew() -> None:
    """Another challenge. The cookie alone keeps it: looking at a picture changes nothing on the server."""
    session["challenge"] = [random_name(), clock.now().timestamp()]


def current() -> str:
    """The name of the challenge under way; a new one where there is none or its time is over."""
    if not _alive(*session.get("challenge", ("", 0))):
        renew()
    return str(session["challenge"][0])


def _alive(nonce: str, made: float) -> bool:
    return bool(nonce) and 0 <= clock.now().timestamp() - made <= LIFE.total_seconds()


def answer(nonce: str) -> str:
    """The digits of a challenge: its cookie is signed but readable, so they follow from what only we know."""
    secret = hmac.digest(_key(), f"captcha {nonce}".encode(), "sha256")
    return f"{int.from_bytes(secret) % 10**DIGITS:0{DIGITS}d}"


def _key() -> bytes:
    return str(current_app.secret_key).encode()


def check(typed: str) -> None:
    """Spend the challenge, whether `typed` is right or wrong; raises Refused unless it is right."""
    nonce, made = session.pop("challenge", ("", 0))
    if not _alive(nonce, made) or not _spend(nonce):
        raise Refused(_("验证码已过期，请按新图片重新输入。"))
    folded = unicodedata.normalize("NFKC", typed).strip()  # digits typed through a Chinese keyboard are wide
    if not hmac.compare_digest(answer(nonce).encode(), folded.encode()):
        raise Refused(_("验证码不正确，请按新图片重新输入。"))


def _spend(nonce: str) -> bool:
    """Whether nobody answered this challenge before; an old cookie sent again meets the primary key."""
    db.session.add(SpentChallenge(nonce=nonce, spent_at=clock.now()))
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    return True


def picture(digits: str) -> io.BytesIO:
    """The digits as a PNG, twice the size it is shown in."""
    return PAINTER.generate(digits, bg_color=PAPER, fg_color=(*INK, 255))


def sound(digits: str) -> io.BytesIO:
    """The digits spoken in Chinese (WAV) over a murmur of others; the same each time, so that it cannot be averaged.

    `captcha.audio` speaks English only and takes 0.4 s of processor time, which anybody could ask for.
    """
    chance = random.Random(hmac.digest(_key(), f"sound {digits}".encode(), "sha256"))
    speech: list[int] = []
    for digit in digits:
        speech += [0] * chance.randrange(RATE // 3, RATE // 2)
        speech += _paced(digit, chance.uniform(0.78, 0.9))
    speech += [0] * (RATE // 3)
    voices = chance.choices("0123456789", k=len(speech) // 3000)
    murmur = [value // 6 for digit in voices for value in _paced(digit, -0.8)]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 1, RATE, 0, "NONE", ""))
        file.writeframes(bytes(min(max(a + b + 128, 0), 255) for a, b in zip(speech, murmur, strict=False)))
    out.seek(0)
    return out


def _paced(digit: str, pace: float) -> list[int]:
    """A voice slowed down, centred on zero; backwards where `pace` is negative."""
    voice = _voice(digit)
    return [voice[int(place * pace)] - 128 for place in range(1, int(len(voice) / abs(pace)))]


@cache
def _voice(digit: str) -> bytes:
    with wave.open(str(VOICES / f"{digit}.wav")) as file:
        return file.readframes(file.getnframes())
