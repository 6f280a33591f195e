"""Cosignatures of witnesses: this checkpoint was consistent with all that they had seen (c2sp.org/tlog-cosignature).

A cosignature is one more line under the note, by Ed25519, with the time at which it was made.
"""

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import clock
from models.checkpoint.named_key import NamedKey, split_note

STAMP = 8  # bytes of the time: seconds since 1970, the highest first


class Cosigner(NamedKey):
    """A trusted witness."""

    KIND = b"\4"

    def signed_at(self, note: str) -> datetime | None:
        """When it has cosigned this note; None: it has not. Raises Unverified for a text that is no note."""
        text, lines = split_note(note)
        for signature in self.signatures(lines):
            seconds = int.from_bytes(signature[:STAMP])
            try:
                self.key.verify(signature[STAMP:], _message(text, seconds))
                return datetime.fromtimestamp(seconds, clock.SHANGHAI)
            except (InvalidSignature, ValueError, OverflowError, OSError):  # or a time outside the calendar
                continue
        return None


def cosign(text: str, name: str, key: Ed25519PrivateKey, moment: datetime) -> str:
    """The line that cosigns the signed text of a note."""
    seconds = int(moment.timestamp())
    signature = seconds.to_bytes(STAMP) + key.sign(_message(text, seconds))
    return Cosigner(name, key.public_key()).line(signature)


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
