"""Typesetting and signing of a certificate's PDF, in one worker process.

WeasyPrint takes half a second to load, and hangs when two threads share its fonts.
"""

import gc
import io
import os
import time
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from typing import Any
from xml.sax.saxutils import escape

from flask_babel import gettext as _

from models.certificate import accessible
from models.certificate.fonts import STYLE
from models.files.worker import Busy, Unfinished, WorkerProcess, WorkerTask
from models.signing import signatures, time_stamps
from models.signing.keys import Keys
from models.signing.revocation import NoRevocationData
from models.signing.time_stamps import TimeStampUnavailable
from models.workflow import Refused

TIMEOUT = 300  # seconds without a result after which the process is killed
MAX_TASKS = 200  # papers before the process is replaced: WeasyPrint or its libraries leak 0.2 MB per paper
SNAPSHOT = "snapshot.json"  # the granted content, attached to the PDF
DESCRIPTION = "备案证明的内容"  # of that attachment; papers are Chinese
IDENTIFIER = "dcterms.identifier"  # name of the <meta> element with the 电子证照标识, if it has one
FIELD = "Seal"  # name of the signature field, placed over the element with id="seal"
RESERVED = 16_384  # hexadecimal digits for the signature: a chain of three certificates, with margin


class TypesettingFailed(RuntimeError):
    """The paper could not be made: a character without a glyph, too little memory, or a crash of the process."""


@dataclass(frozen=True)
class Order:
    """One paper: HTML, attached JSON, and the signing province with its folder of keys."""

    html: str
    snapshot: str
    issued_on: date
    keys: Keys
    province: str


class Typesetter(WorkerProcess):
    """The worker process that makes papers."""

    def __init__(self, timeout: float = TIMEOUT, max_tasks: int = MAX_TASKS) -> None:
        super().__init__(WorkerTask(make_signed_pdf, start_up, clean_up, max_tasks=max_tasks), timeout)

    def make_pdf(self, order: Order) -> bytes:
        """The signed PDF/A-3b. Raises TypesettingFailed; Busy when no process can be started now; Refused when the
        time stamp authority or revocation data is unavailable."""
        try:
            return bytes(self.run(order))
        except Busy:
            raise
        except Unfinished as why:
            name, _colon, words = str(why).partition(": ")
            if name == TimeStampUnavailable.__name__:
                raise Refused(unstamped(words)) from None
            if name == NoRevocationData.__name__:
                raise Refused(unproved()) from None
            raise TypesettingFailed(str(why)) from None


def unstamped(why: str) -> str:
    """The sentence that a paper waits for its time stamp: without one it is not made."""
    return _("没有取得时间戳（%(why)s），证明暂不制作，稍后自动重试。请检查时间戳服务和 FILING_TSA。", why=why)


def unproved() -> str:
    """The sentence that a paper waits, because the revocation lists do not suffice for PAdES B-LT."""
    return _(
        "按现有的吊销列表，无法确认签章和时间戳的证书未被吊销，证明暂不制作，稍后自动重试。"
        "请更新密钥文件夹中的 .crl 文件和 FILING_TSA_CRL，并核对 FILING_TSA_CA。"
    )


def start_up() -> None:
    """Prepare the worker process."""
    os.environ["TZ"] = "Asia/Shanghai"  # time zone of the signing time
    time.tzset()
    gc.disable()  # a page has hundreds of thousands of live boxes: garbage collection would take half the time


def clean_up() -> None:
    """Free memory in the worker process, after each paper."""
    gc.collect()
    _settle()


@cache
def _settle() -> None:
    """Exempt what the libraries have loaded from garbage collection, once."""
    gc.freeze()


def make_signed_pdf(order: Order) -> bytes:
    """Typeset and sign in the calling process; see Typesetter.make_pdf."""
    return sign_paper(*render_pdf(order), order)


