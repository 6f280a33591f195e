"""A real time stamp authority (`openssl ts` behind an HTTP server), and the authorities that certify it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from models import clock

DAY = timedelta(days=1)
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


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Issuer:
    """A certification authority with its lists of revoked certificates."""

    def __init__(self, name: str, above: "Issuer | None" = None) -> None:
        """`above`: the authority that has certified this one; None: self-signed."""
        self.name, self.key = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            generate_private_key(SECP256R1()),
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        authority = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = (above or self).certify(self.name, self.key, 8000, authority, usage)

    def certify(self, subject: x509.Name, key: Any, days: int, *extensions: x509.ExtensionType) -> x509.Certificate:
        """A certificate that began 400 days ago and has `days` left."""
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(clock.now() - 400 * DAY).not_valid_after(clock.now() + days * DAY)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, SHA256())

    def crl(self, *revoked: x509.Certificate, since: timedelta = -3 * DAY, until: timedelta = DAY) -> bytes:
        """Its list, in PEM."""
        builder = x509.CertificateRevocationListBuilder(self.name).last_update(clock.now() + since)
        builder = builder.next_update(clock.now() + until)
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder(certificate.serial_number, clock.now() - 4 * DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Authority:
    """A time stamp authority: folder with its keys, its issuer, and `mood`: "" (correct), `away` (503), `garbled`."""

    home: Path
    issuer: Issuer
    certificate: x509.Certificate
    mood: str = ""
    asked: int = 0
    address: str = ""

    def answer(self, question: bytes) -> bytes:
        self.asked += 1
        asked, given = self.home / "question", self.home / "answer"
        asked.write_bytes(question)
        command = ["openssl", "ts", "-reply", "-config", self.home / "cnf", "-queryfile", asked, "-out", given]
        subprocess.run(command, check=True, capture_output=True)
        return given.read_bytes()


def established(home: Path) -> Authority:
    """An authority with new keys in this folder."""
    home.mkdir()
    issuer, key = Issuer("Root"), generate_private_key(SECP256R1())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    leaf = issuer.certify(named("TSA"), key, 3000, usage)
    (home / "ca.crt").write_bytes(issuer.certificate.public_bytes(Encoding.PEM))
    (home / "tsa.crt").write_bytes(leaf.public_bytes(Encoding.PEM))
    (home / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (home / "serial").write_text("01\n")
    (home / "cnf").write_text(CONFIGURATION.format(home=home))
    return Authority(home, issuer, leaf)


@contextmanager
def running(own: Authority) -> Iterator[None]:
    """Its server, at `own.address`."""

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
    own.address = f"http://127.0.0.1:{server.server_port}/"
    yield
    server.shutdown()
    server.server_close()
