"""Verifies, without the register, the code in a certificate's QR picture and the list of revoked certificates.

A code is base64url of: algorithm (1 byte) · key (4 bytes of its SHA-256) · signature (64) · SHA-256 of the snapshot
(32) · text. The text is UTF-8, one line each: number, date of issue, holder, title; since the second version also kind
of document, date of signing, last day of validity (may be empty). Further lines are ignored: later versions add theirs
at the end. The signature covers digest and text.

A list (名单) is a JWS (RFC 7515, EdDSA) over a credential in the form of W3C Bitstring Status List 1.0, for one
province and year, signed by the key of the codes; the index of a certificate is its serial number.

`python check_code.py KEYS_FOLDER TEXT [LIST]` verifies on any machine, with this file, the public keys and the package
`cryptography`; LIST is a file, or a folder of lists.
"""

import base64
import hashlib
import json
import logging
import re
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ALGORITHMS = {1: Ed25519PublicKey}  # first byte → kind of key; SM2 would get its own byte and kind of key
RESERVED = range(2, 16)  # first bytes of future algorithms: such codes may be genuine, but cannot be verified
KEY, SIGNATURE, DIGEST = 4, 64, 32  # bytes
LONGEST = 60  # characters of holder and of title: telephones cannot read a denser picture from paper
KIND = "Z"  # customs' code of this document
CODE = re.compile(r"(?:.*[?&]c=)?([A-Za-z0-9_-]{150,2000})")
MOST = 250_000  # bytes of a list; a year has a million numbers at most
BEIJING = timezone(timedelta(hours=8))
SKEW = timedelta(hours=1)  # clocks differ


class Forged(ValueError):
    """Not a code or list, or not signed by its province."""


class Newer(Forged):
    """Of an unknown algorithm: only a newer version can tell whether it is genuine."""


class PublicKey(Protocol):
    def verify(self, signature: bytes, data: bytes, /) -> None: ...

    def public_bytes_raw(self) -> bytes: ...


@dataclass(frozen=True)
class Facts:
    """The content of a code; holder and title may be shortened, `digest` (hex) is the SHA-256 of the snapshot."""

    number: str
    issued_on: date
    holder: str
    title: str
    digest: str
    kind: str = ""  # of document; codes of the first version lack this and the following fields
    signed_on: date | None = None
    valid_until: date | None = None

    def message(self) -> bytes:
        """The signed bytes: digest and text."""
        lines = [self.number, self.issued_on.isoformat(), _short(self.holder), _short(self.title)]
        if self.signed_on:
            lines += [self.kind, self.signed_on.isoformat(), self.valid_until.isoformat() if self.valid_until else ""]
        return bytes.fromhex(self.digest) + "\n".join(lines).encode()


@dataclass(frozen=True)
class StatusList:
    """Which certificates of a province (six digits) and year were revoked when it was made; it proves nothing
    after `expires_at`. `bits`: the first bit is the highest of the first byte."""

    province: str
    year: int
    made_at: datetime
    expires_at: datetime
    bits: bytes

    def is_about(self, number: str) -> bool:
        return number[1:7] == f"{self.province[:2]}{self.year}" and int(number[7:13]) < 8 * len(self.bits)

    def is_void(self, number: str) -> bool:
        byte, bit = divmod(int(number[7:13]), 8)
        return bool(self.bits[byte] >> (7 - bit) & 1)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def key_id_of(key: PublicKey) -> bytes:
    """The first bytes of a code: algorithm and key."""
    algorithm = next(byte for byte, kind in ALGORITHMS.items() if isinstance(key, kind))
    return bytes([algorithm]) + hashlib.sha256(key.public_bytes_raw()).digest()[:KEY]


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(text: str, keys: Iterable[tuple[str, PublicKey]]) -> Facts:
    """The facts in `text`, a code or an address that ends in one; `keys` are (province, key).

    Raises Forged unless the number's own province signed it; Newer when only a newer version could tell.
    """
    found = CODE.fullmatch(text.strip())
    try:
        raw = _from_base64url(found[1]) if found else b""
        if not found or base64url(raw) != found[1]:  # the last character has unused bits: accept one spelling only
            raise ValueError(text)
        if raw[0] in RESERVED:
            raise Newer(raw[0])
        key_id, rest = raw[: 1 + KEY], raw[1 + KEY :]
        signature, message = rest[:SIGNATURE], rest[SIGNATURE:]
        number, day, holder, title, *later = message[DIGEST:].decode().split("\n")
        kind, *days = later or [""]
        signed_on, valid_until = (date.fromisoformat(text) if text else None for text in (*days, "", "")[:2])
        printed = (number, date.fromisoformat(day), holder, title)
        facts = Facts(*printed, message[:DIGEST].hex(), kind, signed_on, valid_until)
    except ValueError as wrong:
        raise wrong if isinstance(wrong, Newer) else Forged("not a code") from None
    for province, key in keys:
        if province[:2] == number[1:3] and key_id_of(key) == key_id and _is_signed(key, signature, message):
            return facts
    raise Forged("not signed by the province of the number")


