"""An OpenID provider that shares no code with our client: idpyoidc (Roland Hedberg), over HTTPS.

Its user signs in with a password and stays signed in by a cookie; a sign-out there reaches us by the back channel.
This module carries HTTP to idpyoidc and back, which alone decides what a request means.
"""

import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, ProxyHandler, build_opener

from flask import Flask, Response, jsonify, redirect, request
from idpyoidc.message.oauth2 import ResponseMessage
from idpyoidc.message.oidc import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.exception import FailedAuthentication
from idpyoidc.server.user_authn.user import UserPass, create_signed_jwt
from werkzeug.serving import make_server

from tests import free_port
from tests.portal import CLIENT, SECRET, WANGMIN, Quiet, Stay, in_thread
from tests.views.mail_server import certified

PASSWORD = "portal-Pass-2026"
CLAIMS = {name: value for name, value in WANGMIN.items() if name != "sub"}
HEAD = '<title>portal</title><link rel="icon" href="data:,"><form method="post" '
SIGN_IN = f"""{HEAD} action="/sign-in"><input name="username" aria-label="user">
<input name="password" type="password" aria-label="password"><input type="hidden" name="token" value="%s">
<button>sign in</button></form>"""
LEAVE = f"{HEAD}><button>sign out</button></form>"


class Password(UserPass):
    """Shows a page that asks for user name and password."""

    def __call__(self, **given: Any) -> str:
        keys = self.upstream_get("attribute", "keyjar")
        return SIGN_IN % create_signed_jwt(self.upstream_get("context").issuer, keys, **given)


def configured(issuer: str) -> dict[str, Any]:
    """The configuration of idpyoidc: code flow, PKCE required, both sign-outs; no key is written to a file."""
    end = {
        "logout_verify_url": f"{issuer}/leave", "post_logout_uri_path": "left", "signing_alg": "RS256",
        "backchannel_logout_supported": True,
    }  # fmt: skip
    endpoints: dict[str, tuple[str, str, dict[str, Any]]] = {
        "provider_config": (".well-known/openid-configuration", "provider_config.ProviderConfiguration", {}),
        "authorization": ("authorize", "authorization.Authorization", {}),
        "token": ("token", "token.Token", {"client_authn_method": ["client_secret_basic"]}),
        "userinfo": ("userinfo", "userinfo.UserInfo", {"client_authn_method": ["bearer_header"]}),
        "session": ("end", "session.Session", end),
    }
    minting = {"authorization_code": {"supports_minting": ["access_token", "id_token"], "max_usage": 1}}
    people = {"class": dict, "kwargs": {WANGMIN["sub"]: PASSWORD}}
    secrets = [{"type": "OCT", "bytes": 32, "use": [use], "kid": use} for use in ("enc", "sig")]
    signing = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]
    of_codes = [{"type": "oct", "bytes": 24, "use": ["enc"], "kid": "code"}]
    return {
        "issuer": issuer,
        "httpc_params": {"timeout": 10},
        "key_conf": {"key_defs": signing, "uri_path": "keys"},
        "cookie_handler": _service("cookie_handler.CookieHandler", keys={"key_defs": secrets}),
        "token_handler_args": {
            "jwks_def": {"private_path": "", "key_defs": of_codes},
            "code": {"kwargs": {"lifetime": 600}},
            "token": _service("token.jwt_token.JWTToken", lifetime=600),
            "id_token": _service("token.id_token.IDToken"),
        },
        "endpoint": {n: {"path": path} | _service(f"oidc.{of}", **more) for n, (path, of, more) in endpoints.items()},
        "authz": _service("authz.AuthzHandling", grant_config={"usage_rules": minting | {"access_token": {}}}),
        "authentication": {"user": {"acr": "password", "class": Password, "kwargs": {"db_conf": people}}},
        "userinfo": _service("user_info.UserInfo", db={WANGMIN["sub"]: CLAIMS}),
        "session_params": {"sub_func": {"public": {"function": lambda user, **_given: user}}},
        "scopes_to_claims": {"openid": ["sub"], "profile": list(CLAIMS)},
        "add_ons": {
            "pkce": {"function": "idpyoidc.server.oauth2.add_on.pkce.add_support", "kwargs": {"essential": True}}
        },
    }  # fmt: skip


