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


class House:
    """nginx with both configurations, the application behind it, and an issuer of cards."""

    def __init__(self, front: Front, port: int, issuer: CardIssuer) -> None:
        self.front, self.port, self.issuer = front, port, issuer
        self.operator = front.client("operator")

    def bind(self, card: Path, username: str) -> str:
        """As an operator does it; the page that tells of it."""
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
def house(tmp_path_factory: pytest.TempPathFactory, needs_nginx: None) -> Iterator[House]:
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
        yield House(front, port, issuer)


def card_configuration(folder: Path, port: int) -> dict[str, str]:
    """Words of the second configuration → ours."""
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


def test_a_bound_card_signs_in(house: House) -> None:
    card = house.issuer.issue("王敏")
    house.bind(card, "publisher")
    page = house.show(card)
    assert "读到的卡：王敏" in page.text
    assert "stylesheet" in page.text
    client, answer = house.enter(card)
    assert (answer.status, answer.location) == (303, "/visits/")
    main = house.front.client()
    main.cookies = client.cookies
    assert "IC 卡或 IKey 登录" in main.get("/visits/").text
    assert logged(house.front.server.app) == ("signed_in", "IC 卡或 IKey 登录：王敏")


def test_a_card_is_bound_to_one_account_and_unusable_after_removal(house: House) -> None:
    card = house.issuer.issue("赵强")
    assert "已登记“赵强”" in house.bind(card, "agent")
    assert "这张卡已登记到账号 agent" in house.bind(card, "publisher")
    assert "不是由本系统认可的机构签发" in house.bind(CardIssuer(house.issuer.folder / "..").issue("外人二"), "agent")
    assert "不是可以读取的证书文件" in house.bind(house.issuer.folder / "site", "agent")
    client, _answer = house.enter(card)
    main = house.front.client()
    main.cookies = client.cookies
    assert main.get("/visits/").status == 200
    with house.front.server.app.app_context(), access.everything() as session:
        number = session.scalars(select(CardCertificate.id).where(CardCertificate.subject == "赵强")).one()
        found = session.scalars(select(Notification).order_by(Notification.id.desc())).first()
        assert found is not None and "登记了卡“赵强”" in found.sentence
    assert house.operator.post("/accounts/cards/remove/", {"id": number}).status == 303
    assert main.get("/visits/").location.startswith("/login")
    assert house.enter(card)[1].status == 401


def test_a_refused_card_gets_the_reason(house: House) -> None:
    """Expired, not yet valid, of another issuer of the same name, not for signing in, bound to nobody, none at all."""
    issuer, stranger = house.issuer, CardIssuer(house.issuer.folder / "..")
    assert "已过期" in error_of(house.show(issuer.issue("过期", -2 * DAY, -DAY / 2)))
    assert "尚未生效" in error_of(house.show(issuer.issue("未来", DAY / 2, DAY)))
    assert "不是由本系统认可的机构签发" in error_of(house.show(stranger.issue("外人")))
    assert "不能用于登录" in error_of(house.show(issuer.issue("服务器", usage=ExtendedKeyUsageOID.SERVER_AUTH)))
    assert "没有读到卡的证书" in error_of(house.show(None))
    unbound = issuer.issue("无主")
    _client, answer = house.enter(unbound)
    assert answer.status == 401 and "没有登记到可以使用的账号" in error_of(answer)
    assert logged(house.front.server.app)[0] == "card_refused"
    assert house.show(unbound).status == 200 and not error_of(house.show(unbound))


def test_a_revoked_card_or_disabled_account_is_signed_out_at_once(house: House) -> None:
    """The list is read again when it has changed; one that has run out lets nobody in."""
    card = house.issuer.issue("陈静")
    house.bind(card, "reviewer")
    assert house.enter(card)[1].status == 303
    app = house.front.server.app
    for active in (False, True):
        with app.app_context(), access.everything() as session:
            session.execute(update(Account).where(Account.username == "reviewer").values(active=active))
            session.commit()
        assert house.enter(card)[1].status == (303 if active else 401)
    house.issuer.publish(-DAY)
    assert "吊销列表缺失或已过期" in error_of(house.show(card))
    house.issuer.revoke(card)
    assert "已被吊销" in error_of(house.show(card))


def test_a_forged_certificate_header_is_ignored(house: House) -> None:
    """Straight at the application, and through nginx, with a certificate that is public and a secret that is not."""
    card = house.issuer.issue("李想")
    house.bind(card, "publisher2")
    shown = quote(card.read_bytes().partition(b"-----BEGIN PRIVATE")[0])
    straight, main = house.front.server.client(), house.front.client()
    named = {"Host": NAME, "Origin": f"http://{NAME}"}  # as nginx names us
    straight.token = TOKEN.findall(straight.get("/login", **named).text)[0]
    for headers in ({}, {"X_Card_Secret": ""}, {"X_Card_Secret": SECRET[:-1]}, {"X_Card_Secret": "\u00e9"}):
        for client, more in ((straight, named), (main, {})):
            answer = client.post("/login/card", {}, X_Card_Certificate=shown, **headers, **more)
            assert answer.status == 401, headers
            assert "请从登录页面的“卡介质登录”打开" in error_of(answer)
    other = CardClient(house.front, house.port, house.issuer.issue("别人"))
    other.find_token()
    answer = other.post("/login/card", {}, X_Card_Certificate=shown, X_Card_Secret=SECRET)
    assert answer.status == 401 and "没有登记到可以使用的账号" in error_of(answer)


def test_the_card_port_redirects_every_other_page(house: House) -> None:
    client = CardClient(house.front, house.port, None)
    for path in ("/login", "/applications/", "/accounts/"):
        assert client.get(path).status == 301
