"""Check of a PDF: complete, readable without a password, and free of active content."""

import io
import re
from pathlib import Path
from typing import Any

import pikepdf

from models.files.flaws import Flaw, Flawed
from models.files.pdf_actions import check_actions
from models.files.pdf_union import Union, check_read

UNPACKED, ALL_UNPACKED = 16 << 20, 64 << 20  # bytes: of one unpacked stream, and of all objects serialized
BEGIN = re.compile(rb"[\s\0\xef\xbb\xbf]{0,1000}%PDF-")  # some gateways prepend empty lines
END = re.compile(rb"startxref\s+\d+\s*(?:%%EOF|%%EO|%%E|%%|%)?")
LENGTH = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d+)")
MOST_TRAILING = 512  # bytes after the end; qpdf looks for startxref in the last 1,054
PASSWORDLESS = {"None", "V2", "AESV2", "AESV3"}  # crypt filters that qpdf opens with an empty user password
DECIDING = re.compile(  # names that decide what runs or is shown, in qpdf's warning
    r"duplicated key /(OpenAction|AA|A|PA|NA|Next|S|JS|URI|Type|Subtype|Names|JavaScript|AcroForm|XFA|Fields|EF|F|UF"
    r"|EmbeddedFiles|Root|Pages|Kids|Annots|Contents|XObject|RichMediaContent|Encrypt|Collection|Outlines"
    r"|OCProperties|PresSteps|Parent|First|Last|N|Filter|DecodeParms|FS|RF|DOS|Mac|Unix|Base|Renditions|AFRelationship"
    r"|E|X|D|U|Fo|Bl|PO|PC|PV|PI|O|C|K|V|WC|WS|DS|WP|DP) *;"  # of events
)
WIDEST = 100_000  # entries of one array in a damaged file: qpdf's default of 5,000 is too few for page trees


def limit_memory() -> None:
    """Limit what qpdf unpacks to what honest files need; applies to the whole process."""
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=UNPACKED,
        png_max_memory=UNPACKED,
        run_length_max_memory=UNPACKED,
        tiff_max_memory=UNPACKED,
        parser_max_errors=0,  # no limit: a viewer may still read a file on which qpdf gives up
        parser_max_container_size_damaged=WIDEST,
    )


def check_pdf(path: Path) -> None:
    """Raises Flawed when the PDF is cut off, locked, without a page, too complex or active; PdfError if unreadable."""
    content = path.read_bytes()
    end = _end_of(content)
    source: Any = path if len(content) - end < MOST_TRAILING else io.BytesIO(content[:end])
    try:
        with pikepdf.open(source) as pdf:
            _check_lock(pdf)
            _check_objects(pdf)
            found = len(pdf.pages)
            warnings = [str(warning) for warning in pdf.get_warnings()]  # qpdf returns each once
            _check_pages(pdf, found, bool(warnings))
            _check_doubled(warnings)
            check_actions([pdf.trailer])
            union = Union(content[:end], pdf)
        with union.pdf:
            _check_doubled(union.warnings)
            check_actions(union.roots())
        check_read(warnings)  # last: an action that was found is the better reason
    except pikepdf.PasswordError:
        raise Flawed(Flaw.LOCKED) from None
    except pikepdf.PdfError:
        if re.search(rb"/Encrypt\b", content):  # encryption that qpdf does not support: by certificate, by a server
            raise Flawed(Flaw.LOCKED) from None
        raise


def _end_of(content: bytes) -> int:
    """Offset of the end of the last revision; raises Flawed (CUT) when an object follows it or bytes are missing."""
    length, startxref = LENGTH.search(content, 0, 2048), content.rfind(b"startxref")
    match = END.match(content, max(startxref, 0))
    end = match.end() if match else len(content)
    if startxref < content.rfind(b"endobj") or startxref < 0 or (length and int(length[1]) > len(content)):
        raise Flawed(Flaw.CUT)
    if re.search(rb"\d\s+\d+\s+obj\b", content[end:]):
        raise Flawed(Flaw.CUT)
    return end


def _check_lock(pdf: pikepdf.Pdf) -> None:
    """Raises Flawed (LOCKED) for an unknown crypt filter: the file opens, but qpdf cannot decrypt its streams."""
    filters = pdf.trailer.Encrypt.get("/CF", {}) if pdf.is_encrypted else {}
    if not all(str(each.get("/CFM", "/None"))[1:] in PASSWORDLESS for each in filters.values()):
        raise Flawed(Flaw.LOCKED)


def _check_objects(pdf: pikepdf.Pdf) -> None:
    """Unpack every object, referenced or not; raises Flawed (COMPLEX) beyond the limits."""
    bytes_left = ALL_UNPACKED
    for each in pdf.objects:
        if isinstance(each, pikepdf.Object):  # numbers and null are plain Python values
            bytes_left -= len(each.unparse(resolved=True))
        if bytes_left < 0:
            raise Flawed(Flaw.COMPLEX)


def _check_doubled(warnings: list[str]) -> None:
    """Raises Flawed (AMBIGUOUS) when a name that decides what a reader does stands twice in one dictionary.

    qpdf uses the last value, other readers the first. Other names, such as /Producer, may be doubled: some programs do.
    """
    if any(DECIDING.search(warning) for warning in warnings):
        raise Flawed(Flaw.AMBIGUOUS)


def _check_pages(pdf: pikepdf.Pdf, found: int, damaged: bool) -> None:
    """Raises Flawed when there is no page, or when pages of a damaged file could not be recovered."""
    if not found:
        raise Flawed(Flaw.EMPTY)
    if damaged and found < int(pdf.Root.Pages.get("/Count", 0)):
        raise Flawed(Flaw.CUT)