class IndependentPortal:
    """idpyoidc with one user, who comes with `visitor`. `ended`: the subjects that have signed out."""

    def __init__(self, issuer: str, certificate: Path | None) -> None:
        self.issuer, self.certificate, self.user = issuer, certificate, WANGMIN
        self.ended, self.visitor = list[str](), Visitor(self)
        self.server = Server(configured(issuer))
        self.app = Flask("independent portal")
        for name, endpoint in self.server.endpoint.items():
            self._add(endpoint.endpoint_path, partial(self._answer, name))
        for path, view in (("keys", self._keys), ("sign-in", self._sign_in), ("leave", self._leave)):
            self._add(path, view)

    def _add(self, path: str, view: Callable[[], Any]) -> None:
        self.app.add_url_rule(f"/{path}", path, view, methods=["GET", "POST"])

    def register(self, address: str, back_channel: str) -> None:
        """Register our application: its address, and that at which we report sign-outs to it."""
        self.server.context.cdb[CLIENT] = {
            "client_id": CLIENT, "client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic",
            "client_salt": "salted", "response_types_supported": ["code"], "allowed_scopes": ["openid", "profile"],
            "redirect_uris": [(f"{address}/login/portal/return", {})],
            "post_logout_redirect_uri": [(f"{address}/login", {})],
            "backchannel_logout_uri": f"{back_channel}/login/portal/logout",
            "end_session_endpoint_client_authn_method": [],  # idpyoidc 5.0 fails on a client_id there without it
        }  # fmt: skip

    def settings(self, **more: Any) -> dict[str, Any]:
        given = {"PORTAL_ISSUER": self.issuer, "PORTAL_CLIENT_ID": CLIENT, "PORTAL_CLIENT_SECRET": SECRET}
        return given | {"PORTAL_CA": str(self.certificate) if self.certificate else None} | more

    def approve(self, address: str) -> str:
        """The address to which we redirect `visitor` from `address`; a status, if we do not."""
        return self.visitor.come(address)

    def make_older(self, seconds: int) -> None:
        """Let the user's sign-ins have been so much earlier."""
        manager = self.server.context.session_manager
        for event in manager.get_authentication_events(user_id=self.user["sub"], client_id=CLIENT):
            event["authn_time"] -= seconds

    def _answer(self, name: str) -> Any:
        """What idpyoidc answers at one of its endpoints."""
        endpoint, headers = self.server.get_endpoint(name), {n.lower(): value for n, value in request.headers.items()}
        given = {"headers": headers, "method": request.method, "url": request.url, "cookie": _cookies()}
        asked = endpoint.parse_request(request.values.to_dict(), http_info=given)
        if isinstance(asked, ResponseMessage) and "error" in asked:
            return jsonify(asked.to_dict()), 400
        return self._answered(endpoint, endpoint.process_request(asked, http_info=given), asked)

    def _answered(self, endpoint: Any, found: Any, asked: Any) -> Any:
        if "http_response" in found:
            return found["http_response"]
        if "redirect_location" in found:
            return redirect(found["redirect_location"])
        if "error" in found and endpoint.response_placement == "body":
            return jsonify(dict(found)), 400
        answer = endpoint.do_response(request=asked, **found)
        if endpoint.response_placement == "url":
            return _with_cookies(redirect(answer["response"]), answer.get("cookie", ()))
        return Response(answer["response"], headers=answer["http_headers"])

    def _keys(self) -> Response:
        return jsonify(self.server.keyjar.export_jwks())

    def _sign_in(self) -> Any:
        """Check the form of SIGN_IN, and continue the authorization from which it came."""
        endpoint, way = self.server.get_endpoint("authorization"), self.server.context.authn_broker.db["user"]["method"]
        try:
            user = way.verify(username=request.form["username"], password=request.form["password"])
        except FailedAuthentication:
            return "wrong password", 403
        given = way.unpack_token(request.form["token"])
        asked = AuthorizationRequest().from_urlencoded(given["query"])
        session_id = endpoint.create_session(asked, user, given["authn_class_ref"], 0, way)
        return self._answered(endpoint, endpoint.authz_part2(request=asked, session_id=session_id), asked)

    def _leave(self) -> Any:
        """Ask whether to sign out; then sign out here, and report it to the client of this session.

        `sjwt`: what end_session_endpoint has signed; without it the user has come to this page by themselves.
        """
        if request.method == "GET":
            return LEAVE
        endpoint, context = self.server.get_endpoint("session"), self.server.context
        if "sjwt" in request.args:
            leaving = endpoint.unpack_signed_jwt(request.args["sjwt"])
        else:
            (cookie,) = context.cookie_handler.parse_cookie(context.cookie_handler.name["session"], _cookies())
            leaving = json.loads(cookie["value"]) | {"redirect_uri": f"{self.issuer}/left"}
        self.ended.append(context.session_manager.get_session_info(leaving["sid"])["user_id"])
        endpoint.do_verified_logout(leaving["sid"])
        return _with_cookies(redirect(leaving["redirect_uri"]), endpoint.kill_cookies())


