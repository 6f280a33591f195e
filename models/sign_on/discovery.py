"""The portal's metadata (endpoints; OpenID Connect Discovery 1.0) and its public keys, cached."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from models.sign_on import Portal
from models.sign_on.one_request import ask, away, is_allowed

REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LIFE = 3600.0  # seconds for which metadata and keys are cached
AGAIN = 60.0  # seconds between two reads of the keys because of an unknown key id


@dataclass
class Provider:
    """The portal as it was read at `read_at` (monotonic seconds); its keys at `keys_at`."""

    metadata: dict[str, Any]
    read_at: float
    keys: KeySet | None = None
    keys_at: float = field(default=-LIFE)

    def address(self, name: str) -> str | None:
        """The address of an endpoint, checked by is_allowed(); None: the portal has none."""
        found = self.metadata.get(name)
        return str(found) if found else None


KNOWN: dict[Portal, Provider] = {}
LOCK = Lock()


def provider_of(portal: Portal) -> Provider:
    """The portal's metadata, read at most once an hour; raises PortalAway."""
    with LOCK:
        found = KNOWN.get(portal)
    if found is None or monotonic() > found.read_at + LIFE:
        found = Provider(_metadata(portal), monotonic())
        with LOCK:
            KNOWN[portal] = found
    return found


def keys_of(portal: Portal, kid: str | None) -> KeySet:
    """Its public keys; read again for an unknown `kid`, at most once a minute. Raises PortalAway."""
    provider = provider_of(portal)
    age = monotonic() - provider.keys_at
    is_new = provider.keys is not None and kid not in {None, *(key.kid for key in provider.keys)}
    if provider.keys is None or age > LIFE or (is_new and age > AGAIN):
        provider.keys, provider.keys_at = _keys(portal, provider), monotonic()
    return provider.keys


def probe(portal: Portal) -> int:
    """Read the metadata again, and the keys unless cached; returns the number of keys. Raises PortalAway."""
    _metadata(portal)
    return len(keys_of(portal, None).keys)


def age_of_keys(portal: Portal) -> timedelta | None:
    """Time since this process has read the keys of the portal; None: not yet."""
    found = KNOWN.get(portal)
    return timedelta(seconds=monotonic() - found.keys_at) if found and found.keys else None


def _metadata(portal: Portal) -> dict[str, Any]:
    found = read_object(ask(portal, portal.issuer.rstrip("/") + "/.well-known/openid-configuration"))
    endpoints = [name for name in found if name.endswith("_endpoint") or name == "jwks_uri"]
    wrong = [name for name in endpoints if not is_allowed(found[name], portal.issuer)]
    if found.get("issuer") != portal.issuer or any(name not in found or name in wrong for name in REQUIRED):
        raise away()
    return {name: value for name, value in found.items() if name not in wrong}


def _keys(portal: Portal, provider: Provider) -> KeySet:
    content = read_object(ask(portal, provider.metadata["jwks_uri"]))
    try:
        return KeySet.import_key_set({"keys": [key for key in content["keys"] if key.get("kty") != "oct"]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise away() from wrong


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`; raises PortalAway for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as wrong:
        raise away() from wrong
    if not isinstance(found, dict):
        raise away()
    return found
