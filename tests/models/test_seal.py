"""The keys of the authorities: whose, whether they may be used, and what they have signed."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask

from app import create_app
from models import clock, press
from models.press import Order
from models.seal import Keys, cms, cms_signer, paper_signer
from models.workflow import Refused
from views import authority

JIANGSU = "江苏省新闻出版局"


@pytest.fixture(scope="module")
def words() -> Flask:
    """An application, for its language; no test here opens its database."""
    return create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})


@pytest.fixture
def keys(words: Flask, tmp_path: Path) -> Iterator[Keys]:
    """The keys of two provinces, made for this test."""
    with words.app_context():
        authority.establish(tmp_path / "keys", ["320000", "440000"])
        yield Keys(tmp_path / "keys")


def public(key: Any) -> bytes:
    """As it is laid out in the folder."""
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def private(key: Any) -> bytes:
    """As it is laid out in the folder, without a passphrase."""
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def refusal(keys: Keys, province: str = "320000") -> str:
    """Why nothing can be signed."""
    with pytest.raises(Refused) as refused:
        keys.signer(province)
    return str(refused.value)


def test_an_authority_signs_by_its_own_name(keys: Keys) -> None:
    assert keys.signer("320000").name == f"{JIANGSU}（演示）"
    assert keys.signer("440000").name != keys.signer("320000").name
    assert {province for province, _key in keys.code_keys()} == {"320000", "440000"}


@pytest.mark.parametrize("missing", ["320000.p12", "320000.key"])
def test_without_a_key_nothing_is_issued(keys: Keys, missing: str) -> None:
    """PD4: and the sentence names who lacks it."""
    (keys.folder / missing).unlink()
    assert refusal(keys) == f"尚未配置{JIANGSU}的签章密钥，不能签发证明，请联系系统管理员。"


def test_a_key_that_cannot_be_opened_is_told(keys: Keys) -> None:
    """Another passphrase, a broken file, or a key of another kind."""
    sentence = f"{JIANGSU}的签章密钥无法打开，请联系系统管理员核对密钥和口令。"
    assert refusal(Keys(keys.folder, "wrong")) == sentence
    code_file = keys.folder / "320000.key"
    for content in (b"", b"nonsense", private(generate_private_key(65537, 2048))):
        code_file.write_bytes(content)
        assert refusal(keys) == sentence


@pytest.mark.parametrize("laid_out", ["nothing", "another's"])
def test_a_code_that_nobody_could_verify_is_never_made(keys: Keys, laid_out: str) -> None:
    """The public key beside the private one was forgotten, or is of another key."""
    (keys.folder / "320000.pub").unlink()
    if laid_out == "another's":
        (keys.folder / "320000.pub").write_bytes(public(Ed25519PrivateKey.generate()))
    assert refusal(keys) == f"{JIANGSU}的二维码公钥缺失或与私钥不符，不能签发证明，请联系系统管理员补齐。"


def test_a_signature_that_nobody_could_trust_is_never_made(keys: Keys) -> None:
    """The root certificate was forgotten."""
    (keys.folder / "root.crt").unlink()
    assert refusal(keys) == f"{JIANGSU}的签章证书不是由受信任的根证书签发，不能签发证明，请联系系统管理员核对。"


def test_a_new_key_signs_and_the_former_public_key_stays(keys: Keys) -> None:
    """Rotation, as the README says it: two keys speak for the province, one signs."""
    new = Ed25519PrivateKey.generate()
    (keys.folder / "320000.pub").rename(keys.folder / "320000-2025.pub")
    (keys.folder / "320000.key").write_bytes(private(new))
    (keys.folder / "320000.pub").write_bytes(public(new))
    assert keys.signer("320000").code_key.public_key() == new.public_key()
    assert [province for province, _key in keys.code_keys()].count("320000") == 2


def test_a_message_is_signed_and_whoever_alters_it_is_found_out(keys: Keys) -> None:
    data = "报文".encode()
    signature = cms(keys.signer("320000"), data)
    assert cms_signer(signature, data, keys.trusted()) == f"{JIANGSU}（演示）"
    for given, of, trusted in ((signature, data + b" ", keys.trusted()), (signature, data, []), (b"x", data, [])):
        with pytest.raises(Refused):
            cms_signer(given, of, trusted)


def test_what_was_signed_outlives_the_certificate_that_signed_it(
    keys: Keys, a_pdf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paper is judged as of the day it was signed on: the register vouches for that day."""
    long_ago = clock.now() - authority.YEARS - timedelta(days=30)

    class ThatDay(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return long_ago.astimezone(tz)

    former = Keys(keys.folder.parent / "former")
    with monkeypatch.context() as then:
        then.setattr("models.clock.now", lambda: long_ago)
        then.setattr("pyhanko.sign.signers.pdf_signer.datetime", ThatDay)
        authority.establish(former.folder, ["320000"])
        paper = press.signed(a_pdf(), 0, (10, 10, 60, 60), Order("", "", long_ago.date(), former, "320000"))
    assert "不在有效期内" in refusal(former)
    assert paper_signer(paper, former.trusted()) == f"{JIANGSU}（演示）"
    with pytest.raises(Refused, match="签章不是签发机关的"):
        paper_signer(paper, keys.trusted())


def test_start_up_does_not_wait_for_what_signs() -> None:
    """PD9: pyHanko takes a second to load, which only those wait for who sign or verify a file."""
    look = "import sys, app; app.create_app({'SECRET_KEY': 's'}); sys.exit('pyhanko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], cwd=Path(authority.__file__).parent.parent).returncode == 0
