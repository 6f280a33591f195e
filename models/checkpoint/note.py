"""Checkpoints as signed notes (c2sp.org/signed-note, tlog-checkpoint): size and hash of a list, signed by Ed25519.

filing.example.cn/trail
4711
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— filing.example.cn/trail 2k0JKrfsq…
"""

import base64
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.checkpoint.named_key import NamedKey, Unverified, split_note

__all__ = ["Checkpoint", "Unverified", "Verifier", "read_text", "signed"]

TEXT = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """Number of entries of the list `origin`, and the root hash over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_text(note: str) -> Checkpoint:
    """The checkpoint in `note`; verifies no signature. Raises Unverified for another text."""
    text, _lines = split_note(note)
    found = TEXT.fullmatch(text)
    if found is None:
        raise Unverified(note)
    return Checkpoint(found[1], int(found[2]), base64.b64decode(found[3]))


class Verifier(NamedKey):
    """A trusted signer of checkpoints: name (also the origin of the list) and public key."""

    KIND = b"\1"

    def read(self, note: str) -> Checkpoint:
        """The checkpoint in `note`; raises Unverified unless it is signed by this key. Other signatures are ignored."""
        checkpoint = read_text(note)
        if checkpoint.origin == self.name and self.own_lines(note):
            return checkpoint
        raise Unverified(note)

    def own_lines(self, note: str) -> list[str]:
        """The lines of `note` with a valid signature of this key, each once."""
        text, lines = split_note(note)
        valid = (self.line(each) for each in self.signatures(lines) if self._is_valid(text, each))
        return list(dict.fromkeys(valid))

    def _is_valid(self, text: str, signature: bytes) -> bool:
        try:
            self.key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def signed(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The note, signed under the name of its origin."""
    text = checkpoint.text()
    return f"{text}\n{Verifier(checkpoint.origin, key.public_key()).line(key.sign(text.encode()))}\n"
