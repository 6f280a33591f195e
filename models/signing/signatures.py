"""Signatures over messages (CMS) and papers (PDF): made with an authority's keys, validated against trusted roots."""

import asyncio
import io
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask_babel import gettext as _

from models.signing.revocation import Lists
from models.workflow import Refused

if TYPE_CHECKING:
    from pyhanko.sign.signers import Signer as PyHankoSigner

for _library in ("pyhanko", "pyhanko_certvalidator"):  # they log every fault of untrusted bytes
    logging.getLogger(_library).setLevel(logging.CRITICAL)


def subject_names(certificate: Any) -> list[str]:
    """Common names, then organisation names, of a certificate's subject; may be empty."""
    subject = certificate.subject.native
    parts = (subject.get(part) for part in ("common_name", "organization_name"))
    return [str(name) for part in parts if part for name in ([part] if isinstance(part, str) else part)]


def name_for(certificate: Any, authority: str) -> str | None:
    """The first subject name that begins with the authority's name, or None: the certificate is not the authority's."""
    return next((name for name in subject_names(certificate) if name.startswith(authority)), None)


def cms(signer: "PyHankoSigner", data: bytes) -> bytes:
    """A detached signature over `data` (CMS, DER; SHA-256)."""
    return _run(signer.async_sign_general_data(data, "sha256", detached=True)).dump()


def cms_signer(signature: bytes, data: bytes, trusted: list[x509.Certificate], moment: datetime | None = None) -> str:
    """The subject name of the signer of `data`; raises Refused when the signature is invalid or untrusted.

    `moment`: when the certificates must be valid (default: now).
    """
    from asn1crypto.cms import ContentInfo
    from pyhanko.sign.validation import async_validate_detached_cms

    try:
        content = ContentInfo.load(signature)["content"]
        status = _run(async_validate_detached_cms(data, content, validation_context(trusted, moment)))
    except Exception:  # parsers raise errors of every kind on broken bytes
        raise Refused(_("签名无法识别。")) from None
    if not (status.intact and status.valid and status.trusted):
        raise Refused(_("签名与内容不符，或签名人不可信。"))
    return _signer_name(status)


@dataclass(frozen=True)
class PaperSignature:
    """The signer, and the time of a trusted time stamp; None: it has none (PAdES B-B).

    `is_long_term`: lists in the file prove that no certificate was revoked at that time (PAdES B-LT).
    """

    name: str
    stamped_at: datetime | None
    is_long_term: bool = False


def paper_signature(
    paper: bytes,
    trusted: list[x509.Certificate],
    authority: str = "",
    stampers: list[x509.Certificate] | None = None,
) -> PaperSignature:
    """The signature over this whole PDF; raises Refused unless it is this authority's and nothing was changed since.

    `stampers`: the roots of the time stamp authority.

    Validated as of the signing time in the PDF: a certificate that has expired since does not invalidate it, and the
    database knows whether this file was issued then. Only for files that we issued: pyHanko takes minutes to
    parse a malicious PDF.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import async_validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        reader = PdfFileReader(io.BytesIO(paper))
        first = reader.embedded_regular_signatures[0]
        context = validation_context(trusted, first.self_reported_timestamp)
        stamps = validation_context(stampers or [], first.self_reported_timestamp)
        status = _run(async_validate_pdf_signature(first, context, ts_validation_context=stamps))
    except Exception:
        raise Refused(_("文件不是经签章的备案证明，或已经损坏。请向签发机关索取原件。")) from None
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE and status.docmdp_ok
    if not (status.intact and status.valid and whole):
        raise Refused(_("文件在签章之后被改动过，请勿采信，并向签发机关核实。"))
    if not (status.trusted and name_for(status.signing_cert, authority) is not None):
        raise Refused(_("文件的签章不是签发机关的，请勿采信，并向签发机关核实。"))
    stamp = status.timestamp_validity
    good = stamp is not None and stamp.intact and stamp.valid and stamp.trusted
    if not good:
        return PaperSignature(_signer_name(status), None)
    is_long_term = _is_long_term(reader, stamp.timestamp, trusted, stampers or [])
    return PaperSignature(_signer_name(status), stamp.timestamp, is_long_term)


def _is_long_term(
    reader: Any, stamped_at: datetime, trusted: list[x509.Certificate], stampers: list[x509.Certificate]
) -> bool:
    """Whether the first signature and its time stamp were valid when stamped, by the revocation lists in the file."""
    from pyhanko.sign.validation import DocumentSecurityStore, async_validate_pdf_signature
    from pyhanko.sign.validation.errors import NoDSSFoundError

    first = reader.embedded_regular_signatures[0]
    try:
        stored = DocumentSecurityStore.read_dss(reader)
        contexts = [
            stored.as_validation_context(_trust(roots) | {"moment": stamped_at, "revocation_mode": "require"})
            for roots in (trusted, stampers)
        ]
        status = _run(async_validate_pdf_signature(first, contexts[0], ts_validation_context=contexts[1]))
    except NoDSSFoundError:
        return False
    return bool(status.trusted and status.timestamp_validity.trusted)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of the coroutine, run in another thread: this one may already have a running event loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


def _signer_name(status: Any) -> str:
    return next(iter(subject_names(status.signing_cert)), str(status.signing_cert.subject.human_friendly))


def validation_context(trusted: list[x509.Certificate], moment: datetime | None = None) -> Any:
    """pyHanko's context that trusts these roots only, as of `moment` (default: now), and fetches nothing."""
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(**_trust(trusted), moment=moment)


def revocation_context(trusted: list[x509.Certificate], lists: Lists) -> Any:
    """As validation_context(), now; each certificate but the roots must be covered by one of these lists."""
    from pyhanko_certvalidator import ValidationContext

    crls = [each.content.public_bytes(Encoding.DER) for each in lists]
    return ValidationContext(**_trust(trusted), crls=crls, revocation_mode="require")


def _trust(roots: list[x509.Certificate]) -> dict[str, Any]:
    from asn1crypto.x509 import Certificate

    return {
        "trust_roots": [Certificate.load(root.public_bytes(Encoding.DER)) for root in roots],
        "allow_fetching": False,
    }
