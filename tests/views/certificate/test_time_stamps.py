"""Time stamps in the signatures of papers, by a real authority: `openssl ts` behind a small server."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from flask import Flask

from app import create_app
from models import clock
from models.certificate import Paper
from models.certificate.paper_queue import PaperTask
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.certificate.test_paper_worker import count, round_of, task_of

CONFIGURATION = """
[tsa]
default_tsa = own
[own]
serial = {home}/serial
signer_cert = {home}/tsa.crt
certs = {home}/ca.crt
signer_key = {home}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def certificate(name: str, issuer: Any = None) -> tuple[x509.Certificate, Any]:
    """A root, or the certificate of an authority for time stamps under it."""
    key, subject = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signer_key = issuer or (None, key)
    start = datetime.now(UTC) - timedelta(days=800)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
    )
    if issuer:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer_key, SHA256()), key


@dataclass
class Authority:
    """The folder with its keys, and how it answers: as it should, `away`, or `garbled`."""

    home: Path
    mood: str = ""
    asked: int = 0

    def answer(self, question: bytes) -> bytes:
        self.asked += 1
        asked, given = self.home / "question", self.home / "answer"
        asked.write_bytes(question)
        command = ["openssl", "ts", "-reply", "-config", self.home / "cnf", "-queryfile", asked, "-out", given]
        subprocess.run(command, check=True, capture_output=True)
        return given.read_bytes()


@pytest.fixture
def time_stamp_authority(app: Flask, tmp_path: Path) -> Iterator[Authority]:
    """A running time stamp authority, set in the application's settings."""
    home = tmp_path / "tsa"
    home.mkdir()
    root = certificate("Root")
    leaf, key = certificate("TSA", root)
    (home / "ca.crt").write_bytes(root[0].public_bytes(Encoding.PEM))
    (home / "tsa.crt").write_bytes(leaf.public_bytes(Encoding.PEM))
    (home / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (home / "serial").write_text("01\n")
    (home / "cnf").write_text(CONFIGURATION.format(home=home))
    own = Authority(home)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            body = b"<html>maintenance" if own.mood == "garbled" else b"" if own.mood else own.answer(question)
            self.send_response(503 if own.mood == "away" else 200)
            self.send_header("Content-Type", "text/html" if own.mood == "away" else "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """Log no requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    app.config |= {"TSA": f"http://127.0.0.1:{server.server_port}/", "TSA_CA": str(home / "ca.crt")}
    yield own
    server.shutdown()
    server.server_close()


def verified(app: Flask, paper: bytes, folder: Path) -> Result:
    """`flask certificate verify` of this file."""
    file = folder / "证明.pdf"
    file.write_bytes(paper)
    return app.test_cli_runner().invoke(args=["certificate", "verify", str(file)])


def test_a_paper_has_a_trusted_time_stamp(
    app: Flask, make_application: MakeApplication, time_stamp_authority: Authority, printed_paper: Any, tmp_path: Path
) -> None:
    """PAdES B-T: another program finds the stamp valid, and it does not end with the certificate of the authority."""
    paper = printed_paper(make_application(status="filed"))
    (tmp_path / "paper.pdf").write_bytes(paper)
    assert time_stamp_authority.asked >= 1
    done = verified(app, paper, tmp_path)
    assert done.exit_code == 0, done.output
    assert f"签名：PAdES B-T（时间戳 {clock.today()}" in done.output
    report = subprocess.run(
        ["pdfsig", "-nocert", str(tmp_path / "paper.pdf")], capture_output=True, text=True, check=True
    )
    assert "Signature is Valid." in report.stdout
    assert "Total document signed" in report.stdout
    app.config |= {"TSA": None, "TSA_CA": None}
    assert "签名：PAdES B-B（没有可信时间戳）" in verified(app, paper, tmp_path).output


@pytest.mark.parametrize("mood", ["away", "garbled"])
def test_an_unavailable_time_stamp_authority_delays_papers_and_is_reported_to_the_operator(
    app: Flask,
    make_application: MakeApplication,
    time_stamp_authority: Authority,
    client_as: ClientAs,
    mood: str,
    advance_clock: Any,
) -> None:
    """Never silently without: it is no fault of the paper, which is made as soon as the authority answers again."""
    time_stamp_authority.mood = mood
    key = make_application(status="filed")
    for _round in range(7):
        (why,) = round_of(app)
        assert why.startswith("没有取得时间戳（")
        advance_clock()
    assert (count(app, Paper), task_of(app, key).faults, task_of(app, key).set_aside_at) == (0, 0, None)
    page = client_as("operator").get("/condition/").text
    assert "没有取得时间戳（" in page
    assert "请检查时间戳服务和" in page
    time_stamp_authority.mood = ""
    assert round_of(app) == []
    assert (count(app, Paper), count(app, PaperTask)) == (1, 0)


def test_a_stamp_of_an_authority_that_is_not_trusted_is_refused(
    app: Flask, make_application: MakeApplication, time_stamp_authority: Authority, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.crt"
    stranger.write_bytes(certificate("Stranger")[0].public_bytes(Encoding.PEM))
    app.config["TSA_CA"] = str(stranger)
    key = make_application(status="filed")
    (why,) = round_of(app)
    assert "时间戳不是由 FILING_TSA_CA 中的根证书签发" in why
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TSA": "http://tsa.example/"}, "应同时设置"),
        ({"TSA": "tsa.example", "TSA_CA": __file__}, "应为 http:// 或 https:// 地址"),
        ({"TSA": "http://tsa.example/", "TSA_CA": __file__}, "不是可读的 PEM 证书文件"),
        ({"TSA": "http://tsa.example/", "TSA_CA": "/nowhere"}, "不是可读的 PEM 证书文件"),
    ],
)
def test_incomplete_time_stamp_settings_stop_the_start(settings: dict[str, str], words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"} | settings)
