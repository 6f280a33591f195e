"""Faulty or malicious certificates and revocation lists: which cards sign in, and the entries of the log."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.log import LogEntry
from models.people import card_certificates, recovery_codes
from models.people.card_authorities import CardAuthorities
from models.people.card_certificates import CardCertificate
from tests.browsing import ClientAs
from tests.cards import DAY, PEM, CardIssuer, refusal
from tests.cast import account_of
from tests.views.keys import by_password, enrol, is_in
from views.entrance.card_login import CERTIFICATE, SECRET

WORD = "a-secret-that-only-nginx-knows-0123456789"

ONE, TWO = "http://a/1.crl", "http://a/2.crl"
MISSING = "吊销列表缺失或已过期"


@pytest.fixture
def issuer(webauthn_app: Flask, tmp_path: Path) -> CardIssuer:
    made = CardIssuer(tmp_path)
    webauthn_app.config.update(CARD_SECRET=WORD, CARD_URL="https://localhost:8443/login/card")
    webauthn_app.config.update(CARD_CA=str(made.trusted()), CARD_CRL=str(made.publish()))
    return made


@pytest.fixture
def authorities(issuer: CardIssuer) -> CardAuthorities:
    return CardAuthorities(issuer.folder / "card-ca.pem", issuer.folder / "crl.pem")


def bind(app: Flask, authorities: CardAuthorities, card: Path, username: str) -> None:
    with app.app_context(), access.everything() as session:
        card_certificates.bind(session, account_of(username), card.read_bytes(), authorities)
        session.commit()


def headers(card: Path) -> dict[str, str]:
    """What nginx adds for a browser with this card."""
    shown = card.read_bytes().partition(b"-----BEGIN PRIVATE")[0]
    return {SECRET: WORD, CERTIFICATE: quote(shown)}


def refusals(app: Flask) -> list[tuple[str, str]]:
    """(user name, object) of each refused card in the log."""
    with app.app_context(), access.everything() as session:
        rows = select(LogEntry.username, LogEntry.about).where(LogEntry.kind == "card_refused").order_by(LogEntry.id)
        return [tuple(row) for row in session.execute(rows)]


def certificate(
    issuer: CardIssuer, *extensions: x509.ExtensionType, name: str = "卡", serial: int = 77
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(issuer.name, subject, issuer.key.public_key(), serial)
    made = made.not_valid_before(clock.now() - DAY).not_valid_after(clock.now() + DAY)
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    return made.sign(issuer.key, hashes.SHA256())


def crl(issuer: CardIssuer, *extensions: x509.ExtensionType, revoked: int = 0, age: timedelta = DAY) -> bytes:
    made = x509.CertificateRevocationListBuilder(issuer.name).last_update(clock.now() - age)
    made = made.next_update(clock.now() + DAY)
    if revoked:
        made = made.add_revoked_certificate(x509.RevokedCertificateBuilder(revoked, clock.now() - DAY).build())
    for extension in extensions:
        made = made.add_extension(extension, critical=True)
    return made.sign(issuer.key, hashes.SHA256()).public_bytes(PEM)


def point(address: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(address)


def part(address: str | None = None, **only: bool) -> x509.IssuingDistributionPoint:
    none_only = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    name = [point(address)] if address else None
    return x509.IssuingDistributionPoint(name, None, only_some_reasons=None, **none_only | only)


def at(address: str) -> x509.CRLDistributionPoints:
    """The extension that names a certificate's revocation list."""
    return x509.CRLDistributionPoints([x509.DistributionPoint([point(address)], None, None, None)])


def usage(**given: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**dict.fromkeys(names, False) | given)


ON_SQLITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # what no database changes
Lists = Callable[[CardIssuer], list[bytes]]


@ON_SQLITE
@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (lambda issuer: [crl(issuer, revoked=77, age=2 * DAY), crl(issuer, x509.DeltaCRLIndicator(1))], "已被吊销"),
        (lambda issuer: [crl(issuer, x509.DeltaCRLIndicator(1))], MISSING),
        (lambda issuer: [crl(issuer, part(TWO))], MISSING),
        (lambda issuer: [crl(issuer, part(ONE), revoked=77), crl(issuer, part(TWO))], "已被吊销"),
        (lambda issuer: [crl(issuer, part(ONE)), crl(issuer, part(TWO))], ""),
        (lambda issuer: [crl(issuer, part(only_contains_ca_certs=True))], MISSING),
        (lambda issuer: [crl(issuer, part(indirect_crl=True))], MISSING),
        (lambda issuer: [crl(issuer, part(only_contains_user_certs=True), revoked=77)], "已被吊销"),
    ],
    ids=("delta, base", "delta", "another part", "of two", "in none", "of authorities", "indirect", "of users"),
)  # fmt: skip
def test_a_revocation_list_counts_only_if_its_scope_includes_the_card(
    issuer: CardIssuer, authorities: CardAuthorities, lists: Lists, expected: str
) -> None:
    """Formerly the newest list counted, even a delta or one for other certificates: a revoked card signed in."""
    (issuer.folder / "crl.pem").write_bytes(b"".join(lists(issuer)))
    assert expected in (reason := refusal(authorities, certificate(issuer, at(ONE)))) and bool(expected) == bool(reason)


