"""The code in a certificate's QR picture: what it says, short and signed, to be proved without the register.

A code is base64url of: key (4 bytes of its SHA-256) · Ed25519 signature (64) · SHA-256 of the snapshot (32) · text.
The text is UTF-8, a line each: number, date of issue, holder, title. The signature covers digest and text.
Nothing here asks a database: this file and the public keys are all that a verifier needs.
"""

import base64
import binascii
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY, SIGNATURE, DIGEST = 4, 64, 32  # bytes
LONGEST = 60  # characters of holder and of title: a picture denser than that is read by no telephone off paper
CODE = re.compile(r"(?:.*[?&]c=)?([A-Za-z0-9_-]{150,2000})")
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another
LOOK_ALIKES = str.maketrans("OIL", "011")
TYPED = 12  # signs of the short code, 60 bits


class Forged(ValueError):
    """Not a code, or none that a province signed."""


@dataclass(frozen=True)
class Facts:
    """What a code says; holder and title may be shortened, the digest (hex) is of everything granted."""

    number: str
    issued_on: date
    holder: str
    title: str
    digest: str

    def message(self) -> bytes:
        """The bytes that are signed."""
        lines = (self.number, self.issued_on.isoformat(), _short(self.holder), _short(self.title))
        return bytes.fromhex(self.digest) + "\n".join(lines).encode()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _name(key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY]


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(facts: Facts, key: Ed25519PrivateKey) -> str:
    """The code; the same facts and key make the same code."""
    message = facts.message()
    return _spelled(_name(key.public_key()) + key.sign(message) + message)


def read(text: str, keys: Iterable[tuple[str, Ed25519PublicKey]]) -> Facts:
    """What a code, or an address that ends in one, says; raises Forged unless the number's own province signed it."""
    found = CODE.fullmatch(text.strip())
    try:
        raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)) if found else b""
        if not found or _spelled(raw) != found[1]:  # the last sign has bits to spare: one code, one spelling
            raise ValueError(text)
        name, signature, message = raw[:KEY], raw[KEY : KEY + SIGNATURE], raw[KEY + SIGNATURE :]
        number, day, holder, title = message[DIGEST:].decode().split("\n")
        facts = Facts(number, date.fromisoformat(day), holder, title, message[:DIGEST].hex())
    except (binascii.Error, ValueError):
        raise Forged("not a code") from None
    for province, key in keys:
        if province[:2] == number[1:3] and _name(key) == name:
            try:
                key.verify(signature, message)
            except InvalidSignature:
                break
            return facts
    raise Forged("not signed by the province of the number")


def new_typed() -> str:
    """A short code to be typed by hand: random, for numbers follow each other and must prove nothing (AC7)."""
    return "".join(secrets.choice(SIGNS) for _ in range(TYPED))


def plain(typed: str) -> str:
    """What a person meant who copied it off paper: capitals, no dashes, no blanks, no full-width signs."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper()


def same_typed(typed: str, kept: str) -> bool:
    """Whether a person typed the short code; look-alikes do not matter."""
    meant = plain(typed).translate(LOOK_ALIKES)
    return len(kept) == TYPED and secrets.compare_digest(meant.encode(), kept.encode())
