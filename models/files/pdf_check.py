"""Whether a PDF opens, for everybody, whole, and can do no harm."""

import io
import re
from pathlib import Path
from typing import Any

import pikepdf

from models.files.flaws import Flaw, Flawed
from models.files.pdf_actions import check_actions

UNPACKED, ALL_UNPACKED = 16 << 20, 64 << 20  # bytes of one unpacked stream, and of all objects written out
BEGIN = re.compile(rb"[\s\0\xef\xbb\xbf]{0,1000}%PDF-")  # some gateways put empty lines in front
END = re.compile(rb"startxref\s+\d+\s*(?:%%EOF|%%EO|%%E|%%|%)?")
LENGTH = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d+)")
MOST_TRAILING = 512  # bytes; qpdf looks for the end in the last 1,054
PASSWORDLESS = {"None", "V2", "AESV2", "AESV3"}  # crypt filters that an empty user password opens
WIDEST = 100_000  # entries of one array in a damaged file: 5,000, which is qpdf's own, is too few for page trees


def limit_memory() -> None:
    """Let qpdf unpack no more than honest files need; holds for the whole process."""
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=UNPACKED,
        png_max_memory=UNPACKED,
        run_length_max_memory=UNPACKED,
        tiff_max_memory=UNPACKED,
        parser_max_errors=0,  # what qpdf gives up on, a viewer may still read
        parser_max_container_size_damaged=WIDEST,
    )


def check_pdf(path: Path) -> None:
    """Raises Flawed when the PDF is cut off, locked, without a page, too complex or active; PdfError when broken."""
    content = path.read_bytes()
    end = _end_of(content)
    whole: Any = path if len(content) - end < MOST_TRAILING else io.BytesIO(content[:end])
    try:
        with pikepdf.open(whole) as pdf:
            _check_lock(pdf)
            _check_objects(pdf)
            _check_pages(pdf)
            check_actions(pdf)
        _check_rebuilt(content[:end])
    except pikepdf.PasswordError:
        raise Flawed(Flaw.LOCKED) from None
    except pikepdf.PdfError:
        if re.search(rb"/Encrypt\b", content):  # a kind of lock that qpdf has no key for: a certificate, a server
            raise Flawed(Flaw.LOCKED) from None
        raise


def _check_rebuilt(content: bytes) -> None:
    """Judge the file once more as viewers read it that do not trust its table of references: by searching objects."""
    try:
        with pikepdf.open(io.BytesIO(content.replace(b"startxref", b"endofpart"))) as pdf:
            check_actions(pdf)
    except pikepdf.PdfError:  # nobody can read it so
        pass


def _end_of(content: bytes) -> int:
    """Where the last revision ends; raises Flawed (CUT) when an object stands after it, or bytes are known to lack."""
    length, begin = LENGTH.search(content, 0, 2048), content.rfind(b"startxref")
    last = END.match(content, max(begin, 0))
    end = last.end() if last else len(content)
    if begin < content.rfind(b"endobj") or begin < 0 or (length and int(length[1]) > len(content)):
        raise Flawed(Flaw.CUT)
    if re.search(rb"\d\s+\d+\s+obj\b", content[end:]):
        raise Flawed(Flaw.CUT)
    return end


def _check_lock(pdf: pikepdf.Pdf) -> None:
    """Opened without a password; but a crypt filter that is not known leaves its streams unread."""
    filters = pdf.trailer.Encrypt.get("/CF", {}) if pdf.is_encrypted else {}
    if not all(str(each.get("/CFM", "/None"))[1:] in PASSWORDLESS for each in filters.values()):
        raise Flawed(Flaw.LOCKED)


def _check_objects(pdf: pikepdf.Pdf) -> None:
    """Unpack every object, whether anything refers to it or not; raises Flawed (COMPLEX) beyond the limits."""
    room = ALL_UNPACKED
    for each in pdf.objects:
        if isinstance(each, pikepdf.Object):  # a number or null is none
            room -= len(each.unparse(resolved=True))
        if room < 0 or not _is_unpacked(each):
            raise Flawed(Flaw.COMPLEX)


def _is_unpacked(value: Any) -> bool:
    """False for a stream of objects that is too large: qpdf takes the objects in it for null, a viewer would not."""
    if isinstance(value, pikepdf.Stream) and value.get("/Type") == "/ObjStm":
        try:
            value.read_bytes()
        except (pikepdf.PdfError, pikepdf.DataDecodingError):
            return False
    return True


def _check_pages(pdf: pikepdf.Pdf) -> None:
    """Raises Flawed when there is no page, or when not all could be recovered of a damaged file."""
    found = len(pdf.pages)
    if not found:
        raise Flawed(Flaw.EMPTY)
    if pdf.get_warnings() and found < int(pdf.Root.Pages.get("/Count", 0)):
        raise Flawed(Flaw.CUT)
