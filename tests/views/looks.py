"""Comparison of pages: a certificate without a database, its page in grey, and the difference of two pages."""

import io
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pikepdf
import pypdfium2
import zxingcpp
from flask import template_rendered
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from models.certificate.typesetting import Order, render_pdf
from models.numbering import format_number
from models.signing.keys import Keys
from views.certificate import page as laid_out

MILLIMETRE = 4.0  # pixels; a page is 840 wide
FINER = 3  # rendered larger by this factor, then reduced: renderers thicken lines thinner than a pixel
BLUR, TILE = 2, 12  # pixels
SEAL, CODE = "江苏省新闻出版局", "A7fK-_" * 58  # as many signs as a code has for a title of usual length
FIELDS = {
    "number": "SQ202611240001", "applied_on": "2026-11-03", "filing": "本单位申请", "authority": "江苏省新闻出版局",
    "applicant_name": "江苏文艺音像出版社", "applicant_code": "12320000466000101W",
    "publisher_name": "江苏文艺音像出版社", "publisher_code": "12320000466000101W",
    "title": "黑胶唱片《茉莉花——江苏民歌选》", "category": "音像制品", "catalogue_number": "ISRC CN-C18-26-0009-0/V·J4",
    "isbn": "9787885182106", "isrc": "CN-C18-26-00009", "copyright_owner": "江苏文艺音像出版社",
    "manufacturer": "Optimal Media GmbH", "country": "DEU-德国", "sid_code": "IFPI L278",
    "contract_number": "HT-2026-018", "port": "2201-浦江海关", "expected_on": "2027-03-01",
    "consignee": "江苏文艺音像出版社", "hs_code": "8523499030", "trade_mode": "0110-一般贸易",
}  # fmt: skip


def certificate(rows: int, **changes: Any) -> SimpleNamespace:
    """A certificate with so many rows; `changes` to its snapshot, None: not filled in."""
    carriers = [
        {"position": str(n), "kind": "黑胶唱片", "specification": f"第 {n} 卷", "quantity": "1500", "unit": "010-张"}
        for n in range(1, rows + 1)
    ]
    filled = FIELDS | {"carriers": carriers} | changes
    return SimpleNamespace(
        number=format_number("Z32", 2026, 1),
        check_code="7K3MQ9TD42XW",
        identifier=None,
        issued_on=date(2026, 11, 24),
        valid_until=None,
        authority=FIELDS["authority"],
        signer="陈静",
        snapshot={name: value for name, value in filled.items() if value is not None},
    )


def printed(html: str) -> bytes:
    """The PDF by the typesetter, without the signature, which is invisible."""
    return render_pdf(Order(html, "{}", date(2026, 11, 24), Keys(Path()), "320000"))[0]


def pdf(paper: SimpleNamespace) -> bytes:
    """The pages of this certificate."""
    return printed(markup(paper))


def markup(paper: SimpleNamespace, **changes: Any) -> str:
    """The HTML of this certificate; `changes`: to the context of the template."""
    seen: list[str] = []

    def look(_app: Any, template: Any, context: dict[str, Any], **_more: Any) -> None:
        seen.append(template.render(context | changes))

    with template_rendered.connected_to(look):
        laid_out(paper, CODE, SEAL)  # type: ignore[arg-type]
    return seen[0]


def page(document: bytes, n: int = 0) -> Image.Image:
    """A page in grey; a square covers the QR code, whose content varies."""
    scale = FINER * MILLIMETRE * 25.4 / 72
    sheet = pypdfium2.PdfDocument(document)[n].render(scale=scale).to_pil().convert("L").reduce(FINER)
    for code in zxingcpp.read_barcodes(sheet):
        place = code.position
        x, y = (place.top_left.x + place.bottom_right.x) / 2, (place.top_left.y + place.bottom_right.y) / 2
        half = 15.6 * MILLIMETRE
        ImageDraw.Draw(sheet).rectangle((x - half, y - half, x + half, y + half), fill=128)
    return sheet


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference in shades of the worst tile (3 × 3 mm), after a blur that removes antialiasing.

    It finds moved lines, blocks and boxes; it does not find a single exchanged letter, which tests of the text find.
    """
    if one.size != other.size:
        return 255.0
    soft = [sheet.filter(ImageFilter.GaussianBlur(BLUR)) for sheet in (one, other)]
    return float(ImageChops.difference(*soft).reduce(TILE).getextrema()[1])


def fonts(document: bytes) -> str:
    """The fonts that a document was set in, each with its version, read out of the document."""
    with pikepdf.open(io.BytesIO(document)) as opened:
        described = [item for item in opened.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item]
        files = {str(item.FontName).split("+")[1]: item.get("/FontFile3", item.get("/FontFile2")) for item in described}
        read = {name: TTFont(io.BytesIO(files[name].read_bytes())) for name in sorted(files)}
    return "; ".join(f"{name} {font['head'].fontRevision:.3f}" for name, font in read.items())
