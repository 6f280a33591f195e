"""A faulty OpenID provider: Authlib's server classes, and what no conforming provider sends (see `faults`)."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

EVENT = "http://schemas.openid.net/event/backchannel-logout"
CLIENT, SECRET = "filing", "what-the-portal-and-we-alone-know"
WANGMIN = {"sub": "sw-0001", "name": "王敏", "organization": "江苏文艺音像出版社", "credit_code": "12320000466000101W"}
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})


class Registered(ClientMixin):
    """This system, as the portal has registered it."""

    redirect_uris: list[str] = []

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(SimpleNamespace):
    """An authorization code that was issued."""

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class OnlyS256(CodeChallenge):
    """PKCE is required, with S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        assert grant.request.payload.data["code_challenge_method"] == "S256"
        super().validate_code_challenge(grant, redirect_uri)


class PortalServer:
    """`user`: the user signed in there; `faults`: claims of the next ID tokens that differ, None: missing.

    Two faults are no claims: `alg` (none, HS256), and `key` (signed by another key). `seen`: requests of each path.
    """

    def __init__(self) -> None:
        self.user: dict[str, Any] = dict(WANGMIN)
        self.faults: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.codes: dict[str, Code] = {}
        self.ended: list[str] = []
        self.token_answer: bytes | None = None  # in place of a real one
        self.sid, self.issuer, self.client = "portal-session-1", "", Registered()
        self.app = Flask("portal")
        self.app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 300}
        self.oauth = AuthorizationServer(
            self.app, lambda name: self.client if name == CLIENT else None, lambda _token, _request: None
        )
        self.oauth.register_grant(self._grant(), [OnlyS256(required=True), self._openid()])
        for path, view in (
            ("/.well-known/openid-configuration", self._discovery), ("/keys", self._keys), ("/end", self._end),
            ("/authorize", self._authorize), ("/userinfo", self._userinfo), ("/token", self._token),
        ):  # fmt: skip
            self.app.add_url_rule(path, view_func=view, endpoint=path, methods=["GET", "POST"])

    def _discovery(self) -> Response:
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "end"}
        endpoints: dict[str, Any] = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in names.items()}
        return jsonify({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **endpoints} | self.metadata)

    def _keys(self) -> Response:
        return jsonify(keys=[KEY.as_dict(private=False)])

    def _authorize(self) -> Any:
        """Redirects the signed-in user back with a code; refuses an unregistered client or redirect address."""
        if "click" not in request.args and "text/html" in request.headers.get("Accept", ""):  # a browser: a person
            page = '<title>portal</title><link rel="icon" href="data:,">'
            return f'{page}<a href="{request.full_path}&click=1">{self.user["name"]}</a>'
        try:
            grant = self.oauth.get_consent_grant(end_user=self.user)
        except OAuth2Error as wrong:
            return jsonify(error=wrong.error), 400
        return self.oauth.create_authorization_response(grant_user=self.user, grant=grant)

    def _token(self) -> Any:
        if self.token_answer is not None:
            return Response(self.token_answer, mimetype="application/json")
        return self.oauth.create_token_response()

    def _userinfo(self) -> Response:
        return jsonify({"sub": self.user["sub"], **self.user})

    def _end(self) -> Any:
        claims = jwt.decode(request.args["id_token_hint"], KEY, ["RS256"]).claims
        assert (claims["sub"], request.args["client_id"]) == (self.user["sub"], CLIENT)
        self.ended.append(claims["sub"])
        return redirect(request.args["post_logout_redirect_uri"])

    def _grant(self) -> type[AuthorizationCodeGrant]:
        portal = self

        class Grant(AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

            def save_authorization_code(self, code: str, request: Any) -> None:
                data, names = request.payload.data, ("nonce", "code_challenge", "code_challenge_method")
                values = {name: data.get(name) for name in names}
                portal.codes[code] = Code(code=code, redirect_uri=data["redirect_uri"], scope=data["scope"], **values)

            def query_authorization_code(self, code: str, client: Any) -> Code | None:
                return portal.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del portal.codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
                return portal.user

        return Grant

    def _openid(self) -> OpenIDCode:
        portal = self

        class OpenId(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def generate_user_info(self, user: Any, scope: str) -> UserInfo:
                return UserInfo(sub=user["sub"])

            def encode_id_token(self, token: Any, request: Any) -> str:
                return portal.signed(portal.claims(nonce=request.authorization_code.nonce))

        return OpenId(require_nonce=True)

    def claims(self, **more: Any) -> dict[str, Any]:
        """The claims of a token, with the chosen faults."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "sub": self.user["sub"]}
        claims |= (
            {"sid": self.sid, "auth_time": now}
            | more
            | {k: v for k, v in self.faults.items() if k not in ("alg", "key")}
        )
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        algorithm = self.faults.get("alg", "RS256")
        header = {"alg": algorithm, "kid": "one", "typ": typ}
        if algorithm == "RS256":
            return jwt.encode(header, claims, OTHER if self.faults.get("key") else KEY, [algorithm])
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        public = KEY.as_pem(private=False)  # the classic attack: HMAC with the public key as its secret
        return f"{signed}.{'' if algorithm == 'none' else _encoded(hmac.digest(public, signed.encode(), 'sha256'))}"

    def logout_token(self, **more: Any) -> str:
        claims = self.claims(jti=f"j{time.time_ns()}", events={EVENT: {}}) | more
        return self.signed({name: value for name, value in claims.items() if value is not None}, "logout+jwt")

    def approve(self, address: str) -> str:
        """The address to which the portal redirects a browser from `address`, with its user signed in."""
        try:
            build_opener(Stay).open(address)
        except HTTPError as answer:
            if answer.code == 302:
                return answer.headers["Location"]
            return json.dumps(answer.code)
        raise AssertionError("no redirect")

    def settings(self, **more: Any) -> dict[str, Any]:
        given = {"PORTAL_ISSUER": self.issuer, "PORTAL_CLIENT_ID": CLIENT, "PORTAL_CLIENT_SECRET": SECRET}
        return given | more


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        """Does not follow redirects."""


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no requests."""


@contextmanager
def in_thread(server: BaseWSGIServer) -> Iterator[None]:
    """Serve until the end of the block."""
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def portal_served() -> Iterator[PortalServer]:
    portal = PortalServer()
    server = make_server("127.0.0.1", 0, portal.app, threaded=True, request_handler=Quiet)
    portal.issuer = f"http://localhost:{server.port}"
    with in_thread(server):
        yield portal
