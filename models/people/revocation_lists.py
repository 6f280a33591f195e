"""Which certificate revocation list (CRL, RFC 5280) decides about a certificate: of a card, or of a signing key."""

from collections.abc import Iterable

from cryptography import x509

from models import clock
from models.people.certificates import INVALID, Crl, extensions_of, is_signed


def newest_list(
    lists: Iterable[Crl], certificate: x509.Certificate, issuer: x509.Certificate
) -> x509.CertificateRevocationList | None:
    """The newest valid CRL of this issuer that would name this certificate; it may have ended (is_current)."""
    of_issuer = [crl for crl in lists if crl.content.issuer == issuer.subject]
    whole = [crl.content for crl in of_issuer if is_signed(crl, issuer) and _would_name(crl.content, certificate)]
    return max(whole, key=lambda crl: crl.last_update_utc, default=None)


def is_current(crl: x509.CertificateRevocationList) -> bool:
    return crl.next_update_utc is not None and crl.last_update_utc <= clock.now() <= crl.next_update_utc


def _would_name(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether the CRL is complete for the certificate: of its distribution point, and no delta CRL (RFC 5280, 5.2)."""
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
    """Whether a CRL for one distribution point covers this certificate: both name the same address."""
    constraints = extensions_of(certificate).get(x509.BasicConstraints)
    is_authority = bool(constraints and constraints.ca)
    others = part.only_contains_user_certs if is_authority else part.only_contains_ca_certs
    if (
        others
        or part.only_contains_attribute_certs
        or part.indirect_crl
        or part.only_some_reasons
        or part.relative_name
    ):
        return False
    points = extensions_of(certificate).get(x509.CRLDistributionPoints, ())
    named = {name for point in points for name in point.full_name or ()}
    return part.full_name is None or not named.isdisjoint(part.full_name)
