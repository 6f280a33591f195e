"""Keys that never leave their token: a card, a stick or a server that speaks PKCS#11.

`320000.token` (TOML) says where they are; the PIN is the passphrase of the keys:

    module = "/usr/lib/softhsm/libsofthsm2.so"   # what the maker of the token supplies
    token = "jiangsu"                            # its label
    certificate = "seal"                         # labels of what lies in it
    key = "seal"
    code_key = "code"                            # Ed25519, private and public half
    chain = ["ca"]                               # certificates between ours and the root, if any
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.signing.check_code import CodeKey

TURN = Lock()
if TYPE_CHECKING:
    from pyhanko.sign.signers import Signer as Hand


@dataclass(frozen=True)
class TokenKey:
    """An Ed25519 key of which we see the public half alone."""

    private: Any
    public: Ed25519PublicKey

    def sign(self, data: bytes, /) -> bytes:
        """Done in the token."""
        from pkcs11 import Mechanism

        return bytes(self.private.sign(data, mechanism=Mechanism.EDDSA))

    def public_key(self) -> Ed25519PublicKey:
        """The other half."""
        return self.public


def opened(descriptor: Path, pin: str | None) -> "tuple[Hand, CodeKey]":
    """What signs papers and messages, and what signs codes; raises ValueError when the token does not give them."""
    from pkcs11.exceptions import PKCS11Error
    from pyhanko.sign.pkcs11 import PKCS11Signer

    try:
        told = tomllib.loads(descriptor.read_text(encoding="utf-8"))
        session = _awake(told["module"], told["token"], pin)
        hand = PKCS11Signer(
            session, cert_label=told["certificate"], key_label=told["key"], other_certs_to_pull=told.get("chain", ())
        )
        # Fetched now, so that a wrong label is found out here; with EC, tokens are sure to sign a digest, not a text.
        hand.use_raw_mechanism = hand.signing_cert.public_key.algorithm == "ec"
        return hand, _code_key(session, told["code_key"])
    except (PKCS11Error, KeyError, RuntimeError) as why:
        raise ValueError(f"{type(why).__name__}: {why}") from None


def _code_key(session: Any, label: str) -> TokenKey:
    from pkcs11 import Attribute, ObjectClass

    point = session.get_key(ObjectClass.PUBLIC_KEY, label=label)[Attribute.EC_POINT]
    return TokenKey(
        session.get_key(ObjectClass.PRIVATE_KEY, label=label), Ed25519PublicKey.from_public_bytes(point[-32:])
    )


def _awake(module: str, token: str, pin: str | None) -> Any:
    """The session with this token, opened anew if the token was away; it stays open, for a token lets in once."""
    from pkcs11.exceptions import PKCS11Error

    with TURN:
        session = _session(module, token, pin)
        if isinstance(session, PKCS11Error):
            raise session
        try:
            session.generate_random(64)
        except PKCS11Error:
            _session.cache_clear()
            session = _session(module, token, pin)
        return session


@cache
def _session(module: str, token: str, pin: str | None) -> Any:
    """The session; or why the PIN is not taken, which is asked once: after a few wrong ones a token locks for good."""
    from pkcs11.exceptions import PinIncorrect, PinLocked
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import open_pkcs11_session

    try:
        return open_pkcs11_session(module, token_criteria=TokenCriteria(label=token), user_pin=pin)
    except (PinIncorrect, PinLocked) as wrong:
        return wrong
