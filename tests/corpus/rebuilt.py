"""PDFs of programs that cannot be installed here, rebuilt object for object after files that they made.

Rebuilt are lengths, nulls, line ends, header, trailer, catalogue and the order of objects; and what transfers add to a
file: empty lines in front, NULs, lines of an e-mail or a web server at the end.
"""

import itertools
import zlib

from tests.corpus.libraries import Files, encoded, fpdf2, painted, pillow, reportlab, weasyprint
from tests.corpus.raw import pdf, stream

DRAWN = zlib.compress(b"q 0.1 w 56 700 m 500 700 l S BT /F1 12 Tf 60 710 Td (Contract 2026-018) Tj ET Q")
FONT = b"<</Type/Font/Subtype/TrueType/BaseFont/BAAAAA+LiberationSerif/FirstChar 0/LastChar 0/Widths[777]>>"
ID = b"/ID[<EF8E96D02E08C9FE712E2E054E5823AD><EF8E96D02E08C9FE712E2E054E5823AD>]"


def flate(more: bytes, length: bytes, data: bytes = DRAWN, line: bytes = b"\n") -> bytes:
    """A compressed stream whose length is written as given: a number, or a reference to an object."""
    return b"<</Length %s/Filter/FlateDecode%s>>%sstream%s%s%sendstream" % (length, more, line, line, data, line)


def libreoffice() -> Files:
    """LibreOffice, OpenOffice and Collabora: every length is an object of its own; DocChecksum; tagged or PDF/A."""
    for version, tagged, checksum, opens in itertools.product(
        (b"1.4", b"1.6", b"1.7"),
        (True, False),
        (b"", b"/DocChecksum /0CF16029E2095474E55C925585D5154F\n"),
        (b"[1 0 R /XYZ null null 0]", b"<</S/GoTo/D[11 0 R/Fit]>>"),
    ):
        objects = {
            2: flate(b"", b"3 0 R"),
            3: b"%d" % len(DRAWN),
            5: flate(b"/Length1 8100", b"6 0 R", DRAWN),
            6: b"%d" % len(DRAWN),
            7: b"<</Type/FontDescriptor/FontName/BAAAAA+LiberationSerif/Flags 4/FontBBox[0 0 1 1]/FontFile2 5 0 R>>",
            8: FONT[:-2] + b"/FontDescriptor 7 0 R>>",
            9: b"<</F1 8 0 R\n>>",
            10: b"<<\n/Font 9 0 R\n/ProcSet[/PDF/Text]\n>>",
            11: b"<</Type/Page/Parent 4 0 R/Resources 10 0 R/MediaBox[0 0 595 842]"
            b"/Group<</S/Transparency/CS/DeviceRGB/I true>>/Contents 2 0 R>>",
            4: b"<</Type/Pages\n/Resources 10 0 R\n/MediaBox[ 0 0 595 842 ]\n/Kids[ 11 0 R ]\n/Count 1>>",
            12: b"<</Creator<FEFF005700720069007400650072>/CreationDate(D:20261125215354Z')>>",
            1: b"<</Type/Catalog/Pages 4 0 R\n/OpenAction%s\n/Lang(zh-CN)%s>>"
            % (
                opens.replace(b"[1 0", b"[11 0"),
                b"/MarkInfo<</Marked true>>/StructTreeRoot 13 0 R/ViewerPreferences<</DisplayDocTitle true>>"
                if tagged
                else b"",
            ),
            13: b"<</Type/StructTreeRoot/ParentTree 14 0 R/K[15 0 R]/RoleMap<</Standard/P>>>>",
            14: b"<</Nums[0[15 0 R]]>>",
            15: b"<</Type/StructElem/S/Document/P 13 0 R/K[<</S/P/P 15 0 R/A<</O/Layout/TextAlign/Center>>/K 0>>]>>",
        }
        yield (
            f"{version.decode()} {tagged} {bool(checksum)} {opens[2:7].decode()}",
            pdf(objects, b"\n/Info 12 0 R\n" + ID + checksum, version),
        )


def windows() -> Files:
    """Microsoft Print to PDF and Word: CR LF, null entries, an object of each number, lengths behind their streams."""
    for line, nulls, entry in itertools.product(
        (b"\r\n", b"\n"),
        (1, 9),
        (b"", b"/Lang(zh-CN)/StructTreeRoot 8 0 R/MarkInfo<</Marked true>>", b"/PageMode/UseNone/Outlines null"),
    ):
        objects = {
            1: b"<</Type/Catalog/Pages 2 0 R%s/OpenAction null/AcroForm null/Names null>>" % entry,
            2: b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            3: b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 5 0 R>>/XObject null/ExtGState<</GS7 6 0 R>>>>"
            b"/MediaBox[0 0 595.32 841.92]/Contents 4 0 R/Annots null/Tabs/S>>",
            4: flate(b"", b"7 0 R", line=line),
            5: FONT,
            6: b"<</Type/ExtGState/BM/Normal/ca 1>>",
            7: b"%d" % len(DRAWN),
            8: b"<</Type/StructTreeRoot/K[]/ParentTree<</Nums[]>>/RoleMap<</Footnote/Note/Textbox/Sect>>>>",
        } | {20 + number: b"null" for number in range(nulls)}
        yield f"{line!r} {nulls} {entry[1:5].decode()}", pdf(objects, ID, b"1.7", line)


