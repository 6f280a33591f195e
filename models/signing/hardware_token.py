"""Keys inside a PKCS#11 token: a smart card, a USB token or an HSM. The private keys never leave it.

`320000.token` (TOML) names token and keys; the PIN is the passphrase of the keys (Keys.passphrase):

    module = "/usr/lib/softhsm/libsofthsm2.so"   # the PKCS#11 library of the token's vendor
    token = "jiangsu"                            # label of the token
    certificate = "seal"                         # labels of the objects in it
    key = "seal"
    code_key = "code"                            # Ed25519, private and public key
    chain = ["ca"]                               # intermediate certificates, if any
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.signing.signed_code import CodeKey

SESSION_LOCK = Lock()
SESSIONS: dict[tuple[str, str, str | None], Any] = {}  # by module, token, PIN: open, or the error of a wrong PIN
if TYPE_CHECKING:
    from pyhanko.sign.signers import Signer as PyHankoSigner


@dataclass(frozen=True)
class TokenKey:
    """An Ed25519 key in the token; `private` is a handle (pkcs11.PrivateKey)."""

    private: Any
    public: Ed25519PublicKey

    def sign(self, data: bytes, /) -> bytes:
        """Sign inside the token."""
        from pkcs11 import Mechanism

        return bytes(self.private.sign(data, mechanism=Mechanism.EDDSA))

    def public_key(self) -> Ed25519PublicKey:
        return self.public


def load(descriptor: Path, pin: str | None) -> "tuple[PyHankoSigner, CodeKey]":
    """(signer of papers and messages, key of codes) that the descriptor names.

    Raises ValueError when the token, the PIN or an object in it is missing or wrong.
    """
    from pkcs11.exceptions import PKCS11Error
    from pyhanko.sign.pkcs11 import PKCS11Signer

    try:
        names = tomllib.loads(descriptor.read_text(encoding="utf-8"))
        session = _working_session(names["module"], names["token"], pin)
        signer = PKCS11Signer(
            session, cert_label=names["certificate"], key_label=names["key"], other_certs_to_pull=names.get("chain", ())
        )
        # signing_cert is fetched here, so that a wrong label raises here. For EC the raw mechanism signs a digest that
        # is computed here: not every token can hash.
        signer.use_raw_mechanism = signer.signing_cert.public_key.algorithm == "ec"
        return signer, _code_key(session, names["code_key"])
    except (PKCS11Error, KeyError, RuntimeError) as why:
        raise ValueError(f"{type(why).__name__}: {why}") from None


def _code_key(session: Any, label: str) -> TokenKey:
    from pkcs11 import Attribute, ObjectClass

    point = session.get_key(ObjectClass.PUBLIC_KEY, label=label)[Attribute.EC_POINT]
    return TokenKey(
        session.get_key(ObjectClass.PRIVATE_KEY, label=label), Ed25519PublicKey.from_public_bytes(point[-32:])
    )


def _working_session(module: str, token: str, pin: str | None) -> Any:
    """The open session with this token, opened again if it has ended (token removed); raises PKCS11Error.

    It stays open for the life of the process: a token accepts one login.
    """
    from pkcs11.exceptions import PKCS11Error

    key = (module, token, pin)
    with SESSION_LOCK:
        session = SESSIONS.get(key)
        if session and not isinstance(session, PKCS11Error):
            try:
                session.generate_random(64)
            except PKCS11Error:
                session = None
        session = SESSIONS[key] = session or _new_session(module, token, pin)
        if isinstance(session, PKCS11Error):
            raise session
        return session


def _new_session(module: str, token: str, pin: str | None) -> Any:
    """A session; or the PIN error, so that it is remembered: after a few wrong PINs a token locks for good."""
    from pkcs11.exceptions import PinIncorrect, PinLocked
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import open_pkcs11_session

    try:
        return open_pkcs11_session(module, token_criteria=TokenCriteria(label=token), user_pin=pin)
    except (PinIncorrect, PinLocked) as wrong:
        return wrong
