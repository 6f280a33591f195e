"""Public keys with names, which sign lines of a note (c2sp.org/signed-note)."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MOST_SIGNATURES = 16  # lines of a note that are read


class Unverified(ValueError):
    """The note is not signed by this key, or is not a checkpoint."""


@dataclass(frozen=True)
class NamedKey:
    """A trusted Ed25519 key and the name under which it signs."""

    KIND: ClassVar[bytes]  # one byte: the type of its signatures

    name: str
    key: Ed25519PublicKey

    def __str__(self) -> str:
        """Its text form: `name+key id+base64 of kind and key`."""
        key = base64.b64encode(self.KIND + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id().hex()}+{key}"

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The opposite of str(); raises Unverified."""
        name, _, rest = text.strip().partition("+")
        key_id, _, key = rest.partition("+")
        try:
            raw = base64.b64decode(key, validate=True)
            found = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as wrong:  # binascii.Error is a ValueError
            raise Unverified(str(wrong)) from None
        if raw[:1] != cls.KIND or found.key_id().hex() != key_id:
            raise Unverified(text)
        return found

    def key_id(self) -> bytes:
        """Four bytes that identify the key among those of one name."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.KIND + self.key.public_bytes_raw()).digest()[:4]

    def line(self, signature: bytes) -> str:
        """The line of a note with this signature, without its end."""
        return f"— {self.name} {base64.b64encode(self.key_id() + signature).decode()}"

    def signatures(self, lines: str) -> list[bytes]:
        """The signatures in the lines of a note that claim to be of this key; nothing is verified here."""
        found = []
        for line in lines.splitlines()[:MOST_SIGNATURES]:
            dash, _, rest = line.partition(" ")
            name, _, signature = rest.partition(" ")
            try:
                raw = base64.b64decode(signature, validate=True)
            except ValueError:
                continue
            if (dash, name, raw[:4]) == ("—", self.name, self.key_id()):
                found.append(raw[4:])
        return found


def private_key(file: Path) -> Ed25519PrivateKey:
    """The key in a PEM file of `trail new-key`; raises OSError, and ValueError for anything else."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except TypeError as encrypted:
        raise ValueError(str(encrypted)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file} is not an Ed25519 key")
    return key


def split_note(note: str) -> tuple[str, str]:
    """(signed text, lines with signatures); raises Unverified for a text without an empty line."""
    text, blank, lines = note.rpartition("\n\n")
    if not blank:
        raise Unverified(note)
    return f"{text}\n", lines
