"""The authorities whose card certificates are accepted (a PEM file), and their certificate revocation lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask_babel import lazy_gettext as _l

from models import clock
from models.people.card_chain import chain_of
from models.people.certificates import INVALID, certificates_in, crls_in, extensions_of, has_signed, is_signed
from models.people.revocation_lists import is_current, newest_list
from models.workflow import Refused


@dataclass(frozen=True)
class CardAuthorities:
    """`issuers`: PEM file of the authorities, intermediate ones too; `revoked`: their CRLs, PEM, or one in DER.

    Both files are read again when they have changed. Certificates of an authority without a valid CRL are refused.
    """

    issuers: Path
    revoked: Path

    def check(self, certificate: x509.Certificate) -> None:
        """Raises Refused unless the certificate has a valid path to an accepted authority without revoked ones."""
        issuer = self.issuer_of(certificate)
        if issuer is None:
            raise Refused(_l("这张卡的证书不是由本系统认可的机构签发的，请换用已登记的卡。"))
        _assert_in_time(certificate, issuer)
        if not _may_sign_in(certificate):
            raise Refused(_l("这张卡的证书不能用于登录，请换用登录证书。"))
        chain = chain_of(certificate, certificates_in(self.issuers), clock.now())
        if chain is None:
            raise Refused(_l("这张卡的证书链没有通过核验，不能登录，请用用户名登录，并告知系统管理员。"))
        for each, above in pairwise(chain):
            self._assert_not_revoked(each, above)

    def _assert_not_revoked(self, certificate: x509.Certificate, issuer: x509.Certificate) -> None:
        crl = newest_list(crls_in(self.revoked), certificate, issuer)
        if crl is None or not is_current(crl):
            raise Refused(_l("发卡机构的吊销列表缺失或已过期，暂时不能用卡登录，请用用户名登录，并告知系统管理员。"))
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise Refused(_l("这张卡的证书已被吊销，不能登录，请联系发卡机构。"))

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """The certificate of its issuer; of several, the one that is valid longest. None: no accepted authority."""
        signers = [each for each in certificates_in(self.issuers) if has_signed(each, certificate)]
        return max(signers, key=lambda each: each.not_valid_after_utc, default=None)

    def without_list(self) -> Iterator[x509.Certificate]:
        """Authorities whose cards are all refused: their certificate is not valid now, or they have no valid CRL."""
        now, lists = clock.now(), [crl for crl in crls_in(self.revoked) if is_current(crl.content)]
        for issuer in certificates_in(self.issuers):
            of_issuer = [crl for crl in lists if crl.content.issuer == issuer.subject and is_signed(crl, issuer)]
            if not of_issuer or not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
                yield issuer

    def are_usable(self) -> bool:
        """Whether every authority has a valid CRL (see without_list)."""
        return bool(certificates_in(self.issuers)) and next(self.without_list(), None) is None


def _assert_in_time(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    now = clock.now()
    if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
        raise Refused(_l("发卡机构的证书不在有效期内，暂时不能用卡登录，请用用户名登录，并告知系统管理员。"))
    if now < certificate.not_valid_before_utc:
        raise Refused(_l("这张卡的证书尚未生效，请核对后再试。"))
    if now > certificate.not_valid_after_utc:
        raise Refused(_l("这张卡的证书已过期，请向发卡机构更新，再由系统管理员登记。"))


def _may_sign_in(certificate: x509.Certificate) -> bool:
    """Whether it may be used to sign in: not a CA certificate, and not for encryption (whose keys are in escrow)."""
    try:
        found = extensions_of(certificate)
    except INVALID:  # an extension that cannot be read
        return False
    constraints, usage = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    extended = found.get(x509.ExtendedKeyUsage)
    if (constraints and constraints.ca) or (usage and not usage.digital_signature):
        return False
    return extended is None or ExtendedKeyUsageOID.CLIENT_AUTH in extended
