"""IC cards and IKeys: the second nginx configuration of the README, word for word but for addresses and names."""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask import Flask
from sqlalchemy import select, update

from models import access
from models.log import LogEntry
from models.notifications import Notification
from models.people.accounts import Account
from models.people.card_certificates import CardCertificate
from tests import free_port
from tests.cards import CardIssuer
from tests.cast import account_of
from tests.served.nginx_front import NAME, PATIENCE, Front, TlsClient, fronting
from tests.serving import TOKEN, Answer

SECRET = "a-secret-that-only-nginx-knows-0123456789"
DAY = timedelta(days=1)


class CardClient(TlsClient):
    """A browser with a card, at the port that asks for it."""

    def __init__(self, front: Front, port: int, card: Path | None) -> None:
        super().__init__(front)
        self.host, self.port = f"{NAME}:{port}", port
        self.context = ssl.create_default_context(cafile=front.folder / "certificate.pem")
        self.server.address = f"https://{self.host}"
        if card:
            self.context.load_cert_chain(card)

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(NAME, self.port, timeout=PATIENCE)
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sock = self.context.wrap_socket(plain, server_hostname=NAME)
        return connection

    def find_token(self) -> str:
        (self.token,) = re.findall(r'name="csrf_token" value="([^"]+)"', self.get("/login/card").text)
        return self.token


class CardFront:
    """nginx with both configurations, the application behind it, and an issuer of cards."""

    def __init__(self, front: Front, port: int, issuer: CardIssuer) -> None:
        self.front, self.port, self.issuer = front, port, issuer
        self.operator = front.client("operator")

    def bind(self, card: Path, username: str) -> str:
        """Bind the card as an operator does; the page with the result."""
        with self.front.server.app.app_context():
            key = account_of(username).id
        answer = self.operator.post("/accounts/cards/bind/", {"id": key, "file": (card.read_bytes(), "card.pem")})
        assert answer.location == f"/accounts/keys/?id={key}"
        return self.operator.get(answer.location).text

    def show(self, card: Path | None) -> Answer:
        """The page that a browser with this card gets."""
        return CardClient(self.front, self.port, card).get("/login/card")

    def enter(self, card: Path) -> tuple[CardClient, Answer]:
        client = CardClient(self.front, self.port, card)
        return client, client.post("/login/card", {"next": "/visits/"})


@pytest.fixture(scope="module")
def card_front(tmp_path_factory: pytest.TempPathFactory, needs_nginx: None) -> Iterator[CardFront]:
    """One nginx for all; its configuration is the README's two parts."""
    folder = tmp_path_factory.mktemp("cards")
    issuer, port = CardIssuer(folder), free_port()
    settings = {
        "CARD_URL": f"https://localhost:{port}/login/card",
        "CARD_SECRET": SECRET,
        "CARD_CA": str(issuer.trusted()),
        "CARD_CRL": str(issuer.publish()),
    }
    with fronting(folder, card_configuration(folder, port), **settings) as front:
        yield CardFront(front, port, issuer)


def card_configuration(folder: Path, port: int) -> dict[str, str]:
    """Text of the second configuration → its replacement in this test."""
    return {
        "listen 8443": f"listen 127.0.0.1:{port}",
        "listen [::]:8443": f"listen 127.0.0.2:{port}",
        "/etc/filing/card-ca.pem": f"{folder}/card-ca.pem",
        "the-secret-of-FILING_CARD_SECRET": SECRET,
    }


def error_of(answer: Answer) -> str:
    """The refusal of a page."""
    found = re.findall(r'class="notice bad" role="alert">([^<]+)<', answer.text)
    return found[0] if found else ""


def logged(app: Flask) -> tuple[str, str]:
    """(kind, words) of the newest entry of the log of sign-ins."""
    with app.app_context(), access.everything() as session:
        rows = select(LogEntry).where(LogEntry.log == "signins").order_by(LogEntry.id.desc())
        row = session.scalars(rows).first()
        assert row is not None
        return row.kind, row.words


def test_a_bound_card_signs_in(card_front: CardFront) -> None:
    card = card_front.issuer.issue("王敏")
    card_front.bind(card, "publisher")
    page = card_front.show(card)
    assert "读到的卡：王敏" in page.text
    assert "stylesheet" in page.text
    client, answer = card_front.enter(card)
    assert (answer.status, answer.location) == (303, "/visits/")
    main = card_front.front.client()
    main.cookies = client.cookies
    assert "IC 卡或 IKey 登录" in main.get("/visits/").text
    assert logged(card_front.front.server.app) == ("signed_in", "IC 卡或 IKey 登录：王敏")


