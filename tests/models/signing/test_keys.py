"""The keys of the authorities: ownership, validity, rotation, and validation of signatures."""

import io
import ssl
import subprocess
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import NameObject, TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from models import clock
from models.certificate import typesetting
from models.certificate.typesetting import Order
from models.signing.keys import Keys
from models.signing.signatures import cms, cms_signer, paper_signature
from models.workflow import Refused
from tests import ROOT
from tests.models.signing.jiangsu import JIANGSU, private, public, refusal
from tests.offices import deliver

UNTRUSTED = f"{JIANGSU}的签章证书不是由受信任的根证书签发，或不能用于签章，不能签发证明，请联系系统管理员核对。"


def test_each_authority_signs_with_its_own_name(keys: Keys) -> None:
    assert keys.signer("320000").name == f"{JIANGSU}（演示）"
    assert keys.signer("440000").name != keys.signer("320000").name
    assert {province for province, _key in keys.code_keys()} == {"320000", "440000"}


def test_demo_keys_are_recognised_by_their_certificate_not_by_their_name(keys: Keys) -> None:
    assert keys.signer("320000").demo
    deliver(keys.folder, "320000", common_name=f"{JIANGSU}（演示）")
    assert not keys.signer("320000").demo


@pytest.mark.parametrize("missing", ["320000.p12", "320000.key"])
def test_issuing_without_a_key_is_refused(keys: Keys, missing: str) -> None:
    """PD4: the sentence names the authority."""
    (keys.folder / missing).unlink()
    assert refusal(keys) == f"尚未配置{JIANGSU}的签章密钥，不能签发证明，请联系系统管理员。"


def test_a_key_that_cannot_be_opened_is_refused_with_a_sentence(keys: Keys) -> None:
    """Another passphrase, a broken file, or a key of another kind."""
    sentence = f"{JIANGSU}的签章密钥无法打开，请联系系统管理员核对密钥和口令。"
    assert refusal(Keys(keys.folder, "wrong")) == sentence
    code_file = keys.folder / "320000.key"
    for content in (b"", b"nonsense", private(generate_private_key(65537, 2048))):
        code_file.write_bytes(content)
        assert refusal(keys) == sentence


@pytest.mark.parametrize("public_key", ["missing", "another's"])
def test_a_code_that_cannot_be_verified_is_never_issued(keys: Keys, public_key: str) -> None:
    """The public key file is missing, or belongs to another private key."""
    (keys.folder / "320000.pub").unlink()
    if public_key == "another's":
        (keys.folder / "320000.pub").write_bytes(public(Ed25519PrivateKey.generate()))
    assert refusal(keys) == f"{JIANGSU}的二维码公钥缺失或与私钥不符，不能签发证明，请联系系统管理员补齐。"


def test_a_signature_that_is_not_trusted_is_never_made(keys: Keys) -> None:
    """The root certificate is missing or unreadable."""
    root = keys.folder / "root.crt"
    for content in (None, b"nonsense"):
        root.unlink() if content is None else root.write_bytes(content)
        assert refusal(keys) == UNTRUSTED


@pytest.mark.parametrize(
    ("issued", "sentence"),
    [
        ({"common_name": "广东省新闻出版局"}, f"签章证书写明的单位不是{JIANGSU}，不能签发证明，请联系系统管理员核对。"),
        ({}, f"签章证书写明的单位不是{JIANGSU}，不能签发证明，请联系系统管理员核对。"),
        ({"common_name": JIANGSU, "signs": False}, UNTRUSTED),
        ({"common_name": JIANGSU, "root_name": "the same name", "another_root": True}, UNTRUSTED),
    ],
    ids=["another authority's", "nobody's", "not for signing", "by a root of the same name"],
)
def test_a_certificate_unsuitable_for_signing_is_refused(keys: Keys, issued: dict[str, Any], sentence: str) -> None:
    """A sample is signed and validated by the same rule as papers."""
    deliver(keys.folder, "320000", **issued)
    assert refusal(keys) == sentence


