"""Check of a PDF: complete, readable without a password, and free of active content."""

import io
import re
from pathlib import Path
from typing import Any

import pikepdf

from models.files.flaws import Flaw, Flawed
from models.files.pdf_actions import check_actions

UNPACKED, ALL_UNPACKED = 16 << 20, 64 << 20  # bytes: of one unpacked stream, and of all objects serialized
BEGIN = re.compile(rb"[\s\0\xef\xbb\xbf]{0,1000}%PDF-")  # some gateways prepend empty lines
END = re.compile(rb"startxref\s+\d+\s*(?:%%EOF|%%EO|%%E|%%|%)?")
LENGTH = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d+)")
MOST_TRAILING = 512  # bytes after the end; qpdf looks for startxref in the last 1,054
PASSWORDLESS = {"None", "V2", "AESV2", "AESV3"}  # crypt filters that qpdf opens with an empty user password
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
            _check_pages(pdf)
            check_actions(pdf)
        _check_rebuilt(content[:end])
    except pikepdf.PasswordError:
        raise Flawed(Flaw.LOCKED) from None
    except pikepdf.PdfError:
        if re.search(rb"/Encrypt\b", content):  # encryption that qpdf does not support: by certificate, by a server
            raise Flawed(Flaw.LOCKED) from None
        raise


def _check_rebuilt(content: bytes) -> None:
    """Check the actions again as found by viewers that ignore the cross-reference table and search for objects."""
    try:
        with pikepdf.open(io.BytesIO(content.replace(b"startxref", b"endofpart"))) as pdf:
            check_actions(pdf)
    except pikepdf.PdfError:  # no viewer can read it this way
        pass


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
        if bytes_left < 0 or not _can_unpack(each):
            raise Flawed(Flaw.COMPLEX)


def _can_unpack(value: Any) -> bool:
    """False for an object stream beyond the limits: qpdf would read its objects as null, a viewer would not."""
    if isinstance(value, pikepdf.Stream) and value.get("/Type") == "/ObjStm":
        try:
            value.read_bytes()
        except (pikepdf.PdfError, pikepdf.DataDecodingError):
            return False
    return True


def _check_pages(pdf: pikepdf.Pdf) -> None:
    """Raises Flawed when there is no page, or when pages of a damaged file could not be recovered."""
    found = len(pdf.pages)
    if not found:
        raise Flawed(Flaw.EMPTY)
    if pdf.get_warnings() and found < int(pdf.Root.Pages.get("/Count", 0)):
        raise Flawed(Flaw.CUT)
