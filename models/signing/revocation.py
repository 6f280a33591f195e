"""Revocation of the certificates that sign papers, by lists (CRL) in files: nothing is fetched.

`320000*.crl` in the folder of keys (PEM or DER) are the lists of those who issued the certificate of a province and
the intermediate certificates above it; FILING_TSA_CRL is the same for the time stamp authority.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509

from models.people.certificates import Crl, crls_in, has_signed
from models.people.revocation_lists import is_current, newest_list

Lists = tuple[Crl, ...]


class NoRevocationData(RuntimeError):
    """No current list proves that the certificates of the time stamp authority are not revoked."""


def files_beside(folder: Path, province: str) -> list[Path]:
    """The files of lists for this province (six digits)."""
    return sorted(folder.glob(f"{province}*.crl"))


def lists_in(files: Iterable[Path]) -> Lists:
    """The lists in these files; an unreadable file has none."""
    return tuple(crl for file in files for crl in crls_in(file))


def is_revoked(certificates: Iterable[x509.Certificate], lists: Lists) -> bool:
    """Whether the first certificate or one above it is revoked by the newest list of its issuer, current or not."""
    for certificate, issuer in _with_issuers(certificates):
        crl = newest_list(lists, certificate, issuer)
        if crl is not None and crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            return True
    return False


def is_covered(certificates: Iterable[x509.Certificate], lists: Lists) -> bool:
    """Whether a current list decides about the first certificate, and one about each above it but the root."""
    found = [newest_list(lists, *pair) for pair in _with_issuers(certificates)]
    return bool(found) and all(crl is not None and is_current(crl) for crl in found)


def _with_issuers(certificates: Iterable[x509.Certificate]) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
    """(certificate, its issuer) from the first certificate upwards; the others are in any order."""
    certificate, *above = certificates
    while issuer := next((each for each in above if has_signed(each, certificate)), None):
        yield certificate, issuer
        certificate, above = issuer, [each for each in above if each != issuer]