def test_a_card_is_bound_to_one_account_and_unusable_after_removal(card_front: CardFront) -> None:
    card = card_front.issuer.issue("赵强")
    assert "已登记“赵强”" in card_front.bind(card, "agent")
    assert "这张卡已登记到账号 agent" in card_front.bind(card, "publisher")
    assert "不是由本系统认可的机构签发" in card_front.bind(
        CardIssuer(card_front.issuer.folder / "..").issue("外人二"), "agent"
    )
    assert "不是可以读取的证书文件" in card_front.bind(card_front.issuer.folder / "site", "agent")
    client, _answer = card_front.enter(card)
    main = card_front.front.client()
    main.cookies = client.cookies
    assert main.get("/visits/").status == 200
    with card_front.front.server.app.app_context(), access.everything() as session:
        number = session.scalars(select(CardCertificate.id).where(CardCertificate.subject == "赵强")).one()
        found = session.scalars(select(Notification).order_by(Notification.id.desc())).first()
        assert found is not None and "登记了卡“赵强”" in found.sentence
    assert card_front.operator.post("/accounts/cards/remove/", {"id": number}).status == 303
    assert main.get("/visits/").location.startswith("/login")
    assert card_front.enter(card)[1].status == 401


def test_a_refused_card_gets_the_reason(card_front: CardFront) -> None:
    """Expired, not yet valid, of another issuer of the same name, not for signing in, unbound, no card."""
    issuer, stranger = card_front.issuer, CardIssuer(card_front.issuer.folder / "..")
    assert "已过期" in error_of(card_front.show(issuer.issue("过期", -2 * DAY, -DAY / 2)))
    assert "尚未生效" in error_of(card_front.show(issuer.issue("未来", DAY / 2, DAY)))
    assert "不是由本系统认可的机构签发" in error_of(card_front.show(stranger.issue("外人")))
    assert "不能用于登录" in error_of(card_front.show(issuer.issue("服务器", usage=ExtendedKeyUsageOID.SERVER_AUTH)))
    assert "没有读到卡的证书" in error_of(card_front.show(None))
    unbound = issuer.issue("无主")
    _client, answer = card_front.enter(unbound)
    assert answer.status == 401 and "没有登记到可以使用的账号" in error_of(answer)
    assert logged(card_front.front.server.app)[0] == "card_refused"
    assert card_front.show(unbound).status == 200 and not error_of(card_front.show(unbound))


def test_a_revoked_card_or_disabled_account_is_signed_out_at_once(card_front: CardFront) -> None:
    """The list is read again when it has changed; with an expired list no card signs in."""
    card = card_front.issuer.issue("陈静")
    card_front.bind(card, "reviewer")
    assert card_front.enter(card)[1].status == 303
    app = card_front.front.server.app
    for active in (False, True):
        with app.app_context(), access.everything() as session:
            session.execute(update(Account).where(Account.username == "reviewer").values(active=active))
            session.commit()
        assert card_front.enter(card)[1].status == (303 if active else 401)
    card_front.issuer.publish(-DAY)
    assert "吊销列表缺失或已过期" in error_of(card_front.show(card))
    card_front.issuer.revoke(card)
    assert "已被吊销" in error_of(card_front.show(card))


def test_a_forged_certificate_header_is_ignored(card_front: CardFront) -> None:
    """Straight at the application, and through nginx, with a certificate that is public and a secret that is not."""
    card = card_front.issuer.issue("李想")
    card_front.bind(card, "publisher2")
    shown = quote(card.read_bytes().partition(b"-----BEGIN PRIVATE")[0])
    straight, main = card_front.front.server.client(), card_front.front.client()
    named = {"Host": NAME, "Origin": f"http://{NAME}"}  # as nginx names us
    straight.token = TOKEN.findall(straight.get("/login", **named).text)[0]
    for headers in ({}, {"X_Card_Secret": ""}, {"X_Card_Secret": SECRET[:-1]}, {"X_Card_Secret": "\u00e9"}):
        for client, more in ((straight, named), (main, {})):
            answer = client.post("/login/card", {}, X_Card_Certificate=shown, **headers, **more)
            assert answer.status == 401, headers
            assert "请从登录页面的“卡介质登录”打开" in error_of(answer)
    other = CardClient(card_front.front, card_front.port, card_front.issuer.issue("别人"))
    other.find_token()
    answer = other.post("/login/card", {}, X_Card_Certificate=shown, X_Card_Secret=SECRET)
    assert answer.status == 401 and "没有登记到可以使用的账号" in error_of(answer)


def test_the_card_port_redirects_every_other_page(card_front: CardFront) -> None:
    client = CardClient(card_front.front, card_front.port, None)
    for path in ("/login", "/applications/", "/accounts/"):
        assert client.get(path).status == 301
