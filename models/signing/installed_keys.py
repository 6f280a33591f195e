"""The certificates and public keys in the folder of keys: fingerprints, ends of validity, and which end soon."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key, pkcs12

from models import clock
from models.codes import names_of
from models.signing import hardware_token
from models.signing.keys import Keys
from models.signing.public_files import MOST_FILES, FileStats

log = logging.getLogger(__name__)
WARNED = (7, 30, 90)  # days before the end of a certificate at which operators are told to renew it
KINDS = frozenset({".p12", ".token", ".pub", ".crt"})  # a .key is known by its .pub


@dataclass(frozen=True)
class InstalledKey:
    """A certificate or public key. `province`: six digits, "" for a root or an unknown province; `fingerprint`:
    SHA-256 in hex; `subject`, `ends_at`: of a certificate; `flaw`: why the file cannot be read, then without the
    other values."""

    file: str
    province: str
    fingerprint: str = ""
    subject: str = ""
    ends_at: datetime | None = None
    flaw: str = ""

    @property
    def days_left(self) -> int | None:
        """Whole days until the end of validity, negative after it; None: a bare key."""
        return None if self.ends_at is None else (self.ends_at - clock.now()).days

    @property
    def warned_at(self) -> int | None:
        """The smallest number of days in WARNED that has been reached; None: none yet."""
        left = self.days_left
        return None if left is None else next((days for days in WARNED if left < days), None)


def installed(keys: Keys) -> list[InstalledKey]:
    """Every certificate and public key in the folder, by the names of their files; none if there is no folder.

    Of a folder that cannot be listed, only itself with its flaw.
    """
    try:
        stats = keys.file_stats()
        files = sorted(keys.folder.iterdir()) if keys.folder.is_dir() else []
    except OSError as why:
        log.warning("%s cannot be listed: %s", keys.folder, why)
        return [InstalledKey(keys.folder.name, "", flaw=type(why).__name__)]
    return [key for file in files if file.suffix in KINDS for key in _in_file(file, keys.passphrase, stats)]


def ending(keys: Keys) -> list[InstalledKey]:
    """The certificates that end within the longest time of WARNED, or have ended, the first to end first.

    All roots are included, also those that no certificate here needs: such a root can be taken out of the folder.
    """
    found = [key for key in installed(keys) if key.warned_at is not None]
    return sorted(found, key=lambda key: (key.ends_at or clock.now(), key.file))


def _in_file(file: Path, passphrase: str | None, stats: FileStats) -> Iterator[InstalledKey]:
    province = file.name[:6] if file.name[:6] in names_of("province") else ""
    try:
        for fingerprint, certificate in _objects_in(file, passphrase, stats):
            subject, ends_at = "", None
            if certificate:
                subject = certificate.subject.rfc4514_string()
                ends_at = certificate.not_valid_after_utc.astimezone(clock.SHANGHAI)
            yield InstalledKey(file.name, province, fingerprint, subject, ends_at)
    except (ValueError, TypeError, OSError, UnsupportedAlgorithm, x509.InvalidVersion) as why:
        log.warning("%s cannot be read: %s", file, why)
        yield InstalledKey(file.name, province, flaw=type(why).__name__)


@lru_cache(MOST_FILES)
def _objects_in(
    file: Path, passphrase: str | None, _file_stats: FileStats
) -> list[tuple[str, x509.Certificate | None]]:
    """As _read, once for a file; an error is not remembered: disk or token may answer next time."""
    return list(_read(file, passphrase))


def _read(file: Path, passphrase: str | None) -> Iterator[tuple[str, x509.Certificate | None]]:
    """(fingerprint, certificate or None for a bare key) of each object in a file."""
    content = file.read_bytes()
    if file.suffix == ".pub":
        public = load_pem_public_key(content).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield hashlib.sha256(public).hexdigest(), None
        return
    if file.suffix == ".p12":
        found = [pkcs12.load_key_and_certificates(content, passphrase.encode() if passphrase else None)[1]]
    elif file.suffix == ".token":
        found = [x509.load_der_x509_certificate(hardware_token.load(file, passphrase)[0].signing_cert.dump())]
    else:
        found = list(x509.load_pem_x509_certificates(content))
    for certificate in found:
        if certificate is None:
            raise ValueError("no certificate")
        yield hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(), certificate