def read_list(text: str, keys: Iterable[tuple[str, PublicKey]]) -> StatusList:
    """The list in the text of a file; raises Forged unless its own province signed it, Newer as read()."""
    try:
        head, body, signature = text.strip().split(".")
        claims = json.loads(_from_base64url(body))
        subject = claims["credentialSubject"]
        made, until = (datetime.fromisoformat(claims[name]) for name in ("validFrom", "validUntil"))
        bits = zlib.decompressobj(31).decompress(_from_base64url(subject["encodedList"][1:]), MOST)
        found = StatusList(str(subject["province"]), int(subject["year"]), made, until, bits)
        proof, algorithm = _from_base64url(signature), json.loads(_from_base64url(head))["alg"]
        if algorithm != "EdDSA":
            raise Newer(algorithm)
        if None in (made.tzinfo, until.tzinfo):
            raise ValueError(head)
    except (ValueError, KeyError, TypeError, zlib.error, RecursionError) as wrong:
        raise wrong if isinstance(wrong, Newer) else Forged("not a list") from None
    for province, key in keys:
        if province == found.province and _is_signed(key, proof, f"{head}.{body}".encode()):
            return found
    raise Forged("not signed by its province")


def _is_signed(key: PublicKey, signature: bytes, data: bytes) -> bool:
    with suppress(InvalidSignature):
        key.verify(signature, data)
        return True
    return False


def standing(facts: Facts, status_list: StatusList, now: datetime) -> str:
    """What a list proves about a genuine code: `valid`, `void` (revoked for good), `expired`.

    Or why it proves nothing: `foreign` (of another province or year), `stale` (too old), `future` (a clock is wrong).
    """
    if not status_list.is_about(facts.number):
        return "foreign"
    if status_list.is_void(facts.number):
        return "void"
    if status_list.made_at > now + SKEW:
        return "future"
    if status_list.expires_at < now:
        return "stale"
    return "expired" if facts.valid_until and facts.valid_until < now.astimezone(BEIJING).date() else "valid"


def list_in(place: Path, number: str) -> Path:
    """The file of the list about this number in a folder; a file is returned as it is."""
    return place / f"{number[1:3]}0000-{number[3:7]}.jwt" if place.is_dir() else place


def public_keys_in(file: Path) -> list[tuple[str, PublicKey]]:
    """[(province, key)] of `320000.pub`, `320000-2025.pub` …; empty, and logged, without such a key. Raises OSError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as why:
        logging.getLogger(__name__).warning("%s is left out: %s", file, why)
        return []
    return [(file.name[:6], key)] if isinstance(key, Ed25519PublicKey) else []


SENTENCES = {
    "newer": "本程序版本较旧，不能查验。请换用随新版系统发布的 check_code.py，或联网查验；查验之前请勿采信。",
    "unlisted": "二维码由签发机关签署。今天是否仍然有效，请联网查验。",
    "valid": "二维码由签发机关签署，按名单没有作废。",
    "void": "二维码由签发机关签署，但证明已经作废，不能再用于办理进口手续。",
    "expired": "二维码由签发机关签署，按名单没有作废，但有效期已经届满。",
    "foreign": "二维码由签发机关签署；名单不是这份证明所属省份和年度的，请换用，或联网查验。",
    "stale": "二维码由签发机关签署；名单已经过期，是否作废不能据以判断，请换用新的名单，或联网查验。",
    "future": "二维码由签发机关签署；名单的制作时间晚于本机时间，请校准时钟后再试，或联网查验。",
}


def main(folder: str, text: str, place: str = "") -> int:
    """Verify `text` and print the result; exit code 0: genuine and not revoked, 1: otherwise, 2: unknown algorithm."""
    keys = [key for file in sorted(Path(folder).glob("*.pub")) for key in public_keys_in(file)]
    try:
        facts = read(text, keys)
    except Newer:
        sys.stdout.write(SENTENCES["newer"] + "\n")
        return 2
    except Forged:
        sys.stdout.write("二维码不完整，或不是签发机关签署的。请重新扫描；仍是如此的，请勿采信。\n")
        return 1
    word, lines = _by_list(facts, keys, Path(place)) if place else ("valid", [SENTENCES["unlisted"]])
    lines += [facts.number, facts.holder, facts.title, facts.issued_on.isoformat()]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(word != "valid")


def _by_list(facts: Facts, keys: list[tuple[str, PublicKey]], place: Path) -> tuple[str, list[str]]:
    """(standing, sentences)."""
    try:
        found = read_list(list_in(place, facts.number).read_text(encoding="ascii"), keys)
    except Newer:
        return "newer", [f"二维码由签发机关签署。名单：{SENTENCES['newer']}"]
    except (Forged, OSError, UnicodeDecodeError):
        return "forged", ["二维码由签发机关签署；没有可用的名单，或名单不是签发机关签署的，请换用，或联网查验。"]
    now = datetime.now(BEIJING)
    word, days = standing(facts, found, now), (now - found.made_at).days
    return word, [SENTENCES[word], f"名单制作于 {found.made_at:%Y-%m-%d %H:%M}，距今 {days} 天。"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) in (3, 4) else "python check_code.py KEYS_FOLDER TEXT [LIST]")
