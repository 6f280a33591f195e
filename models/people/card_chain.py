"""From a card's certificate over intermediate authorities to a trusted one: path validation (RFC 5280, 6).

`cryptography` builds and verifies the path. Its web profile requires host names and extensions that cards do not have,
so this module checks the extensions itself: the CA flags, and that no critical extension is unknown. `cryptography`
does not support SM2: such certificates are refused.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from models.people.certificates import INVALID, has_signed

DEPTH = 4  # intermediate authorities at most


def _is_authority(_policy: Policy, _certificate: x509.Certificate, found: x509.BasicConstraints) -> None:
    if not found.ca:
        raise ValueError("not an authority")


def _signs_certificates(_policy: Policy, _certificate: x509.Certificate, found: x509.KeyUsage | None) -> None:
    if found is not None and not found.key_cert_sign:
        raise ValueError("signs no certificates")


AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
)


def chain_of(
    certificate: x509.Certificate, known: Sequence[x509.Certificate], now: datetime
) -> list[x509.Certificate] | None:
    """The certificate, its issuer, and so on up to a trust anchor; None when there is no valid path.

    `known`: the certificates of authorities. Those that no other one of them has signed are the anchors.
    """
    anchors = [each for each in known if not any(_is_above(other, each) for other in known)]
    between = [each for each in known if each not in anchors]
    if not anchors:
        return None
    policy = PolicyBuilder().store(Store(anchors)).time(now).max_chain_depth(DEPTH)
    verifier = policy.extension_policies(ca_policy=AUTHORITY, ee_policy=ExtensionPolicy.permit_all())
    try:
        return list(verifier.build_client_verifier().verify(certificate, between).chain)
    except (VerificationError, *INVALID):
        return None


def _is_above(other: x509.Certificate, each: x509.Certificate) -> bool:
    """Whether `other` has signed this certificate and is another authority, not another certificate of the same one."""
    return other.subject != each.subject and has_signed(other, each)
