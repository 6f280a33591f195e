"""What a file is, told by its content, and whether it is whole and harmless: parsed apart, where it can do no harm.

Its parsers read what anybody may send. They run in a process with an end to its memory and its time, so that a small
file which unpacks into a large one costs whoever sent it a refusal, and nobody else anything.
"""

import re
from enum import StrEnum
from pathlib import Path

import filetype
import pikepdf
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from models.workshop import Craft, Unfinished, Workshop

ACCEPTED = {"application/pdf": "PDF", "image/jpeg": "JPEG", "image/png": "PNG", "image/tiff": "TIFF"}
MOST_PIXELS = 100_000_000  # more than any scan: A3 in colour at 600 dpi has 70 million
MEMORY, LONGEST = 1 << 30, 15  # bytes, seconds
UNPACKED, ALL_UNPACKED = 16 << 20, 64 << 20  # bytes of one stream of objects in a PDF, and of all objects
# What makes a PDF act, or carry a file, wherever in it; the words of its texts do not count.
ACTIVE = re.compile(rb"/(?:JS|JavaScript|Launch|RichMedia|XFA|EF|EmbeddedFiles)\b")
STRINGS = re.compile(rb"\((?:[^\\)]++|\\.)*+\)", re.DOTALL)
TIFF_DATA = ((273, 324), (279, 325))  # where the strips or tiles of a picture begin, and how long they are


class Flaw(StrEnum):
    """Why a file cannot be accepted."""

    EMPTY = "empty"
    KIND = "kind"
    BROKEN = "broken"
    ACTIVE = "active"
    LOCKED = "locked"
    LARGE = "large"


class Flawed(Exception):
    """A file that cannot be accepted; args[0] is the flaw."""


def inspected(path: Path) -> str:
    """The media type of a file by its content; raises Flawed."""
    try:
        told = str(INSPECTION.done(path))
    except Unfinished:  # it would not end, or took more memory than any honest file
        raise Flawed(Flaw.BROKEN) from None
    if told in set(Flaw):
        raise Flawed(Flaw(told))
    return told


def look(path: Path) -> str:
    """The media type, or the flaw; in this very process."""
    try:
        return _kind(path)
    except Flawed as flawed:
        return str(flawed.args[0])
    except Exception:  # a parser met nonsense: whatever it raised, the file cannot be read
        return Flaw.BROKEN


def open_up() -> None:
    """What holds for the whole process."""
    pikepdf.settings.set_qpdf_limits(flate_max_memory=UNPACKED)
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit speaks no sentence
    ImageFile.LOAD_TRUNCATED_IMAGES = False


INSPECTION = Workshop(Craft(look, open_up, memory=MEMORY), LONGEST)


def _kind(path: Path) -> str:
    guess = filetype.guess_mime(str(path)) or ""
    with path.open("rb") as file:
        head = file.read(5)
        file.seek(max(path.stat().st_size - 66_000, 0))
        tail = file.read()
    if not head:
        raise Flawed(Flaw.EMPTY)
    if guess not in ACCEPTED or b"PK\x05\x06" in tail:
        raise Flawed(Flaw.KIND)
    _check_pdf(path, tail) if head == b"%PDF-" else _check_picture(path, ACCEPTED[guess])
    return guess


def _check_pdf(path: Path, tail: bytes) -> None:
    if b"%%EOF" not in tail[-1024:]:
        raise Flawed(Flaw.BROKEN)
    try:
        with pikepdf.open(path) as pdf:
            len(pdf.pages)
            room = ALL_UNPACKED
            for each in pdf.objects:
                said = each.unparse(resolved=True)
                room -= len(said)
                if room < 0:
                    raise Flawed(Flaw.BROKEN)
                if ACTIVE.search(STRINGS.sub(b"", said)):
                    raise Flawed(Flaw.ACTIVE)
    except pikepdf.PasswordError:
        raise Flawed(Flaw.LOCKED) from None


def _check_picture(path: Path, kind: str) -> None:
    with Image.open(path, formats=[kind]) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise Flawed(Flaw.LARGE)
        if isinstance(picture, TiffImageFile):
            data = [picture.tag_v2.get(strips) or picture.tag_v2[tiles] for strips, tiles in TIFF_DATA]
            if any(start + length > path.stat().st_size for start, length in zip(*data, strict=True)):
                raise Flawed(Flaw.BROKEN)
        elif kind == "JPEG":
            picture.draft("RGB", (1, 1))  # decoded to its end, at an eighth of its size
            picture.load()
        else:
            picture.verify()
