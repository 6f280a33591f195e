"""Verification of the portal's tokens: ID token (who signed in) and logout token (who signed out)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry

from models.sign_on import SKEW, Identity, NotVerified, Portal, now
from models.sign_on.discovery import keys_of

# Only signatures by a public key: "none", and HMAC keyed with a public key, are refused (RFC 8725, 3.1).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
OLDEST = 600  # seconds since a token was issued, after which it is refused
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 255  # characters of a subject (OpenID Connect Core 1.0, 2)
WRONG = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


def identity_of(portal: Portal, id_token: str, nonce: str, access_token: str) -> Identity:
    """Verify an ID token: signature, issuer, audience, times, nonce. Raises NotVerified, PortalAway."""
    header, claims = _decoded(portal, id_token, {None, "JWT"})
    options: Any = {
        "iss": {"essential": True, "value": portal.issuer},
        "aud": {"essential": True, "value": portal.client_id},
    }
    given = {"nonce": nonce, "client_id": portal.client_id, "access_token": access_token}
    try:
        CodeIDToken(claims, header, options, given).validate(now(), SKEW)
    except WRONG as wrong:
        raise NotVerified(f"ID token: {wrong}") from wrong
    _assert_recent(claims)
    return Identity(_subject(claims), _session_id(claims), claims)


@dataclass(frozen=True)
class LoggedOut:
    """A logout: of one session at the portal, or of all of a subject. `token_id` (jti): accepted once."""

    subject: str | None
    session_id: str | None
    token_id: str


def logged_out(portal: Portal, logout_token: str) -> LoggedOut:
    """Verify a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6). Raises NotVerified, PortalAway."""
    _header, claims = _decoded(portal, logout_token, {None, "JWT", "logout+jwt"})
    registry = JWTClaimsRegistry(
        now(),
        SKEW,
        iss={"essential": True, "value": portal.issuer},
        aud={"essential": True, "value": portal.client_id},
        iat={"essential": True},
        jti={"essential": True},
        events={"essential": True},
    )
    try:
        registry.validate(claims)
        is_logout = isinstance(claims["events"], dict) and isinstance(claims["events"].get(EVENT), dict)
    except WRONG as wrong:
        raise NotVerified(f"logout token: {wrong}") from wrong
    if not is_logout or "nonce" in claims:  # an ID token must not be accepted
        raise NotVerified("logout token: not one")
    _assert_recent(claims)
    subject = _subject(claims) if "sub" in claims else None
    if subject is None and _session_id(claims) is None:
        raise NotVerified("logout token: of nobody")
    return LoggedOut(subject, _session_id(claims), str(claims["jti"]))


def _decoded(portal: Portal, token: str, types: set[str | None]) -> tuple[Any, dict[str, Any]]:
    """(header, claims) of a token, its signature verified. Raises NotVerified, PortalAway."""
    try:
        header = extract_compact(token.encode()).headers()
        if header.get("alg") not in ALGORITHMS or header.get("typ") not in types:
            raise NotVerified(f"signed with {str(header.get('alg'))[:20]}, typ {str(header.get('typ'))[:20]}")
        kid = header.get("kid")
        found = jwt.decode(token, keys_of(portal, kid if isinstance(kid, str) else None), ALGORITHMS)
    except WRONG as wrong:
        raise NotVerified(f"signature: {wrong}") from wrong
    return found.header, found.claims


def _assert_recent(claims: Mapping[str, Any]) -> None:
    if not -SKEW <= now() - claims["iat"] <= OLDEST + SKEW:
        raise NotVerified("issued too long ago, or in the future")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject.isascii() or not subject.isprintable():
        raise NotVerified("no subject")
    if not 1 <= len(subject) <= LONGEST:
        raise NotVerified("the subject is too long")
    return subject


def _session_id(claims: Mapping[str, Any]) -> str | None:
    session_id = claims.get("sid")
    return session_id if isinstance(session_id, str) and session_id else None
