"""The steps of a sign-on: the authorization address, the exchange of the code for tokens, the sign-out address."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from models.sign_on import NotVerified, Portal, PortalAway, SignedOn, Started
from models.sign_on.discovery import provider_of, read_object
from models.sign_on.one_request import ask
from models.sign_on.tokens import WRONG, identity_of

BASIC, IN_BODY = "client_secret_basic", "client_secret_post"


class _Answer:
    """The answer of the token endpoint, in the form that authlib reads."""

    def __init__(self, content: bytes) -> None:
        self.content, self.status_code = content, 200

    def json(self) -> Any:
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        raise ValueError("no token")


class _Line:
    """HTTP session for authlib: one POST to the token endpoint, by ask(), which limits time and length."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def post(self, address: str, data: Mapping[str, str], headers: Any, auth: Any) -> _Answer:
        address, headers, body = auth.prepare("POST", address, dict(headers), urlencode(data))
        return _Answer(ask(self.portal, address, body, headers))


def _client(portal: Portal, metadata: Mapping[str, Any]) -> OAuth2Client:
    methods = metadata.get("token_endpoint_auth_methods_supported") or [BASIC]
    return OAuth2Client(
        _Line(portal),
        portal.client_id,
        portal.client_secret,
        token_endpoint_auth_method=IN_BODY if IN_BODY in methods and BASIC not in methods else BASIC,
        scope=portal.scope,
        redirect_uri=portal.redirect_uri,
        code_challenge_method="S256",
    )


def begin(portal: Portal, max_age: timedelta) -> tuple[str, Started]:
    """(authorization address, values for the cookie); raises PortalAway.

    `max_age`: a user who authenticated longer ago must do so again; with it, the portal must send `auth_time`
    (OpenID Connect Core 1.0, 3.1.2.1). Some portals read a zero as no limit, so that it is said by `prompt`, too.
    """
    metadata, started = provider_of(portal).metadata, Started(*(generate_token(48) for _each in range(3)))
    address, _state = _client(portal, metadata).create_authorization_url(
        metadata["authorization_endpoint"],
        started.state,
        started.verifier,
        nonce=started.nonce,
        max_age=int(max_age.total_seconds()),
        **({} if max_age else {"prompt": "login"}),
    )
    return address, started


def redeem(portal: Portal, code: str, started: Started) -> SignedOn:
    """Exchange the code for tokens and verify the ID token. Raises NotVerified, PortalAway."""
    metadata = provider_of(portal).metadata
    try:
        token = _client(portal, metadata).fetch_token(
            metadata["token_endpoint"], code=code, code_verifier=started.verifier, grant_type="authorization_code"
        )
    except (OAuth2Error, *WRONG) as wrong:
        raise NotVerified(f"code: {getattr(wrong, 'error', wrong)}") from wrong
    access, id_token = token.get("access_token"), token.get("id_token")
    if not isinstance(access, str) or not isinstance(id_token, str):
        raise NotVerified("no ID token")
    return SignedOn(identity_of(portal, id_token, started.nonce, access), access, id_token)


def claims_of(portal: Portal, signed_on: SignedOn) -> Mapping[str, Any]:
    """The claims of the ID token and of the userinfo endpoint; the latter only if it answers for the same subject."""
    identity = signed_on.identity
    address = provider_of(portal).address("userinfo_endpoint")
    if address is None:
        return identity.claims
    try:
        found = read_object(ask(portal, address, headers={"Authorization": f"Bearer {signed_on.access_token}"}))
    except PortalAway:
        return identity.claims
    return {**found, **identity.claims} if found.get("sub") == identity.subject else identity.claims


def sign_out_address(portal: Portal, id_token: str, back: str) -> str | None:
    """The address at which a browser signs out of the portal; None: it publishes none. Raises PortalAway.

    `back`: the address to which the portal then sends the browser.
    """
    address = provider_of(portal).address("end_session_endpoint")
    if address is None:
        return None
    asked = {"id_token_hint": id_token, "client_id": portal.client_id, "post_logout_redirect_uri": back}
    return add_params_to_uri(address, list(asked.items()))
