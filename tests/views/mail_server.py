"""A mail server on this machine that accepts or refuses e-mails."""

import ssl
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from models import clock
from tests import free_port

USER, SECRET = "filing", "geheim-2026"


class LocalMailServer:
    """Received e-mails are in `letters`, their recipients in `recipients`; `refuse`: address → answer to RCPT;
    `answers`: answers to the next DATA; `on_accepted` is called after an e-mail has arrived, before the answer."""

    def __init__(self, folder: Path, starttls: bool = False, signs_in: bool = False) -> None:
        self.letters, self.recipients = list[EmailMessage](), list[list[str]]()
        self.refuse, self.answers = dict[str, str](), list[str]()
        self.on_accepted: Any = lambda: None
        self.certificate = certified(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        options: dict[str, Any] = {"tls_context": context, "require_starttls": True} if starttls else {}
        if signs_in:
            options |= {"authenticator": self.authenticate, "auth_required": True, "auth_require_tls": starttls}
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)

    def __enter__(self) -> "LocalMailServer":
        self.controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        if not self.controller.loop.is_closed():
            self.controller.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.controller.port}"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _way: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(USER.encode(), SECRET.encode()))

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        raw = envelope.content
        assert isinstance(raw, bytes)
        self.letters.append(message_from_bytes(raw, policy=policy.SMTP))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        self.on_accepted()
        return "250 OK"


def certified(folder: Path) -> Path:
    """A certificate of 127.0.0.1 and its key, in one PEM file."""
    key, name = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "mail.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
    return file
