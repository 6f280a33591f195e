"""PAdES B-LT: papers contain the lists of revoked certificates, and prove themselves when their certificates ended."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from click import ClickException
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from flask import Flask
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed

from app import create_app
from models import clock
from models.certificate import Paper
from models.workflow import Refused
from tests.conftest import MakeApplication
from tests.views.certificate.past_validation import verdict
from tests.views.certificate.stamps import DAY, Authority, Issuer, named
from tests.views.certificate.test_paper_worker import count, round_of, task_of
from views.demo import signing_keys
from views.resources import keys

Later = Callable[[], None]
Verified = Callable[[bytes], Any]
MISSING = "江苏省新闻出版局的签章证书没有有效的吊销列表（320000.crl），证明暂不制作，稍后自动重试。请更新吊销列表。"
UNPROVED = "按现有的吊销列表，无法确认签章和时间戳的证书未被吊销"


@dataclass
class Signer:
    """The folder with the keys of 江苏, the root, the authority under it, and the certificate that this one issued."""

    folder: Path
    root: Issuer
    between: Issuer
    certificate: x509.Certificate

    def publish(self, *lists: bytes) -> None:
        """Put these lists in place; none: those of root and authority, without revoked certificates."""
        (self.folder / "320000.crl").write_bytes(b"".join(lists or (self.root.crl(), self.between.crl())))


@pytest.fixture(params=["under an authority"])
def signer(app: Flask, tmp_path: Path, request: pytest.FixtureRequest) -> Signer:
    """Keys set in the application's settings; the certificate has 30 days left."""
    folder, root = tmp_path / "seal", Issuer("签章根证书")
    signing_keys.establish(folder, ["320000"])
    between = root if request.param == "under the root" else Issuer("签章机构", root)
    usage, key = x509.KeyUsage(True, True, *[False] * 7), generate_private_key(SECP256R1())
    leaf = between.certify(named("江苏省新闻出版局电子印章"), key, 30, usage)
    bundle = pkcs12.serialize_key_and_certificates(b"seal", key, leaf, [between.certificate], NoEncryption())
    (folder / "320000.p12").write_bytes(bundle)
    (folder / "root.crt").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    app.config["SIGNING_KEY"] = str(folder)
    return Signer(folder, root, between, leaf)


@pytest.fixture
def lists(app: Flask, signer: Signer, time_stamp_authority: Authority) -> Path:
    """The lists of those who certified the signer and the time stamp authority, in place; the file of the latter."""
    file = time_stamp_authority.home / "tsa.crl"
    file.write_bytes(time_stamp_authority.issuer.crl())
    signer.publish()
    app.config["TSA_CRL"] = str(file)
    return file


# The validator applies lists of an intermediate authority only while they are current, so the signer is under the root.
@pytest.mark.parametrize("signer", ["under the root"], indirect=True)
def test_a_paper_with_revocation_lists_proves_itself_after_its_certificates_have_ended(
    app: Flask,
    make_application: MakeApplication,
    signer: Signer,
    time_stamp_authority: Authority,
    lists: Path,
    printed_paper: Any,
    verified: Verified,
) -> None:
    """Offline, by another validator than ours: when the lists, the signer's, and the stamp's certificate have ended."""
    paper = printed_paper(make_application(status="filed"))
    assert f"签名：PAdES B-LT（时间戳 {clock.today()}" in verified(paper).output
    for days in (2, 400, 4000):
        found = verdict(paper, signer.root, time_stamp_authority.issuer, clock.now() + days * DAY)
        assert (found.ades_subindic, found.api_status.coverage.name) == (AdESPassed.OK, "ENTIRE_FILE")
    app.config["TSA_CRL"] = None
    without = printed_paper(make_application(status="filed"))
    assert "签名：PAdES B-T（" in verified(without).output
    assert isinstance(
        verdict(without, signer.root, time_stamp_authority.issuer, clock.now()).ades_subindic, AdESIndeterminate
    )


