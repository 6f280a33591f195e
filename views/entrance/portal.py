"""Settings of one-point access (单点登录), checked at start-up, and the cookie that binds a sign-on to a browser."""

import hmac
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Response, current_app, request
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer

from models.sign_on import Portal, Started
from models.sign_on.one_request import is_allowed, is_local
from views.entrance.addresses import split_setting

NEEDED = ("PORTAL_ISSUER", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET")
LIFE = 600  # seconds in which the sign-on at the portal must be completed
PATH = "/login/portal"


def check(config: Mapping[str, Any]) -> None:
    """Raises click.ClickException when the settings of the portal cannot be used. With none of them set, it is off."""
    given = [name for name in NEEDED if config[name]]
    if not given:
        return
    if missing := [f"FILING_{name}" for name in NEEDED if name not in given]:
        raise click.ClickException(_("单一窗口登录还须设置 %(names)s，请补全后再启动。", names="、".join(missing)))
    issuer, base = str(config["PORTAL_ISSUER"]), str(config["BASE_URL"])
    if not is_allowed(issuer, issuer) or {"?", "#"} & set(issuer):
        raise click.ClickException(_("FILING_PORTAL_ISSUER 须为 https 地址，不含 ? 和 #，请改正后再启动。"))
    if urlsplit(base).scheme != "https" and not is_local(base):
        raise click.ClickException(_("用单一窗口登录时，FILING_BASE_URL 须为 https 地址，请改正后再启动。"))
    if config["PORTAL_CA"] and not Path(config["PORTAL_CA"]).is_file():
        raise click.ClickException(_("FILING_PORTAL_CA 指定的文件不存在，请改正后再启动。"))


def portal() -> Portal | None:
    """The portal of the settings; None while it is off."""
    config = current_app.config
    if not config["PORTAL_ISSUER"]:
        return None
    issuer, client, secret = (str(config[name]) for name in NEEDED)
    back, scope = f"{base()}{PATH}/return", str(config["PORTAL_SCOPE"])
    return Portal(issuer, client, secret, back, config["PORTAL_CA"] or None, scope)


def base() -> str:
    return str(current_app.config["BASE_URL"]).rstrip("/")


def accepted_levels() -> set[str]:
    """Values of `acr` or `amr` that replace our second step; empty by default."""
    return set(split_setting(current_app.config["PORTAL_LEVELS"]))


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}_portal"


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="portal sign-on")


def remember(response: Response, started: Started, target: str) -> Response:
    """Set the cookie that binds a sign-on to this browser: signed, SameSite=Lax, sent to PATH only, valid for LIFE.

    The portal redirects back from another site, so that a SameSite=Strict session cookie would not be sent.
    """
    value = _serializer().dumps([asdict(started), target])
    _set(response, str(value), LIFE)
    return response


def forget(response: Response) -> Response:
    """Delete the cookie of remember()."""
    _set(response, "", 0)
    return response


def _set(response: Response, value: str, seconds: int) -> None:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(_cookie(), value, seconds, path=PATH, secure=secure, httponly=True, samesite="Lax")


def recall(state: str) -> tuple[Started, str] | None:
    """(the sign-on that this browser began, page to open afterwards); None if `state` is not that of its sign-on."""
    try:
        fields, target = _serializer().loads(request.cookies.get(_cookie(), ""), max_age=LIFE)
        started = Started(**fields)
    except (BadData, TypeError, ValueError):
        return None
    return (started, str(target)) if hmac.compare_digest(started.state.encode(), state.encode()) else None
