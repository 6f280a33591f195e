"""Certificates and CRLs from files, cached and read again when the file has changed."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

BEGIN_CRL = b"-----BEGIN X509 CRL-----"
# What `cryptography` raises for certificates and CRLs that are invalid or cannot be parsed.
INVALID = (
    ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm,
    x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType,
)  # fmt: skip


Identity = tuple[Path, int, int, int]  # path, inode, time of the last change (ns), size


@dataclass(frozen=True, eq=False)
class Crl:
    """A CRL from a file, one object for each version of the file: its signature is verified once for each issuer."""

    content: x509.CertificateRevocationList


def has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except INVALID:
        return False
    return True


@lru_cache(16)
def is_signed(crl: Crl, issuer: x509.Certificate) -> bool:
    try:
        return bool(crl.content.is_signature_valid(issuer.public_key()))  # type: ignore[arg-type]
    except INVALID:
        return False


def extensions_of(certificate: x509.Certificate) -> dict[type, Any]:
    """Class → extension."""
    return {type(extension.value): extension.value for extension in certificate.extensions}


def certificates_in(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file; none when it cannot be read, so that no card is accepted then."""
    try:
        return _certificates(_identity(path))
    except OSError:
        return ()


def crls_in(path: Path) -> tuple[Crl, ...]:
    """The CRLs of a PEM file, or the one of a DER file; none when it cannot be read."""
    try:
        return _crls(_identity(path))
    except OSError:
        return ()


def _identity(path: Path) -> Identity:
    """Zeros for a missing file."""
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0, 0
    return path, found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(128)
def _certificates(identity: Identity) -> tuple[x509.Certificate, ...]:
    """Raises OSError, so that a failed read is not cached."""
    path, _inode, _changed, size = identity
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes())) if size else ()
    except INVALID:
        return ()


@lru_cache(16)  # lists may be large, and a replaced one stays until it is pushed out
def _crls(identity: Identity) -> tuple[Crl, ...]:
    """Raises OSError, so that a failed read is not cached."""
    path, _inode, _changed, size = identity
    content = path.read_bytes() if size else b""
    try:
        if BEGIN_CRL not in content:
            return (Crl(x509.load_der_x509_crl(content)),) if content else ()
        return tuple(Crl(x509.load_pem_x509_crl(BEGIN_CRL + part)) for part in content.split(BEGIN_CRL)[1:])
    except INVALID:
        return ()
