"""Signs the code of a QR picture; check_code.py verifies it, also on machines without this system."""

from typing import Protocol

from models.signing.check_code import Facts, PublicKey, base64url, key_id_of


class CodeKey(Protocol):
    """An Ed25519 signing key, from a file or inside a PKCS#11 token."""

    def sign(self, data: bytes, /) -> bytes: ...

    def public_key(self) -> PublicKey: ...


def signed(facts: Facts, key: CodeKey) -> str:
    """The signed code of these facts; deterministic (Ed25519)."""
    message = facts.message()
    return base64url(key_id_of(key.public_key()) + key.sign(message) + message)
