"""A certification authority of cards for tests, and its revocation list."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from models import clock
from models.people.card_authorities import CardAuthorities
from models.workflow import Refused

DAY = timedelta(days=1)
PEM = serialization.Encoding.PEM


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def refusal(authorities: CardAuthorities, card: x509.Certificate) -> str:
    """Why these authorities refuse the card; "" if they accept it."""
    try:
        authorities.check(card)
    except Refused as refused:
        return str(refused)
    return ""


class CardIssuer:
    """Issues cards. Two issuers of one name have different keys, so that neither accepts the other's cards."""

    def __init__(self, folder: Path, name: str = "测试发卡机构", above: "CardIssuer | None" = None) -> None:
        """`above`: the authority that has signed this one; None: self-signed."""
        self.folder, self.name, self.key = folder, named(name), ec.generate_private_key(ec.SECP256R1())
        self.revoked: list[int] = []
        by = above or self
        made = by._builder(self.name, self.key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = made.sign(by.key, hashes.SHA256())

    def _builder(
        self, subject: x509.Name, key: Any, since: timedelta = -DAY, until: timedelta = DAY
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number())
        return made.not_valid_before(clock.now() + since).not_valid_after(clock.now() + until)

    def issue(self, holder: str, since: timedelta = -DAY, until: timedelta = DAY, usage: Any = None) -> Path:
        """A PEM file with the certificate and key of a new card."""
        key, path = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{holder}.pem"
        used = x509.ExtendedKeyUsage([usage or ExtendedKeyUsageOID.CLIENT_AUTH])
        made = self._builder(named(holder), key.public_key(), since, until).add_extension(used, critical=False)
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(PEM) + private)
        return path

    def revoke(self, card: Path) -> None:
        self.revoked.append(x509.load_pem_x509_certificate(card.read_bytes()).serial_number)
        self.publish()

    def publish(self, until: timedelta = DAY) -> Path:
        """Write the revocation list; its path."""
        made = x509.CertificateRevocationListBuilder(self.name).last_update(clock.now() - 2 * DAY)
        made = made.next_update(clock.now() + until)
        for serial in self.revoked:
            entry = x509.RevokedCertificateBuilder(serial, clock.now() - DAY)
            made = made.add_revoked_certificate(entry.build())
        path = self.folder / "crl.pem"
        path.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(PEM))
        return path

    def trusted(self) -> Path:
        """Write a file with the certificate of this authority, as FILING_CARD_CA names it; returns its path."""
        path = self.folder / "card-ca.pem"
        path.write_bytes(self.certificate.public_bytes(PEM))
        return path