def _cookies() -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in request.cookies.items()]


def _with_cookies(answer: Any, cookies: Any) -> Any:
    for cookie in cookies:
        gone = {"expires": 0} if "expires" in cookie else {}
        answer.set_cookie(cookie["name"], cookie["value"], secure=request.is_secure, httponly=True, **gone)
    return answer


class Visitor:
    """A browser at the portal, with cookies of its own. Each method: the address to which it is sent back."""

    def __init__(self, portal: IndependentPortal) -> None:
        trusted = HTTPSHandler(context=ssl.create_default_context(cafile=portal.certificate))
        self.opener, self.portal = build_opener(ProxyHandler({}), trusted, HTTPCookieProcessor(), Stay), portal

    def come(self, address: str, password: str | None = PASSWORD) -> str:
        """Open `address`, and enter the password if asked for it (None: must not be asked)."""
        status, back = self._open(address)
        if status == 200 and password:
            (token,) = re.findall(r'name="token" value="([^"]+)"', back)
            form = {"username": self.portal.user["sub"], "password": password, "token": token}
            status, back = self._open(f"{self.portal.issuer}/sign-in", form)
        return back if status == 302 else str(status)

    def leave(self, address: str | None = None) -> str:
        """Sign out: from `address`, which leads to the page that asks, or from that page (None)."""
        page = self._open(address)[1] if address else f"{self.portal.issuer}/leave"
        status, back = self._open(page, {"yes": "1"})
        return back if status == 302 else str(status)

    def _open(self, address: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """(status, address of a redirect or the page)."""
        try:
            with self.opener.open(address, urlencode(form).encode() if form else None, timeout=30) as page:
                return page.status, page.read().decode()
        except HTTPError as answer:
            return answer.code, answer.headers["Location"] or ""


@contextmanager
def independent_portal_served(folder: Path | None = None) -> Iterator[IndependentPortal]:
    """The provider on 127.0.0.1: https with a certificate written to `folder`, or http without."""
    certificate, context = certified(folder) if folder else None, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(certificate)
    port, tls = free_port(), context if certificate else None
    portal = IndependentPortal(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", certificate)
    with in_thread(make_server("127.0.0.1", port, portal.app, threaded=True, request_handler=Quiet, ssl_context=tls)):
        yield portal


def _service(name: str, **given: Any) -> dict[str, Any]:
    return {"class": f"idpyoidc.server.{name}", "kwargs": given}