def quartz() -> Files:
    """macOS and iOS: lengths as objects, a colour space of ICC, no /ID or one, catalogue at the end."""
    for extra, version in itertools.product((b"", b"/Metadata null", b"/Version/1.5"), (b"1.3", b"1.4")):
        objects = {
            3: flate(b"", b"5 0 R"),
            5: b"%d" % len(DRAWN),
            2: b"<</Type/Page/Parent 4 0 R/Resources 6 0 R/Contents 3 0 R/MediaBox[0 0 595.2756 841.8898]>>",
            6: b"<</ProcSet[/PDF/Text/ImageB/ImageC/ImageI]/ColorSpace<</Cs1 7 0 R>>/Font<</F1 8 0 R>>>>",
            7: b"[/ICCBased 9 0 R]",
            9: flate(b"/N 3/Alternate/DeviceRGB", b"10 0 R"),
            10: b"%d" % len(DRAWN),
            8: FONT,
            4: b"<</Type/Pages/MediaBox[0 0 595.2756 841.8898]/Count 1/Kids[2 0 R]>>",
            1: b"<</Type/Catalog/Pages 4 0 R%s>>" % extra,
            11: b"<</Producer 12 0 R/CreationDate 13 0 R/Keywords 14 0 R/AAPL:Keywords 15 0 R>>",
            12: b"(macOS Quartz PDFContext)",
            13: b"(D:20261125080000Z00'00')",
            14: b"()",
            15: b"[]",
        }
        yield f"{version.decode()} {extra.decode()}", pdf(objects, b"/Info 11 0 R", version)


def scanner() -> Files:
    """Scanners and phone apps: a page a picture, lengths as objects, JPEG or fax, a layer of invisible text."""
    fax = encoded("TIFF", painted("1"), compression="group4")
    sources = {
        b"/DCTDecode/ColorSpace/DeviceRGB/BitsPerComponent 8": encoded("JPEG"),
        b"/DCTDecode/ColorSpace/DeviceGray/BitsPerComponent 8": encoded("JPEG", painted("L")),
        b"/CCITTFaxDecode/DecodeParms<</K -1/Columns 240/Rows 340>>/ColorSpace/DeviceGray/BitsPerComponent 1": fax[8:],
    }
    for (kind, data), pages, trailing in itertools.product(sources.items(), (1, 3), (b"", bytes(1100), b"\r\n" * 600)):
        kids = b" ".join(b"%d 0 R" % (10 + 4 * number) for number in range(pages))
        objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages)}
        for number in range(10, 10 + 4 * pages, 4):
            drawn = b"q 595 0 0 842 0 0 cm /Im0 Do Q BT 3 Tr (x) Tj ET"
            objects |= {
                number: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</Im0 %d 0 R>>>>"
                b"/Contents %d 0 R>>" % (number + 1, number + 2),
                number + 1: b"<</Type/XObject/Subtype/Image/Width 240/Height 340/Filter%s/Length %d 0 R>>stream\r\n"
                b"%s\r\nendstream" % (kind, number + 3, data),
                number + 2: stream(b"", drawn),
                number + 3: b"%d" % len(data),
            }
        yield f"{kind[1:4].decode()} {pages} {len(trailing)}", pdf(objects, b"", b"1.4", b"\r\n") + trailing


def delivered() -> Files:
    """Files that other programs made, as they arrive."""
    ways = {
        "NUL behind": lambda content: content + bytes(1100),
        "a page of NUL behind": lambda content: content + bytes(66_000),
        "a line of a web server behind": lambda content: content + b"\r\n<!-- served in 0.02 s -->" * 50,
        "an empty line in front": lambda content: b"\n" + content,
        "many empty lines in front": lambda content: b"\r\n" * 40 + content,
        "a letter short": lambda content: content.rstrip()[:-1],
        "without its last line": lambda content: content[: content.rindex(b"%%EOF")],
    }
    for (way, changed), maker in itertools.product(ways.items(), (reportlab, fpdf2, weasyprint, pillow)):
        name, content = next(maker())
        yield f"{maker.__name__} {name}, {way}", changed(content)


REBUILT = (libreoffice, windows, quartz, scanner, delivered)