def render_pdf(order: Order) -> tuple[bytes, int, tuple[int, ...]]:
    """(PDF/A-3b and mostly PDF/UA-1, page from 0, box of the seal in points); deterministic.

    Only data: URLs are fetched. Raises ValueError when no font has one of the characters.
    """
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.urls import URLFetcher

    fence = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    day = datetime.combine(order.issued_on, datetime.min.time())
    facts = {"name": SNAPSHOT, "description": DESCRIPTION, "created": day, "modified": day}
    granted = Attachment(string=order.snapshot, relationship="Source", **facts)
    style = CSS(filename=STYLE, url_fetcher=fence, font_config=_fonts())
    look = {"pdf_variant": "pdf/a-3b", "pdf_tags": True, "attachments": [granted]}
    markup = HTML(string=order.html, url_fetcher=fence)
    document = markup.render(stylesheets=[style], font_config=_fonts(), **look)
    if len(document.pages) == 2:  # smaller line spacing may fit everything on one page
        markup.etree_element.find("body").set("class", "closer")
        closer = markup.render(stylesheets=[style], font_config=_fonts(), **look)
        document = closer if len(closer.pages) == 1 else document
    marks = [meta.get("content") for meta in markup.etree_element.iter("meta") if meta.get("name") == IDENTIFIER]
    paper = bytes(document.write_pdf(finisher=partial(finish, identifier=next(iter(marks), None)), **look))
    missing = sorted({code for font in document.fonts.values() for code in font.missing})
    if missing:  # a missing-glyph box must never be signed
        raise ValueError("no glyph for " + " ".join(f"U+{code:04X}" for code in missing))
    return paper, *_seal(document)


def finish(document: Any, pdf: Any, identifier: str | None) -> None:
    """Complete the structure for PDF/UA-1. Add to the XMP its claim, if it holds, and dc:identifier, unless None."""
    heights = [page.height * accessible.PIXEL for page in document.pages]
    claim = accessible.CLAIM if accessible.complete(pdf, heights) else ""
    named = f"<dc:identifier>{escape(identifier)}</dc:identifier>" if identifier else ""
    metadata = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
    (whole,) = metadata.stream
    dublin = f'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" rdf:about="">{named}</rdf:Description>'
    added = f"{claim}{dublin if named else ''}</rdf:RDF>"
    metadata.stream = [whole.replace(b"</rdf:RDF>", added.encode(), 1)]


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


def _seal(document: Any) -> tuple[int, tuple[int, ...]]:
    """Page (from 0) and box (left, bottom, right, top, in points from the lower left corner) of the seal."""
    for number, page in enumerate(document.pages):
        if box := page.anchors.get("seal"):
            left, top, right, bottom = box
            corners = (left, page.height - bottom, right, page.height - top)
            return number, tuple(round(side * accessible.PIXEL) for side in corners)
    raise ValueError("the paper has no place for the seal")


def sign_paper(paper: bytes, page: int, box: tuple[int, ...], order: Order) -> bytes:
    """`paper` with the province's PAdES signature, which permits no later change (电子签名法 第十三条).

    Raises TimeStampUnavailable or NoRevocationData.
    """
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.signers import PdfSigner
    from pyhanko.stamp import NoOpStampStyle
    from pyhanko_certvalidator.errors import PathError, ValidationError

    from models.certificate.pdf_writer import ArchivalWriter

    signer = order.keys.signer(order.province)
    writer = ArchivalWriter(io.BytesIO(paper))
    append_signature_field(writer, SigFieldSpec(FIELD, on_page=page, box=box))  # with the appearance PDF/A asks for
    writer.tag_last_field()
    authority = order.keys.time_stamps
    reserved = RESERVED + (time_stamps.RESERVED if authority else 0)
    stamper = authority.client() if authority else None
    metadata = _signature_metadata(signer.name, order)
    pdf_signer = PdfSigner(metadata, signer.pyhanko_signer, timestamper=stamper, stamp_style=NoOpStampStyle())
    try:
        return pdf_signer.sign_pdf(writer, bytes_reserved=reserved).getvalue()
    except (PathError, ValidationError) as why:  # of the certificates in a trial time stamp
        raise NoRevocationData(str(why)) from None
    except SigningError as why:
        if isinstance(why.__cause__, (PathError, ValidationError)):  # of the signer's
            raise NoRevocationData(str(why)) from None
        raise


def _signature_metadata(name: str, order: Order) -> Any:
    """Settings of pyHanko: it embeds all in the signed revision, because a later one would be a forbidden change."""
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata
    from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference

    lists, trusted = order.keys.embedded_lists(order.province), order.keys.trusted() + order.keys.stampers()
    together = SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
    return PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=name,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        embed_validation_info=bool(lists),
        validation_context=signatures.revocation_context(trusted, lists) if lists else None,
        dss_settings=DSSContentSettings(include_vri=False, placement=together),
    )
