"""pyHanko's validation of a paper at a time when its certificates may have ended."""

import asyncio
import io
from contextlib import suppress
from datetime import datetime
from typing import Any

from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, ades, policy_decl
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.poe import KnownPOE, POEType, digest_for_poe
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from models import clock
from tests.views.certificate.stamps import Issuer


def policy(root: Issuer) -> CertValidationPolicySpec:
    """Trust in one root, and no certificate without revocation data."""
    anchor = CertTrustAnchor(Certificate.load(root.certificate.public_bytes(Encoding.DER)))
    return CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([anchor]), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO)
    )


def existed(paper: bytes, at: datetime) -> list[KnownPOE]:
    """Proof of existence (POE) of all objects in the file at that time: the register stored its digest then."""
    reader = PdfFileReader(io.BytesIO(paper))
    (signature,) = reader.embedded_signatures
    (stamp,) = extract_tst_data_iter(signature.signer_info, signed=False)
    found = [each["signature"].native for each in (signature.signer_info, stamp["signer_infos"][0])]
    with suppress(NoDSSFoundError):
        stored = DocumentSecurityStore.read_dss(reader)
        found += [each.dump() for each in stored.load_certs()]
        found += [each.get_object().data for each in stored.crls]
    return [KnownPOE(POEType.PROVIDED, digest_for_poe(each), at) for each in found]


def verdict(paper: bytes, signer: Issuer, stamps: Issuer, moment: datetime) -> Any:
    """The result of pyHanko's validation of signatures with long-term data (ETSI EN 319 102-1) at `moment`, offline.

    `signer`, `stamps`: the trusted roots.
    """
    offline = policy_decl.RevocationInfoGatheringSpec(policy_decl.RevinfoOnlineFetchingRule.LOCAL_ONLY)
    spec = policy_decl.SignatureValidationSpec(
        policy(signer),
        ts_cert_validation_policy=policy(stamps),
        revinfo_gathering_policy=offline,
        local_knowledge=policy_decl.LocalKnowledge(known_poes=existed(paper, clock.now())),
    )
    (signature,) = PdfFileReader(io.BytesIO(paper)).embedded_signatures
    timing = ValidationTimingInfo(validation_time=moment, best_signature_time=moment, point_in_time_validation=True)
    validation = ades.ades_lta_validation(signature, policy_decl.PdfSignatureValidationSpec(spec), timing_info=timing)
    return asyncio.run(validation)
