"""The signed code in a certificate's QR picture, which can be verified without the register.

A code is base64url of: algorithm (1 byte) · key (4 bytes of its SHA-256) · signature (64) · SHA-256 of the snapshot
(32) · text. The text is UTF-8, one line each: number, date of issue, holder, title. The signature covers digest and
text.

A verifier needs only this file, the public keys and the package `cryptography`:
`python check_code.py KEYS_FOLDER TEXT` verifies a code on any machine.
"""

import base64
import binascii
import hashlib
import logging
import re
import secrets
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ALGORITHMS = {1: Ed25519PublicKey}  # first byte → kind of key; SM2 would get its own byte and kind of key
KEY, SIGNATURE, DIGEST = 4, 64, 32  # bytes
LONGEST = 60  # characters of holder and of title: telephones cannot read a denser picture from paper
CODE = re.compile(r"(?:.*[?&]c=)?([A-Za-z0-9_-]{150,2000})")
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no two characters look alike
LOOK_ALIKES = str.maketrans("OIL", "011")
TYPED_LENGTH = 12  # characters of the typed code (校验码), 60 bits


class Forged(ValueError):
    """Not a code, or not signed by the province of its number."""


class PublicKey(Protocol):
    """A key that verifies codes; `verify` raises InvalidSignature."""

    def verify(self, signature: bytes, data: bytes, /) -> None: ...

    def public_bytes_raw(self) -> bytes: ...


class CodeKey(Protocol):
    """A key that signs codes: loaded from a file, or inside a PKCS#11 token."""

    def sign(self, data: bytes, /) -> bytes: ...

    def public_key(self) -> PublicKey: ...


@dataclass(frozen=True)
class Facts:
    """The content of a code; holder and title may be shortened, `digest` (hex) is the SHA-256 of the snapshot."""

    number: str
    issued_on: date
    holder: str
    title: str
    digest: str

    def message(self) -> bytes:
        """The signed bytes: digest and text."""
        lines = (self.number, self.issued_on.isoformat(), _short(self.holder), _short(self.title))
        return bytes.fromhex(self.digest) + "\n".join(lines).encode()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _key_id(key: PublicKey) -> bytes:
    """The first bytes of a code: algorithm and key."""
    algorithm = next(byte for byte, kind in ALGORITHMS.items() if isinstance(key, kind))
    return bytes([algorithm]) + hashlib.sha256(key.public_bytes_raw()).digest()[:KEY]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(facts: Facts, key: CodeKey) -> str:
    """The signed code of these facts; deterministic (Ed25519)."""
    message = facts.message()
    return _base64url(_key_id(key.public_key()) + key.sign(message) + message)


def read(text: str, keys: Iterable[tuple[str, PublicKey]]) -> Facts:
    """The facts in `text`, a code or an address that ends in one; `keys` are (province, key).

    Raises Forged unless the number's own province signed it.
    """
    found = CODE.fullmatch(text.strip())
    try:
        raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)) if found else b""
        if not found or _base64url(raw) != found[1]:  # the last character has unused bits: accept one spelling only
            raise ValueError(text)
        key_id, rest = raw[: 1 + KEY], raw[1 + KEY :]
        signature, message = rest[:SIGNATURE], rest[SIGNATURE:]
        number, day, holder, title = message[DIGEST:].decode().split("\n")
        facts = Facts(number, date.fromisoformat(day), holder, title, message[:DIGEST].hex())
    except (binascii.Error, ValueError):
        raise Forged("not a code") from None
    for province, key in keys:
        if province[:2] == number[1:3] and _key_id(key) == key_id:
            try:
                key.verify(signature, message)
            except InvalidSignature:
                break
            return facts
    raise Forged("not signed by the province of the number")


def public_keys_in(folder: Path) -> Iterator[tuple[str, PublicKey]]:
    """(province, key) of every file `320000.pub`, `320000-2025.pub` …; an unreadable one is logged and skipped."""
    for file in sorted(folder.glob("*.pub")):
        try:
            key = load_pem_public_key(file.read_bytes())
        except (ValueError, UnsupportedAlgorithm, OSError) as why:
            logging.getLogger(__name__).warning("%s is left out: %s", file, why)
            continue
        if isinstance(key, Ed25519PublicKey):
            yield file.name[:6], key


def new_typed_code() -> str:
    """A new 校验码: random, because numbers are consecutive and must prove nothing (AC7)."""
    return "".join(secrets.choice(SIGNS) for _ in range(TYPED_LENGTH))


def plain(typed: str) -> str:
    """A typed code or number in capitals, without dashes, blanks and full-width characters."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper()


def matches_typed_code(typed: str, stored: str) -> bool:
    """Whether `typed` is the stored 校验码, look-alikes (O, I, L) accepted; False when none is stored."""
    normalized = plain(typed).translate(LOOK_ALIKES)
    return len(stored) == TYPED_LENGTH and secrets.compare_digest(normalized.encode(), stored.encode())


def main(folder: str, text: str) -> int:
    """Verify `text` with the keys in `folder` and print its facts; the exit status: 0 when valid, else 1."""
    try:
        facts = read(text, public_keys_in(Path(folder)))
    except Forged:
        sys.stdout.write("二维码不完整，或不是签发机关签署的。请重新扫描；仍是如此的，请勿采信。\n")
        return 1
    lines = (facts.number, facts.holder, facts.title, facts.issued_on.isoformat())
    sys.stdout.write("二维码由签发机关签署。今天是否仍然有效，请联网查验。\n" + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else "python check_code.py KEYS_FOLDER TEXT")
