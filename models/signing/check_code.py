"""The code in a certificate's QR picture: what it says, short and signed, to be proved without the register.

A code is base64url of: algorithm (1 byte) · key (4 bytes of its SHA-256) · signature (64) · SHA-256 of the snapshot
(32) · text. The text is UTF-8, a line each: number, date of issue, holder, title. The signature covers digest and text.

This file, the public keys and the package `cryptography` are all that a verifier needs:
`python check_code.py KEYS_FOLDER TEXT` tells true from forged on any machine.
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

ALGORITHMS = {1: Ed25519PublicKey}  # by the first byte; SM2 would be another byte, and another kind of key
KEY, SIGNATURE, DIGEST = 4, 64, 32  # bytes
LONGEST = 60  # characters of holder and of title: a picture denser than that is read by no telephone off paper
CODE = re.compile(r"(?:.*[?&]c=)?([A-Za-z0-9_-]{150,2000})")
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another
LOOK_ALIKES = str.maketrans("OIL", "011")
TYPED = 12  # signs of the short code, 60 bits


class Forged(ValueError):
    """Not a code, or none that a province signed."""


class PublicKey(Protocol):
    """What proves codes; `verify` raises InvalidSignature."""

    def verify(self, signature: bytes, data: bytes, /) -> None: ...

    def public_bytes_raw(self) -> bytes: ...


class CodeKey(Protocol):
    """What signs codes: a key in a file, or one that never leaves its token."""

    def sign(self, data: bytes, /) -> bytes: ...

    def public_key(self) -> PublicKey: ...


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


def _name(key: PublicKey) -> bytes:
    """Algorithm and key, as they stand at the head of a code."""
    algorithm = next(byte for byte, kind in ALGORITHMS.items() if isinstance(key, kind))
    return bytes([algorithm]) + hashlib.sha256(key.public_bytes_raw()).digest()[:KEY]


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(facts: Facts, key: CodeKey) -> str:
    """The code; the same facts and key make the same code."""
    message = facts.message()
    return _spelled(_name(key.public_key()) + key.sign(message) + message)


def read(text: str, keys: Iterable[tuple[str, PublicKey]]) -> Facts:
    """What a code, or an address that ends in one, says; raises Forged unless the number's own province signed it."""
    found = CODE.fullmatch(text.strip())
    try:
        raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)) if found else b""
        if not found or _spelled(raw) != found[1]:  # the last sign has bits to spare: one code, one spelling
            raise ValueError(text)
        name, rest = raw[: 1 + KEY], raw[1 + KEY :]
        signature, message = rest[:SIGNATURE], rest[SIGNATURE:]
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


def laid_out(folder: Path) -> Iterator[tuple[str, PublicKey]]:
    """Every public key (`320000.pub`, `320000-2025.pub`) and its province; a broken one stops no other."""
    for file in sorted(folder.glob("*.pub")):
        try:
            key = load_pem_public_key(file.read_bytes())
        except (ValueError, UnsupportedAlgorithm, OSError) as why:
            logging.getLogger(__name__).warning("%s is left out: %s", file, why)
            continue
        if isinstance(key, Ed25519PublicKey):
            yield file.name[:6], key


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


def main(folder: str, text: str) -> int:
    """Say what a code says; 0 when a province of the keys in the folder signed it."""
    try:
        facts = read(text, laid_out(Path(folder)))
    except Forged:
        sys.stdout.write("二维码不完整，或不是签发机关签署的。请重新扫描；仍是如此的，请勿采信。\n")
        return 1
    told = (facts.number, facts.holder, facts.title, facts.issued_on.isoformat())
    sys.stdout.write("二维码由签发机关签署。今天是否仍然有效，请联网查验。\n" + "\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else "python check_code.py KEYS_FOLDER TEXT")
