"""验证码: five digits to see or to hear, valid two minutes, counted once (手册 第四篇)."""

import hmac
import io
import unicodedata
import wave
from array import array
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import which
from subprocess import run
from typing import ClassVar

from captcha.audio import AudioCaptcha
from captcha.image import ImageCaptcha
from flask import current_app, session
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from models import clock
from models.database import db
from models.people.sessions import SpentChallenge
from models.workflow import Refused
from views.entrance.security import random_name

DIGITS, LIFE = 5, timedelta(minutes=2)
INK, PAPER = (27, 95, 180), (247, 249, 252)
SPOKEN = "零一二三四五六七八九"


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
    """The digits spoken over a murmur, as a WAV."""
    return io.BytesIO(bytes(_speaker().generate(digits)))


@cache
def _speaker() -> AudioCaptcha:
    """The package speaks English; where espeak-ng is installed (make setup does it) it is given Chinese digits."""
    if which("espeak-ng") is None:
        return AudioCaptcha()
    voices = Path(current_app.instance_path) / "voices"
    for digit, spoken in enumerate(SPOKEN):
        folder = voices / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        for pitch in (35, 55):
            speak = ["espeak-ng", "-v", "cmn", "-s", "130", "-p", str(pitch), "--stdout", spoken]
            said = run(speak, check=True, capture_output=True).stdout
            _keep(folder / f"{pitch}.wav", said)
    return AudioCaptcha(str(voices))


def _keep(path: Path, said: bytes) -> None:
    """From espeak's 16 bits at 22,050 Hz to the 8 bits at 8,000 Hz that the package mixes."""
    samples = array("h", said[44:])
    places = range(int(len(samples) * 8000 / 22050))
    quiet = bytes((samples[int(place * 22050 / 8000)] >> 8) + 128 for place in places)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(quiet)
