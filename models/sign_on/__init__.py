"""单点登录: OpenID Connect with the portal of 单一窗口. The protocol only; rows are in models/people/portal_*.py.

`client`, `tokens` and `discovery` import 10 MB of libraries: at the first sign-on, not at start.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from models import clock
from models.workflow import Refused

SKEW = 60  # seconds that the clocks of both sides may differ


class PortalAway(Refused):
    """The portal did not answer, or its answer is invalid. str() is a sentence; other ways to sign in still work."""


class NotVerified(Exception):
    """A code or token failed verification; args[0]: why, in English, for the log."""


@dataclass(frozen=True)
class Portal:
    """The portal (`issuer`) and our registration there. `ca`: PEM file of trusted roots; None: those of the system."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    ca: str | None = None
    scope: str = "openid profile"


@dataclass(frozen=True)
class Started:
    """Random values that bind the portal's answer to the browser that asked; kept in its cookie until the answer."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Who signed in at the portal. `session_id`: `sid`, if given; `claims`: all claims of the ID token."""

    subject: str
    session_id: str | None
    claims: Mapping[str, Any]

    def reached(self, levels: set[str]) -> bool:
        """Whether `acr`, or one of `amr`, is in `levels` (FILING_PORTAL_LEVELS)."""
        methods = self.claims.get("amr")
        levels_given = {self.claims.get("acr"), *(methods if isinstance(methods, list) else ())}
        return not levels.isdisjoint(each for each in levels_given if isinstance(each, str))

    @property
    def authenticated_at(self) -> datetime | None:
        """When the user authenticated at the portal (`auth_time`); None: missing, invalid or in the future."""
        asked = self.claims.get("auth_time")
        if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 <= asked <= now() + SKEW:
            return None
        return datetime.fromtimestamp(asked, clock.SHANGHAI)


@dataclass(frozen=True)
class SignedOn:
    """The tokens that the portal gave for a code, and the verified identity."""

    identity: Identity
    access_token: str
    id_token: str


def now() -> int:
    """Seconds since 1970, as in tokens."""
    return int(clock.now().timestamp())


@lru_cache(4)
def context_of(ca: str | None) -> ssl.SSLContext:
    """The TLS context for the roots in this PEM file (None: those of the system); verifies host names."""
    return ssl.create_default_context(cafile=ca)
