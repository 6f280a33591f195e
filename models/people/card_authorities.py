"""Whose card certificates are accepted: the issuers of a PEM file, and what they have revoked."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask_babel import gettext as _

from models import clock
from models.workflow import Refused

BEGIN_CRL = b"-----BEGIN X509 CRL-----"
# What the package raises for certificates and lists that do not hold, or cannot be read.
INVALID = (
    ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm,
    x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip


@dataclass(frozen=True)
class CardAuthorities:
    """`issuers`: PEM file of the certificates that sign cards directly; `revoked`: their CRLs, PEM, or one in DER.

    Both files are read again when they have changed. Whoever has no valid CRL here is not accepted.
    """

    issuers: Path
    revoked: Path

    def check(self, certificate: x509.Certificate) -> None:
        """Raises Refused unless the certificate was issued by one of them, holds now, and is not revoked."""
        issuer = self.issuer_of(certificate)
        if issuer is None:
            raise Refused(_("这张卡的证书不是由本系统认可的机构签发的，请换用已登记的卡。"))
        now = clock.now()
        if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
            raise Refused(_("发卡机构的证书不在有效期内，暂时不能用卡登录，请用用户名登录，并告知系统管理员。"))
        if now < certificate.not_valid_before_utc:
            raise Refused(_("这张卡的证书尚未生效，请核对后再试。"))
        if now > certificate.not_valid_after_utc:
            raise Refused(_("这张卡的证书已过期，请向发卡机构更新，再由系统管理员登记。"))
        if not _may_sign_in(certificate):
            raise Refused(_("这张卡的证书不能用于登录，请换用登录证书。"))
        crl = self._crl_for(certificate, issuer)
        if crl is None or crl.next_update_utc is None or crl.next_update_utc < now:
            raise Refused(_("发卡机构的吊销列表缺失或已过期，暂时不能用卡登录，请用用户名登录，并告知系统管理员。"))
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise Refused(_("这张卡的证书已被吊销，不能登录，请联系发卡机构。"))

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """Who has signed it; of several certificates of one issuer, the one that holds longest."""
        signers = [each for each in _certificates(*_state(self.issuers)) if _has_signed(each, certificate)]
        return max(signers, key=lambda each: each.not_valid_after_utc, default=None)

    def _crl_for(
        self, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> x509.CertificateRevocationList | None:
        """The newest valid CRL of this issuer that would name this certificate."""
        mine = [crl for crl in _crls(*_state(self.revoked)) if crl.issuer == issuer.subject]
        whole = [crl for crl in mine if _is_signed(crl, issuer) and _would_name(crl, certificate)]
        return max(whole, key=lambda crl: crl.last_update_utc, default=None)


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except INVALID:
        return False
    return True


def _is_signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return bool(crl.is_signature_valid(issuer.public_key()))  # type: ignore[arg-type]
    except INVALID:
        return False


def _would_name(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether it names all that are revoked, of the part that this certificate is in: no delta (RFC 5280, 5.2)."""
    try:
        for extension in crl.extensions:
            part = extension.value
            if extension.critical and not (
                isinstance(part, x509.IssuingDistributionPoint) and _is_part_of(certificate, part)
            ):
                return False
    except INVALID:
        return False
    return True


def _is_part_of(certificate: x509.Certificate, part: x509.IssuingDistributionPoint) -> bool:
    """Whether a CRL for this part of the certificates is for this one: it names the same address."""
    others = part.only_contains_ca_certs or part.only_contains_attribute_certs
    if others or part.indirect_crl or part.only_some_reasons or part.relative_name:
        return False
    points = _extensions(certificate).get(x509.CRLDistributionPoints, ())
    named = {name for point in points for name in point.full_name or ()}
    return part.full_name is None or not named.isdisjoint(part.full_name)


def _may_sign_in(certificate: x509.Certificate) -> bool:
    """Whether it is for signing in: not of an authority, nor the encryption certificate, whose key others keep too."""
    try:
        found = _extensions(certificate)
    except INVALID:  # an extension that cannot be read
        return False
    constraints, usage = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    extended = found.get(x509.ExtendedKeyUsage)
    if (constraints and constraints.ca) or (usage and not usage.digital_signature):
        return False
    return extended is None or ExtendedKeyUsageOID.CLIENT_AUTH in extended


def _extensions(certificate: x509.Certificate) -> dict[type, Any]:
    """Class → extension."""
    return {type(extension.value): extension.value for extension in certificate.extensions}


def _state(path: Path) -> tuple[Path, int, int]:
    """(path, time of the last change, size); zeros for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0
    return path, found.st_mtime_ns, found.st_size


@lru_cache(8)
def _certificates(path: Path, _changed: int, size: int) -> tuple[x509.Certificate, ...]:
    """Empty when the file cannot be read: nobody is accepted then."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes())) if size else ()
    except (OSError, ValueError):
        return ()


@lru_cache(8)
def _crls(path: Path, _changed: int, size: int) -> tuple[x509.CertificateRevocationList, ...]:
    """Empty when the file cannot be read: nobody is accepted then."""
    try:
        content = path.read_bytes() if size else b""
        if BEGIN_CRL not in content:
            return (x509.load_der_x509_crl(content),) if content else ()
        return tuple(x509.load_pem_x509_crl(BEGIN_CRL + part) for part in content.split(BEGIN_CRL)[1:])
    except (OSError, ValueError):
        return ()
