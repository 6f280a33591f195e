"""Keys in a PKCS#11 token (SoftHSM): papers, messages and codes are signed with keys that cannot be copied."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import Certificate
from pkcs11 import Attribute, KeyType
from pkcs11.exceptions import AttributeSensitive, PinIncorrect
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.x509 import decode_x509_certificate
from pyhanko.sign.pkcs11 import open_pkcs11_session

from app import create_app
from models.certificate.typesetting import Order, Typesetter
from models.signing import hardware_token
from models.signing.check_code import Facts, read
from models.signing.keys import Keys
from models.signing.signatures import cms, cms_signer, paper_signature
from models.signing.signed_code import signed
from models.workflow import Refused
from tests import ROOT
from tests.offices import deliver

JIANGSU, PIN = "江苏省新闻出版局", "6-digits-or-more"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
CLOSED = f"{JIANGSU}的签章密钥无法打开，请联系系统管理员核对密钥和口令。"
PAGE = '<html lang="zh-CN"><title>证明</title><p>正文</p><div id="seal" style="width: 50mm; height: 20mm"></div>'


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of keys of 江苏, whose private keys exist only in a token."""
    if not Path(MODULE).exists():
        pytest.fail("the package softhsm2 is missing: run `make packages`")
    place = tmp_path_factory.mktemp("token")
    (place / "softhsm2.conf").write_text(f"directories.tokendir = {place}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(place / "softhsm2.conf"))
        words = ["--init-token", "--free", "--label", "jiangsu", "--pin", PIN, "--so-pin", PIN]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
        folder = place / "keys"
        leaf, key = deliver(folder, "320000", common_name=JIANGSU)
        (folder / "320000.pub").write_bytes(fill_token(leaf, key))
        for file in ("320000.p12", "320000.key"):
            (folder / file).unlink()
        describe(folder)
        yield folder
    hardware_token.SESSIONS.clear()


def fill_token(leaf: Certificate, key: EllipticCurvePrivateKey) -> bytes:
    """Store key and certificate of the seal, and generate a code key in the token; the code key's public key (PEM)."""
    with pkcs11.lib(MODULE).get_token(token_label="jiangsu").open(user_pin=PIN, rw=True) as session:
        attributes: dict[Any, Any] = {Attribute.LABEL: "seal", Attribute.ID: b"\1", Attribute.TOKEN: True}
        pem = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        session.create_object(decode_ec_private_key(pem) | attributes | {Attribute.SIGN: True})
        session.create_object(decode_x509_certificate(leaf.public_bytes(Encoding.DER)) | attributes)
        curve = {Attribute.EC_PARAMS: b"\x13\x0cedwards25519"}
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        public, _private = parameters.generate_keypair(store=True, label="code")
        point = Ed25519PublicKey.from_public_bytes(public[Attribute.EC_POINT][-32:])
    return point.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def describe(folder: Path, **changes: str) -> None:
    """Write the descriptor as in the README, with these changes."""
    names = {"module": MODULE, "token": "jiangsu", "certificate": "seal", "key": "seal", "code_key": "code"} | changes
    lines = (f'{name} = "{value}"\n' for name, value in names.items())
    (folder / "320000.token").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def keys(token: Path) -> Iterator[Keys]:
    """The keys, with the PIN."""
    with create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"}).app_context():
        yield Keys(token, PIN)


def test_a_paper_signed_in_a_token_is_valid(keys: Keys, tmp_path: Path) -> None:
    """Signed by the worker process; validated by our code and by another program (pdfsig)."""
    typesetter = Typesetter()
    paper = typesetter.make_pdf(Order(PAGE, "{}", date(2026, 11, 25), keys, "320000"))
    typesetter._stop()
    assert paper_signature(paper, keys.trusted(), JIANGSU).name == JIANGSU
    file = tmp_path / "paper.pdf"
    file.write_bytes(paper)
    output = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid." in output


def test_messages_and_codes_are_signed_in_the_token(keys: Keys) -> None:
    """The code by Ed25519; its private half never leaves the token."""
    signer = keys.signer("320000")
    assert cms_signer(cms(signer.pyhanko_signer, b"message"), b"message", keys.trusted()) == JIANGSU
    facts = Facts("Z3220260000017", date(2026, 11, 25), "江苏文艺音像出版社", "《茉莉花》", "ab" * 32)
    assert read(signed(facts, signer.code_key), keys.code_keys()) == facts
    with pytest.raises(AttributeSensitive):
        signer.code_key.private[Attribute.VALUE]  # type: ignore[attr-defined]


def test_a_closed_token_session_is_reopened(keys: Keys) -> None:
    """The token was removed and inserted again."""
    keys.signer("320000")
    hardware_token.SESSIONS[MODULE, "jiangsu", PIN].close()
    assert cms_signer(cms(keys.signer("320000").pyhanko_signer, b"x"), b"x", keys.trusted()) == JIANGSU


@pytest.mark.parametrize(
    "wrong",
    [{"module": "/nothing.so"}, {"token": "guangdong"}, {"certificate": "x"}, {"key": "x"}, {"code_key": "x"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_missing_token_or_object_is_refused_with_a_sentence(keys: Keys, wrong: dict[str, str]) -> None:
    describe(keys.folder, **wrong)
    with pytest.raises(Refused) as refused:
        keys.signer("320000")
    assert str(refused.value) == CLOSED
    describe(keys.folder)


@pytest.mark.parametrize("pin", ["wrong", None])
def test_signing_without_the_pin_is_refused(keys: Keys, pin: str | None) -> None:
    """In another process: this one is already logged in."""
    asks = f"Keys(Path({str(keys.folder)!r}), {pin!r}).signer('320000')"
    imports = "import app; from pathlib import Path; from models.signing.keys import Keys"
    words = f"{imports}; app.create_app().app_context().push(); {asks}"
    outside = os.environ | {"FILING_SECRET_KEY": "s", "FILING_SQLALCHEMY_DATABASE_URI": "sqlite://"}
    ran = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, env=outside, capture_output=True, text=True, check=False
    )
    assert f"Refused: {CLOSED}" in ran.stderr


def test_a_wrong_pin_is_tried_once(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few tries a token locks for good. Also while another session has to be opened again and again."""
    tries: list[str] = []

    def open_or_refuse(*given: Any, user_pin: str, **named: Any) -> Any:
        if user_pin == PIN:
            return open_pkcs11_session(*given, user_pin=user_pin, **named)
        tries.append(user_pin)
        raise PinIncorrect

    monkeypatch.setattr("pyhanko.sign.pkcs11.open_pkcs11_session", open_or_refuse)
    for _ in range(3):
        with pytest.raises(Refused, match="无法打开"):
            Keys(keys.folder, "guess").signer("320000")
        keys.signer("320000")
        hardware_token.SESSIONS[MODULE, "jiangsu", PIN].close()
    assert tries == ["guess"]
