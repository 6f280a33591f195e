"""Whose card certificates are accepted: the issuers of a PEM file, and what they have revoked."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask_babel import gettext as _

from models import clock
from models.workflow import Refused

BEGIN_CRL = b"-----BEGIN X509 CRL-----"


@dataclass(frozen=True)
class CardAuthorities:
    """`issuers`: PEM file of the certificates that sign cards directly; `revoked`: their CRLs, PEM, or one in DER.

    Both files are read again when they have changed. Whoever has no valid CRL here is not accepted.
    """

    issuers: Path
    revoked: Path

    def check(self, certificate: x509.Certificate) -> None:
        """Raises Refused unless the certificate was issued by one of them, holds now, and is not revoked."""
        issuer = self._issuer_of(certificate)
        if issuer is None:
            raise Refused(_("这张卡的证书不是由本系统认可的机构签发的，请换用已登记的卡。"))
        now = clock.now()
        if now < certificate.not_valid_before_utc:
            raise Refused(_("这张卡的证书尚未生效，请核对后再试。"))
        if now > certificate.not_valid_after_utc:
            raise Refused(_("这张卡的证书已过期，请向发卡机构更新，再由系统管理员登记。"))
        if not _may_sign_in(certificate):
            raise Refused(_("这张卡的证书不能用于登录，请换用登录证书。"))
        crl = self._crl_of(issuer)
        if crl is None or (crl.next_update_utc and crl.next_update_utc < now):
            raise Refused(_("发卡机构的吊销列表缺失或已过期，暂时不能用卡登录，请用用户名登录，并告知系统管理员。"))
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise Refused(_("这张卡的证书已被吊销，不能登录，请联系发卡机构。"))

    def _issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        for issuer in _certificates(*_state(self.issuers)):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            return issuer
        return None

    def _crl_of(self, issuer: x509.Certificate) -> x509.CertificateRevocationList | None:
        """The newest valid CRL of this issuer."""
        key = issuer.public_key()
        mine = [crl for crl in _crls(*_state(self.revoked)) if crl.issuer == issuer.subject]
        signed = [crl for crl in mine if crl.is_signature_valid(key)]  # type: ignore[arg-type]
        return max(signed, key=lambda crl: crl.last_update_utc, default=None)


def _may_sign_in(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:  # an extension that cannot be read
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


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
