"""Cards under intermediate authorities; trusted sources of the card header; reports of expired revocation lists."""

import ssl
from datetime import timedelta
from pathlib import Path

import click
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask

from app import create_app
from models import clock
from models.people.card_authorities import CardAuthorities
from models.people.card_certificates import read_certificate
from models.people.certificates import certificates_in
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.cards import DAY, CardIssuer, refusal
from tests.views.entrance.test_card_certificates import WORD, bind, headers

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # what no database changes


class Chain:
    """A root, an authority under it, and one under that, which issues cards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in "abc":
            (folder / name).mkdir()
        self.root = CardIssuer(folder / "a", "根")
        self.middle = CardIssuer(folder / "b", "中级", self.root)
        self.last = CardIssuer(folder / "c", "发卡", self.middle)
        self.publish()

    def publish(self, *issuers: CardIssuer) -> CardAuthorities:
        """The two files, the first with these authorities alone, if any are given."""
        all_of_them = (self.root, self.middle, self.last)
        trusted, lists = self.folder / "ca.pem", self.folder / "crl.pem"
        trusted.write_bytes(b"".join(each.trusted().read_bytes() for each in issuers or all_of_them))
        lists.write_bytes(b"".join(each.publish().read_bytes() for each in all_of_them))
        return CardAuthorities(trusted, lists)

    def card(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.last.issue("王敏").read_bytes())


@pytest.fixture
def chain(app: Flask, tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def test_a_card_under_intermediate_authorities_is_validated_by_its_whole_path(chain: Chain) -> None:
    card = chain.card()
    assert refusal(chain.publish(), card) == ""
    assert refusal(chain.publish(chain.last), card) == ""  # trusted by itself
    chain.root.revoked.append(chain.middle.certificate.serial_number)
    assert "已被吊销" in refusal(chain.publish(), card)


def test_an_expired_or_unauthorised_intermediate_breaks_the_path(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's card cannot sign other cards."""
    leaf = chain.last.issue("假机构")
    forger = CardIssuer(chain.folder / "c", "假机构")
    forger.certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
    authorities = chain.publish(chain.root, chain.middle, chain.last, forger)
    assert refusal(authorities, chain.card()) == ""
    forged = x509.load_pem_x509_certificate(forger.issue("x").read_bytes())
    assert "不是由本系统认可的机构签发" in refusal(authorities, forged)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 2 * DAY)
    assert refusal(authorities, chain.card()) != ""


def test_a_card_header_is_accepted_from_nginx_only(webauthn_app: Flask, tmp_path: Path, client_as: ClientAs) -> None:
    issuer, stranger = CardIssuer(tmp_path), client_as(None)
    webauthn_app.config.update(CARD_SECRET=WORD, CARD_URL="https://localhost:8443/login/card")
    webauthn_app.config.update(CARD_CA=str(issuer.trusted()), CARD_CRL=str(issuer.publish()))
    card = issuer.issue("王敏")
    bind(webauthn_app, CardAuthorities(issuer.folder / "card-ca.pem", issuer.folder / "crl.pem"), card, "publisher")
    forwarded = {"werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "10.0.0.9"}}
    for environ in ({"REMOTE_ADDR": "10.0.0.9"}, forwarded):
        answer = stranger.post("/login/card", headers=headers(card), environ_overrides=environ)
        assert answer.status_code == 401 and "请从登录页面的“卡介质登录”打开" in answer.text
    through = {"REMOTE_ADDR": "203.0.113.7", "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": ""}}  # a Unix socket
    assert stranger.post("/login/card", headers=headers(card), environ_overrides=through).status_code == 303


def test_healthz_and_the_condition_screen_report_an_expired_revocation_list(
    webauthn_app: Flask, tmp_path: Path, client_as: ClientAs
) -> None:
    issuer, operator = CardIssuer(tmp_path), client_as("operator")
    webauthn_app.config.update(CARD_SECRET=WORD, CARD_URL="https://localhost:8443/login/card")
    webauthn_app.config.update(CARD_CA=str(issuer.trusted()), CARD_CRL=str(issuer.publish()))
    assert "cards" not in client_as(None).get("/healthz").text
    assert "吊销列表有效" in operator.get("/condition/").text
    issuer.publish(timedelta(hours=-1))
    assert "cards" in client_as(None).get("/healthz").text.splitlines()
    assert "用卡不能登录。请更新" in operator.get("/condition/").text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"CARD_URL": "https://localhost/login"}, "路径须为 /login/card"),
        ({"CARD_URL": "https://localhost/login/card?x"}, "路径须为 /login/card"),
        ({"CARD_FROM": "nginx"}, "FILING_CARD_FROM"),
        ({"TRUSTED_HOSTS": "filing.example.cn"}, "却以 filing.example.cn 对外服务"),
        ({"PORTAL_ISSUER": "https://portal.example.cn"}, "FILING_PORTAL_CLIENT_ID"),
        ({"PORTAL_ISSUER": "http://portal.example.cn", "PORTAL_CLIENT_ID": "x", "PORTAL_CLIENT_SECRET": "y"}, "https"),
    ],
    ids=str,
)
def test_invalid_card_and_portal_settings_stop_the_start(
    app: Flask, tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    cards = {"CARD_URL": "https://localhost/login/card", "CARD_SECRET": WORD, "CARD_CA": "a", "CARD_CRL": "b"}
    given = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/x.sqlite", "SECRET_KEY": "x", "STORE": str(tmp_path)}
    given |= {"BASE_URL": "http://localhost:8000", "SIGNING_KEY": str(tmp_path)}
    with pytest.raises(click.ClickException, match=sentence):
        create_app(given | (cards if "CARD_URL" in settings or "CARD_FROM" in settings else {}) | settings)


def test_a_certificate_of_an_unknown_version_is_no_readable_certificate(chain: Chain) -> None:
    """Formerly a server error: x509.InvalidVersion is no ValueError."""
    version_5 = chain.card().public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    with pytest.raises(Refused, match="不是可以读取的证书文件"):
        read_certificate(version_5)
    (chain.folder / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(version_5))
    assert certificates_in(chain.folder / "ca.pem") == ()
