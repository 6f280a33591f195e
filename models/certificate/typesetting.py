"""Typesetting: a certificate becomes a signed PDF, in a worker process that stays loaded.

WeasyPrint takes half a second to load, and hangs when two threads share its fonts: so one process has them, whoever
needs a paper takes a turn, and it ends when the process that uses it ends.
"""

import gc
import io
import os
import time
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from models.certificate.fonts import STYLE
from models.files.worker import Busy, Unfinished, WorkerProcess, WorkerTask
from models.signing.keys import Keys

LONGEST = 300  # seconds without an answer, after which the process is taken for dead
LASTS = 200  # papers that one process makes: WeasyPrint, or what it stands on, keeps 0.2 MB of each
SNAPSHOT = "snapshot.json"  # the granted content, attached to the paper
FIELD = "Seal"  # the signature; it lies over the element with id="seal"
RESERVED = 16_384  # hexadecimal digits for the signature: three certificates of an authority's chain, and room
PIXEL = 0.75  # points


class TypesettingFailed(RuntimeError):
    """The paper could not be made: a character without a font, too little memory, or the process died of it."""


@dataclass(frozen=True)
class Order:
    """One paper: its HTML, the JSON attached to it, and who signs: the province, with one of these keys."""

    html: str
    snapshot: str
    issued_on: date
    keys: Keys
    province: str


class Typesetter(WorkerProcess):
    """The worker process that makes papers."""

    def __init__(self, longest: float = LONGEST, lasts: int = LASTS) -> None:
        super().__init__(WorkerTask(printed, start_up, clean_up, lasts=lasts), longest)

    def made(self, order: Order) -> bytes:
        """The signed PDF/A-3b; raises TypesettingFailed, or Busy when no process can be started now."""
        try:
            return bytes(self.done(order))
        except Busy:
            raise
        except Unfinished as why:
            raise TypesettingFailed(str(why)) from None


def start_up() -> None:
    """In the worker process, before its first paper."""
    os.environ["TZ"] = "Asia/Shanghai"  # the time of signing is told as on the paper (PD4)
    time.tzset()
    gc.disable()  # a page is hundreds of thousands of boxes that live together: looking for garbage takes half the time


def clean_up() -> None:
    """In the worker process, after each paper."""
    gc.collect()
    _settle()


@cache
def _settle() -> None:
    """Exempt what the libraries have loaded from garbage collection, once."""
    gc.freeze()


def printed(order: Order) -> bytes:
    """Typeset and sign, in the process that calls this."""
    return signed(*render_pdf(order), order)


def render_pdf(order: Order) -> tuple[bytes, int, tuple[int, ...]]:
    """PDF/A-3b by our own style sheet, and page and box (points) of the seal; equal orders give equal bytes.

    What the page asks of a disk or a network is left out. Raises ValueError when a character is in none of the fonts.
    """
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.urls import URLFetcher

    fence = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    day = datetime.combine(order.issued_on, datetime.min.time())
    granted = Attachment(string=order.snapshot, name=SNAPSHOT, relationship="Source", created=day, modified=day)
    style = CSS(filename=STYLE, url_fetcher=fence, font_config=_fonts())
    look = {"pdf_variant": "pdf/a-3b", "pdf_tags": True, "attachments": [granted]}
    markup = HTML(string=order.html, url_fetcher=fence)
    document = markup.render(stylesheets=[style], font_config=_fonts(), **look)
    if len(document.pages) == 2:  # the close on a page of its own: closer lines may bring all onto one
        markup.etree_element.find("body").set("class", "closer")
        closer = markup.render(stylesheets=[style], font_config=_fonts(), **look)
        document = closer if len(closer.pages) == 1 else document
    paper = bytes(document.write_pdf(**look))
    missing = sorted({code for font in document.fonts.values() for code in font.missing})
    if missing:  # a box in place of a character must never be sealed
        raise ValueError("no glyph for " + " ".join(f"U+{code:04X}" for code in missing))
    return paper, *_seal(document)


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
            return number, tuple(round(side * PIXEL) for side in corners)
    raise ValueError("the paper has no place for the seal")


def signed(paper: bytes, page: int, box: tuple[int, ...], order: Order) -> bytes:
    """The province's PAdES signature over the whole paper, which allows no change after it (电子签名法 第十三条)."""
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
    from pyhanko.stamp import NoOpStampStyle

    from models.certificate.pdf_writer import ArchivalWriter

    signer = order.keys.signer(order.province)
    told = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=signer.name,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    writer = ArchivalWriter(io.BytesIO(paper))
    append_signature_field(writer, SigFieldSpec(FIELD, on_page=page, box=box))  # with the appearance PDF/A asks for
    hand = PdfSigner(told, signer.pyhanko_signer, stamp_style=NoOpStampStyle())
    return hand.sign_pdf(writer, bytes_reserved=RESERVED).getvalue()