def test_the_lists_are_part_of_what_is_signed(
    make_application: MakeApplication, lists: Path, printed_paper: Any, tmp_path: Path
) -> None:
    """In the signature's own revision: the paper still permits no change, and other programs find it whole."""
    (tmp_path / "paper.pdf").write_bytes(printed_paper(make_application(status="filed")))
    report = subprocess.run(["pdfsig", "-nocert", tmp_path / "paper.pdf"], capture_output=True, text=True, check=True)
    assert "Signature is Valid." in report.stdout
    assert "Total document signed" in report.stdout
    subprocess.run(["qpdf", "--check", tmp_path / "paper.pdf"], capture_output=True, check=True)
    with pikepdf.open(tmp_path / "paper.pdf") as opened:
        stored = opened.Root.DSS
        found = {x509.load_der_x509_crl(bytes(each.read_raw_bytes())).issuer.rfc4514_string() for each in stored.CRLs}
        assert found == {"CN=签章根证书", "CN=签章机构", "CN=Root"}
        assert (len(stored.Certs), "/VRI" in stored, opened.pdf_version) == (5, False, "1.7")
        assert opened.Root.Perms.DocMDP.Reference[0].TransformParams.P == 1


def test_no_paper_is_signed_with_a_revoked_certificate(
    app: Flask, make_application: MakeApplication, signer: Signer, advance_clock: Later
) -> None:
    """Neither one granted before, nor anything new; also by a list that has ended."""
    key = make_application(status="filed")
    for until in (DAY, -DAY):
        signer.publish(signer.root.crl(), signer.between.crl(signer.certificate, until=until))
        assert_refused(app, "江苏省新闻出版局的签章证书已被吊销，不能签发证明，请联系系统管理员更换。")
    signer.publish(signer.root.crl(signer.between.certificate), signer.between.crl())
    assert_refused(app, "江苏省新闻出版局的签章证书已被吊销，不能签发证明，请联系系统管理员更换。")
    assert round_of(app) != []
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)
    advance_clock()
    signer.publish()
    assert round_of(app) == []
    assert count(app, Paper) == 1


def assert_refused(app: Flask, sentence: str) -> None:
    with app.app_context(), pytest.raises(Refused, match=sentence):
        keys().signer("320000")


@pytest.mark.parametrize(
    "lists",
    [
        lambda signer: [signer.root.crl(), signer.between.crl(until=-DAY)],
        lambda signer: [signer.between.crl()],
        lambda signer: [signer.root.crl(), Issuer("签章机构", signer.root).crl()],
        lambda signer: [signer.root.crl(), signer.between.crl(since=DAY / 24)],
    ],
    ids=["ended", "one lacks", "of a stranger", "of a fast clock"],
)
def test_papers_wait_for_the_lists_of_the_signer(
    app: Flask,
    make_application: MakeApplication,
    signer: Signer,
    advance_clock: Later,
    lists: Callable[[Signer], list[bytes]],
) -> None:
    """A list in the folder of keys that does not decide is never passed over, with a time stamp or without."""
    signer.publish(*lists(signer))
    key = make_application(status="filed")
    assert round_of(app) == [MISSING]
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)
    advance_clock()
    signer.publish()
    assert round_of(app) == []
    assert count(app, Paper) == 1


@pytest.mark.parametrize(
    "published",
    [
        lambda authority: authority.issuer.crl(until=-DAY),
        lambda authority: authority.issuer.crl(authority.certificate),
        lambda authority: Issuer("Root").crl(),
        lambda authority: b"",
    ],
    ids=["ended", "revoked", "of a stranger", "empty"],
)
def test_papers_wait_for_the_lists_of_the_time_stamp_authority(
    app: Flask,
    make_application: MakeApplication,
    time_stamp_authority: Authority,
    lists: Path,
    advance_clock: Later,
    published: Callable[[Authority], bytes],
) -> None:
    lists.write_bytes(published(time_stamp_authority))
    key = make_application(status="filed")
    (why,) = round_of(app)
    assert UNPROVED in why
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)
    advance_clock()
    lists.write_bytes(time_stamp_authority.issuer.crl())
    assert round_of(app) == []
    assert count(app, Paper) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TSA_CRL": __file__}, "FILING_TSA_CRL 只与 FILING_TSA 一起使用"),
        ({"TSA": "http://tsa.example/", "TSA_CRL": "missing.crl"}, "FILING_TSA_CRL 所指的文件不存在"),
    ],
)
def test_unusable_lists_stop_the_start(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    roots = tmp_path / "roots.crt"
    roots.write_bytes(Issuer("Root").certificate.public_bytes(Encoding.PEM))
    known = {"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"}
    known |= {"TSA_CA": str(roots)} if "TSA" in settings else {}
    with pytest.raises(ClickException, match=words):
        create_app(known | settings)
