"""Checkpoints as signed notes (c2sp.org/signed-note, tlog-checkpoint): size and hash of a list, signed by Ed25519.

filing.example.cn/trail
4711
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— filing.example.cn/trail 2k0JKrfsq…
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\1"  # type of the signature
TEXT = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", re.ASCII)
MOST_SIGNATURES = 16


class Unverified(ValueError):
    """The note is not signed by this key, or is not a checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """Number of entries of the list `origin`, and the root hash over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class Verifier:
    """A trusted signer of checkpoints: name (also the origin of the list) and public key."""

    name: str
    key: Ed25519PublicKey

    def __str__(self) -> str:
        """Its text form: `name+key id+base64 of type and key`."""
        key = base64.b64encode(ED25519 + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id().hex()}+{key}"

    @classmethod
    def of_text(cls, text: str) -> "Verifier":
        """The opposite of str(); raises Unverified."""
        name, _, rest = text.strip().partition("+")
        key_id, _, key = rest.partition("+")
        try:
            raw = base64.b64decode(key, validate=True)
            verifier = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as wrong:  # binascii.Error is a ValueError
            raise Unverified(str(wrong)) from None
        if raw[:1] != ED25519 or verifier.key_id().hex() != key_id:
            raise Unverified(text)
        return verifier

    def key_id(self) -> bytes:
        """Four bytes that identify the key among those of one name."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.key.public_bytes_raw()).digest()[:4]

    def read(self, note: str) -> Checkpoint:
        """The checkpoint in `note`; raises Unverified unless it is signed by this key. Other signatures are ignored."""
        text, blank, signatures = note.rpartition("\n\n")
        text += "\n"
        found = TEXT.fullmatch(text)
        if not blank or found is None or found[1] != self.name:
            raise Unverified(note)
        for line in signatures.splitlines()[:MOST_SIGNATURES]:
            if self._has_signed(text, line):
                return Checkpoint(found[1], int(found[2]), base64.b64decode(found[3]))
        raise Unverified(note)

    def _has_signed(self, text: str, line: str) -> bool:
        try:
            dash, name, signature = line.split(" ")
            raw = base64.b64decode(signature, validate=True)
            if (dash, name, raw[:4]) != ("—", self.name, self.key_id()):
                return False
            self.key.verify(raw[4:], text.encode())
        except (ValueError, binascii.Error, InvalidSignature):
            return False
        return True


def signed(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The note, signed under the name of its origin."""
    text, verifier = checkpoint.text(), Verifier(checkpoint.origin, key.public_key())
    signature = base64.b64encode(verifier.key_id() + key.sign(text.encode())).decode()
    return f"{text}\n— {checkpoint.origin} {signature}\n"
