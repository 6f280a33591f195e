"""A security key in software, with settable flags, origin and counter; answers in the form a browser sends."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, CAN_SYNC, SYNCED, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


class Authenticator:
    """One credential: `create` enrols it, `get` signs in with it. `count`: of the next answer."""

    def __init__(self, origin: str, synced: bool = False) -> None:
        self.origin, self.count = origin, 0 if synced else 1
        self.flags = PRESENT | VERIFIED | (CAN_SYNC | SYNCED if synced else 0)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.handle, self.host = secrets.token_bytes(32), "", ""

    def create(self, options: dict[str, Any], **given: Any) -> str:
        """The answer to navigator.credentials.create."""
        self.host, self.handle = options["rp"]["id"], options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32) for number in (numbers.x, numbers.y))
        public = cbor2.dumps(given.get("public", {1: 2, 3: -7, -1: 1, -2: x, -3: y}))
        made = bytes(16) + len(self.id).to_bytes(2) + self.id + public
        data = self._data(given.get("flags", self.flags) | ATTESTED) + made
        client = self._client("webauthn.create", options["challenge"], given)
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=client, attestationObject=attested)

    def get(self, options: dict[str, Any], **given: Any) -> str:
        """The answer to navigator.credentials.get; `given`: flags, origin, challenge, handle to be wrong."""
        data = self._data(given.get("flags", self.flags))
        client = self._client("webauthn.get", options["challenge"], given)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        handle = base64url_to_bytes(given.get("handle", self.handle))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=handle)

    def _data(self, flags: int) -> bytes:
        self.count += bool(self.count)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: str, given: dict[str, Any]) -> bytes:
        client_data = {"type": kind, "challenge": given.get("challenge", challenge)}
        return json.dumps(client_data | {"origin": given.get("origin", self.origin), "crossOrigin": False}).encode()

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.id)
        parts = {part: bytes_to_base64url(content) for part, content in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": parts})
