"""Signatures over messages and papers: made with an authority's hand, and judged by the roots that are trusted."""

import asyncio
import io
import logging
import re
from binascii import unhexlify
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from flask_babel import gettext as _

from models.workflow import Refused

if TYPE_CHECKING:  # a second to load, which only those wait for who sign
    from models.signing.keys import Signer

BYTE_RANGE = re.compile(rb"/ByteRange\s{0,9}\[\s{0,9}(\d{1,9})\s{1,9}(\d{1,9})\s{1,9}(\d{1,9})\s{1,9}(\d{1,9})")
CONTENTS = re.compile(rb"/Contents\s{0,9}(<[0-9A-Fa-f]{200,65536}>)")
CHAIN = 5  # certificates in a signature from outside: among nine, looking for a way to a root took half a minute

for _library in ("pyhanko", "pyhanko_certvalidator"):  # bytes from outside would fill the log with their faults
    logging.getLogger(_library).setLevel(logging.CRITICAL)


def names(certificate: Any) -> list[str]:
    """Whom a certificate names: common name, then organisation; it need have neither."""
    said = certificate.subject.native
    found = (said.get(part) for part in ("common_name", "organization_name"))
    return [str(name) for part in found if part for name in ([part] if isinstance(part, str) else part)]


def name_of(certificate: Any, authority: str) -> str | None:
    """The name by which it speaks for an authority: one that begins with the authority's own."""
    return next((name for name in names(certificate) if name.startswith(authority)), None)


def cms(signer: "Signer", data: bytes) -> bytes:
    """A detached signature over `data` (CMS, DER; SHA-256)."""
    return _done(signer.hand.async_sign_general_data(data, "sha256", detached=True)).dump()


def cms_signer(signature: bytes, data: bytes, trusted: list[x509.Certificate], moment: datetime | None = None) -> str:
    """Who signed `data`; raises Refused when the signature is not theirs, or not of these very bytes."""
    try:
        status = _judged(_signed_data(signature), data, trusted, moment)
    except Exception:  # whatever a parser meets in bytes from outside, they are no signature
        raise Refused(_("签名无法识别。")) from None
    if not (status.intact and status.valid and status.trusted):
        raise Refused(_("签名与内容不符，或签名人不可信。"))
    return _who(status)


def paper_signer(paper: bytes, trusted: list[x509.Certificate], authority: str = "") -> str:
    """Who signed the whole of this PDF; raises Refused when not this authority did, or it was changed since.

    Judged by the day it says it was signed on: a certificate that has since ended does not undo what it signed, and
    whether that very file was issued then, the register knows. For papers of the house alone: a PDF made by somebody
    who means harm takes minutes to read.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import async_validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        first = PdfFileReader(io.BytesIO(paper)).embedded_regular_signatures[0]
        status = _done(async_validate_pdf_signature(first, judging(trusted, first.self_reported_timestamp)))
    except Exception:
        raise _broken() from None
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE and status.docmdp_ok
    if not (status.intact and status.valid and whole):
        raise _changed()
    if not (status.trusted and name_of(status.signing_cert, authority) is not None):
        raise _another()
    return _who(status)


def glance(paper: bytes, trusted: list[x509.Certificate]) -> str:
    """Who signed the whole of these bytes from outside; raises Refused as `paper_signer` does.

    Looks for a signature and follows nothing else in them, so that no file costs more than its length.
    """
    span, found = BYTE_RANGE.search(paper), CONTENTS.search(paper)
    try:
        assert span and found
        start, length, after, rest = map(int, span.groups())
        signature = _signed_data(unhexlify(found[1][1:-1]))
        held = max(each.chosen.not_valid_before for each in signature["certificates"])  # a day on which they all held
        status = _judged(signature, paper[start : start + length] + paper[after : after + rest], trusted, held)
    except Exception:  # whatever a parser meets in bytes from outside, they are no signed PDF
        raise _broken() from None
    whole = (start, paper[length:after], after + rest) == (0, found[1], len(paper))
    if not (status.intact and status.valid):
        raise _changed()
    if not status.trusted:
        raise _another()
    if not whole:
        raise _changed()
    return _who(status)


def _done(work: Coroutine[Any, Any, Any]) -> Any:
    """The outcome of the library's work, in a thread of its own: in ours a loop may be running already."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


def _broken() -> Refused:
    return Refused(_("文件不是经签章的备案证明，或已经损坏。请向签发机关索取原件。"))


def _changed() -> Refused:
    return Refused(_("文件在签章之后被改动过，请勿采信，并向签发机关核实。"))


def _another() -> Refused:
    return Refused(_("文件的签章不是签发机关的，请勿采信，并向签发机关核实。"))


def _who(status: Any) -> str:
    return next(iter(names(status.signing_cert)), str(status.signing_cert.subject.human_friendly))


def _signed_data(signature: bytes) -> Any:
    from asn1crypto.cms import ContentInfo

    content = ContentInfo.load(signature)["content"]
    (signed,) = content["signer_infos"]
    stamped = any(each["type"].native == "content_time_stamp" for each in signed["signed_attrs"])
    if len(content["certificates"]) > CHAIN or len(signed["unsigned_attrs"]) or stamped:
        raise ValueError("more certificates than an authority's chain has, or a stamp of time, which brings its own")
    return content


def _judged(content: Any, data: bytes, trusted: list[x509.Certificate], moment: datetime | None) -> Any:
    from pyhanko.sign.validation import async_validate_detached_cms

    return _done(async_validate_detached_cms(data, content, judging(trusted, moment)))


def judging(trusted: list[x509.Certificate], moment: datetime | None = None) -> Any:
    """What a signature is judged by: these roots alone, as of `moment` (now); nothing is fetched from a network."""
    from asn1crypto.x509 import Certificate
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko_certvalidator import ValidationContext

    roots = [Certificate.load(root.public_bytes(Encoding.DER)) for root in trusted]
    return ValidationContext(trust_roots=roots, allow_fetching=False, moment=moment)