@pytest.mark.parametrize(
    "issued", [{"common_name": f"{JIANGSU}电子印章"}, {"organization_name": JIANGSU, "common_name": "电子印章"}]
)
def test_a_certificate_names_its_authority_by_name_or_organisation(keys: Keys, issued: dict[str, Any]) -> None:
    """The text of the seal begins with the authority's name."""
    deliver(keys.folder, "320000", **issued)
    assert keys.signer("320000").name.startswith(JIANGSU)


def test_a_broken_file_does_not_stop_other_provinces(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    """The file is skipped and logged; only its own province is refused."""
    for name in ("440000.pub", "440000-2020.pub", "old.crt"):
        (keys.folder / name).write_bytes(b"nonsense")
    assert keys.signer("320000").name == f"{JIANGSU}（演示）"
    assert "二维码公钥缺失或与私钥不符" in refusal(keys, "440000")
    assert {record.args[0].name for record in caplog.records if "left out" in record.msg} == {
        "440000.pub", "440000-2020.pub", "old.crt",
    }  # fmt: skip


def test_a_root_of_an_unknown_version_is_left_out(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    """x509.InvalidVersion is no ValueError. The other root still counts, and papers are signed."""
    root = ssl.PEM_cert_to_DER_cert((keys.folder / "root.crt").read_text())
    version_5 = root.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    (keys.folder / "later.crt").write_text(ssl.DER_cert_to_PEM_cert(version_5))
    assert [trusted.public_bytes(Encoding.DER) for trusted in keys.trusted()] == [root]
    assert keys.signer("320000").name == f"{JIANGSU}（演示）"
    assert [record.args[0].name for record in caplog.records if "left out" in record.msg] == ["later.crt"]


def test_several_roots_may_be_in_one_file(keys: Keys) -> None:
    """As certification authorities deliver them: a bundle, the current root last."""
    deliver(keys.folder.parent / "other", "320000", common_name=JIANGSU)
    (other,) = (keys.folder.parent / "other").glob("*.crt")
    root = keys.folder / "root.crt"
    root.write_bytes(other.read_bytes() + root.read_bytes())
    assert len(keys.trusted()) == 2
    assert keys.signer("320000").name == f"{JIANGSU}（演示）"


def test_a_message_is_signed_and_a_change_is_detected(keys: Keys) -> None:
    data = "报文".encode()
    signature = cms(keys.signer("320000").pyhanko_signer, data)
    assert cms_signer(signature, data, keys.trusted()) == f"{JIANGSU}（演示）"
    for given, of, trusted in ((signature, data + b" ", keys.trusted()), (signature, data, []), (b"x", data, [])):
        with pytest.raises(Refused):
            cms_signer(given, of, trusted)


def test_a_paper_that_was_changed_after_signing_is_refused(keys: Keys, make_pdf: Any) -> None:
    """By an incremental update, which leaves the signed bytes as they were; by a byte; or by its end being lost."""
    paper = typesetting.sign_paper(make_pdf(), 0, (10, 10, 60, 60), Order("", "", clock.today(), keys, "320000"))
    writer, updated = IncrementalPdfFileWriter(io.BytesIO(paper)), io.BytesIO()
    writer.root[NameObject("/Lang")] = TextStringObject("en")
    writer.update_root()
    writer.write(updated)
    assert paper_signature(paper, keys.trusted()).name == f"{JIANGSU}（演示）"
    for changed in (updated.getvalue(), paper[:20] + bytes([paper[20] ^ 1]) + paper[21:], paper + b"%more"):
        with pytest.raises(Refused, match="文件在签章之后被改动过"):
            paper_signature(changed, keys.trusted())
    for broken in (paper[: len(paper) // 2], make_pdf(), b""):
        with pytest.raises(Refused, match="文件不是经签章的备案证明"):
            paper_signature(broken, keys.trusted())


@pytest.mark.slow
def test_start_up_does_not_load_pyhanko() -> None:
    """PD9: pyHanko takes a second to load, so it is imported only to sign or to verify a file."""
    look = "import sys, app; app.create_app({'SECRET_KEY': 's'}); sys.exit('pyhanko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT).returncode == 0
