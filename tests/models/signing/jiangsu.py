"""The authority of 江苏 and its keys."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from models.signing.keys import Keys
from models.workflow import Refused

JIANGSU = "江苏省新闻出版局"


def public(key: Any) -> bytes:
    """The public key as a PEM file of the folder."""
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def private(key: Any) -> bytes:
    """The private key as a PEM file of the folder, without a passphrase."""
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def refusal(keys: Keys, province: str = "320000") -> str:
    """The sentence with which signing for this province is refused."""
    with pytest.raises(Refused) as refused:
        keys.signer(province)
    return str(refused.value)
