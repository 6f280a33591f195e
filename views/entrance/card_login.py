"""卡介质登录 with the certificate on an IC card or IKey. nginx terminates TLS and passes the client certificate on.

Its headers are trusted only from FILING_CARD_FROM and with FILING_CARD_SECRET. The certificate is validated here.
"""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
from cryptography import x509
from flask import Flask, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from models import access
from models.database import db
from models.people.accounts import Account
from models.people.card_authorities import CardAuthorities
from models.people.card_certificates import (
    CardCertificate,
    check_and_log,
    holder,
    read_certificate,
    verify_card_and_commit,
)
from models.people.methods import Method
from models.people.proofs import Proof
from models.workflow import Refused
from views.entrance.addresses import is_among, networks_of
from views.entrance.security import POLICY, local, nonce
from views.entrance.signed_in import begin, named_place

SETTINGS = ("CARD_URL", "CARD_SECRET", "CARD_CA", "CARD_CRL")
PATH = "/login/card"
SHORTEST = 32  # characters of the secret
SECRET, CERTIFICATE = "X-Card-Secret", "X-Card-Certificate"


def init_app(app: Flask) -> None:
    app.add_url_rule(PATH, view_func=card_login, methods=["GET", "POST"])


def check(config: Mapping[str, Any]) -> None:
    """Raises click.ClickException when the settings of cards cannot be used. With none of them set, cards are off."""
    given = [name for name in SETTINGS if config[name]]
    if not given:
        return
    if missing := [f"FILING_{name}" for name in SETTINGS if name not in given]:
        raise click.ClickException(_("用卡登录还须设置 %(names)s，请补全后再启动。", names="、".join(missing)))
    if len(str(config["CARD_SECRET"])) < SHORTEST:
        raise click.ClickException(_("FILING_CARD_SECRET 至少 %(least)s 个字符，请改正后再启动。", least=SHORTEST))
    where, base = urlsplit(str(config["CARD_URL"])), urlsplit(str(config["BASE_URL"]))
    if where.scheme != "https" or where.hostname != base.hostname:
        raise click.ClickException(_("FILING_CARD_URL 须为 https，主机名与 FILING_BASE_URL 相同，请改正后再启动。"))
    if (where.path, where.query, where.fragment) != (PATH, "", ""):
        raise click.ClickException(_("FILING_CARD_URL 的路径须为 %(path)s，请改正后再启动。", path=PATH))
    networks_of("CARD_FROM", config["CARD_FROM"])


def authorities() -> CardAuthorities | None:
    """The authorities whose cards are accepted; None while cards are off."""
    config = current_app.config
    return CardAuthorities(Path(config["CARD_CA"]), Path(config["CARD_CRL"])) if config["CARD_SECRET"] else None


def card_login() -> ResponseReturnValue:
    """GET shows the holder of the card that the browser has presented; POST signs in with it."""
    target = local(request.values.get("next")) or "/"
    page: dict[str, Any] = {"next": target, "base": _base()}
    try:
        certificate, trusted = _presented_certificate()
        page["holder"], page["ends"] = holder(certificate), certificate.not_valid_after_utc
        where = named_place()
        with access.everything() as everything:
            if request.method != "POST":
                check_and_log(everything, certificate, trusted, where)
                return _page(page)
            used = verify_card_and_commit(everything, certificate, trusted, where)
        account, proof = db.session.get_one(Account, used.account_id), Proof(CardCertificate, used.card_id)
        begin(account, where, Method.CARD, used.holder, proof)
    except Refused as refused:
        return _page(page | {"error": str(refused)}, 401 if request.method == "POST" else 200)
    return redirect(_base() + target, 303)


def _presented_certificate() -> tuple[x509.Certificate, CardAuthorities]:
    """(client certificate of the TLS connection, authorities to validate it against). Raises Refused."""
    trusted, secret = authorities(), str(current_app.config["CARD_SECRET"] or "")
    given = request.headers.get(SECRET, "")
    if trusted is None or not _is_from_nginx() or not hmac.compare_digest(given.encode(), secret.encode()):
        raise Refused(_("请从登录页面的“卡介质登录”打开；本系统没有开通用卡登录的，请用用户名登录。"))
    shown = unquote(request.headers.get(CERTIFICATE, ""))
    if not shown:
        raise Refused(_("没有读到卡的证书，请插好 IC 卡或 IKey，关闭浏览器后重新打开，再选择证书。"))
    return read_certificate(shown.encode()), trusted


def _is_from_nginx() -> bool:
    """Whether the nearest peer may pass client certificates on; X-Forwarded-For is ignored."""
    original = request.environ.get("werkzeug.proxy_fix.orig", {})
    peer = str(original.get("REMOTE_ADDR", request.environ.get("REMOTE_ADDR", "")) or "")
    return is_among(peer, networks_of("CARD_FROM", current_app.config["CARD_FROM"]))


def _base() -> str:
    return str(current_app.config["BASE_URL"]).rstrip("/")


def _page(page: dict[str, Any], status: int = 200) -> Response:
    """The page. Its form posts to the same host at another port: another origin, which the policy must allow."""
    parts = urlsplit(_base())
    allowed = POLICY.replace("form-action 'self'", f"form-action 'self' {parts.scheme}://{parts.netloc}")
    response = current_app.make_response((render_template("entrance/card_login.html", **page), status))
    response.headers["Content-Security-Policy"] = allowed.format(nonce=nonce())
    return response