@ON_SQLITE
@pytest.mark.parametrize(
    "extension",
    [
        usage(key_encipherment=True, data_encipherment=True),
        usage(content_commitment=True),
        x509.BasicConstraints(ca=True, path_length=None),
    ],
    ids=("encryption", "signatures on papers", "an authority"),
)
def test_a_certificate_with_another_key_usage_does_not_sign_in(
    issuer: CardIssuer, authorities: CardAuthorities, extension: x509.ExtensionType
) -> None:
    """Others may hold the key of an encryption certificate, too."""
    assert "不能用于登录" in refusal(authorities, certificate(issuer, extension))
    assert refusal(authorities, certificate(issuer, usage(digital_signature=True))) == ""


@ON_SQLITE
def test_a_card_of_an_expired_issuer_is_refused(
    issuer: CardIssuer, authorities: CardAuthorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = x509.load_pem_x509_certificate(issuer.issue("王敏", until=9 * DAY).read_bytes())
    issuer.publish(9 * DAY)
    assert refusal(authorities, card) == ""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 2 * DAY)
    assert "发卡机构的证书不在有效期内" in refusal(authorities, card)


def test_two_issuers_of_one_name_with_one_serial_number_are_two_cards(
    webauthn_app: Flask, issuer: CardIssuer, authorities: CardAuthorities, tmp_path: Path, client_as: ClientAs
) -> None:
    """A new generation of an authority often has the name of the former, and counts from 1 again."""
    (tmp_path / "new").mkdir()
    newer = CardIssuer(tmp_path / "new")
    with (issuer.folder / "card-ca.pem").open("ab") as file:
        file.write(newer.trusted().read_bytes())
    with (issuer.folder / "crl.pem").open("ab") as file:
        file.write(newer.publish().read_bytes())
    cards = {}
    for each, name in ((issuer, "operator"), (newer, "publisher")):
        cards[name] = each.folder / "same.pem"
        cards[name].write_bytes(certificate(each, name=name, serial=1).public_bytes(PEM))
    bind(webauthn_app, authorities, cards["operator"], "operator")
    assert client_as(None).post("/login/card", headers=headers(cards["publisher"])).status_code == 401
    assert client_as(None).post("/login/card", headers=headers(cards["operator"])).status_code == 303


def test_a_self_signed_certificate_names_no_account_in_the_log(
    webauthn_app: Flask, issuer: CardIssuer, authorities: CardAuthorities, tmp_path: Path, client_as: ClientAs
) -> None:
    """Issuer's name and serial number are public; invisible or unreadable names cause no error."""
    (tmp_path / "x").mkdir()
    forger, card = CardIssuer(tmp_path / "x"), tmp_path / "card.pem"
    card.write_bytes(certificate(issuer).public_bytes(PEM))
    bind(webauthn_app, authorities, card, "operator")
    card.write_bytes(certificate(forger, name="张\0三\u202e").public_bytes(PEM))
    assert client_as(None).post("/login/card", headers=headers(card)).status_code == 401
    assert refusals(webauthn_app) == [("", "张三")]
    broken = certificate(forger, name="abcdef").public_bytes(Encoding.DER)
    shown = x509.load_der_x509_certificate(broken.replace(b"abcdef", b"\xff\xff\xff\xff\xff\xff")).public_bytes(PEM)
    card.write_bytes(shown)
    assert "不是可以读取的证书文件" in client_as(None).post("/login/card", headers=headers(card)).text


def test_a_refused_card_is_logged_once_when_only_shown(
    webauthn_app: Flask, issuer: CardIssuer, authorities: CardAuthorities, client_as: ClientAs
) -> None:
    """The page of a refused card has no button, so the entry cannot wait for a click."""
    card = issuer.issue("陈静")
    bind(webauthn_app, authorities, card, "reviewer")
    assert "读到的卡：陈静" in client_as(None).get("/login/card", headers=headers(card)).text
    assert refusals(webauthn_app) == []
    issuer.revoke(card)
    for _time in range(2):
        assert "已被吊销" in client_as(None).get("/login/card", headers=headers(card)).text
    assert refusals(webauthn_app) == [("reviewer", "陈静")]


def test_an_account_with_a_card_needs_a_second_step_after_the_password(
    webauthn_app: Flask, issuer: CardIssuer, authorities: CardAuthorities, client_as: ClientAs
) -> None:
    """One rule for both: the password alone opened an account whose owner signs in by card."""
    card = issuer.issue("陈静")
    bind(webauthn_app, authorities, card, "reviewer")
    thief, owner, lost = client_as(None), client_as(None), client_as(None)
    assert by_password(thief, "reviewer").location == "/login/confirm"
    page = thief.get("/login/confirm").text
    assert "须用卡登录" in page and "data-key=" not in page and 'href="https://localhost:8443/login/card?next=' in page
    assert not is_in(thief) and thief.get("/keys/").location.startswith("/login")
    assert owner.post("/login/card", headers=headers(card)).status_code == 303
    enrol(owner)
    assert "已登记的 IC 卡和 IKey" in owner.get("/visits/").text and "陈静，" in owner.get("/visits/").text
    with webauthn_app.app_context(), access.everything() as session:
        assert session.scalars(select(CardCertificate.used_at)).one() is not None
        code = recovery_codes.give(session, account_of("reviewer"))
        session.commit()
    by_password(lost, "reviewer")
    assert lost.post("/login/confirm", data={"code": code}).location == "/keys/"
    webauthn_app.config["CARD_SECRET"] = None  # cards are not in use any more: the key stays
    assert by_password(client_as(None), "reviewer").location == "/login/confirm"
