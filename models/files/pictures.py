"""Whether a picture is whole and can be shown: JPEG and PNG decoded to their end, TIFF by its directories."""

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from models.files.flaws import Flaw, Flawed

MOST_BYTES = 400_000_000  # unpacked: 100 million pixels in colour, A1 at 600 dpi in black and white
BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # of a pixel in Pillow's memory; 4 in all other modes
MOST_PAGES = 2_000  # of a TIFF
END_OF_JPEG, SCAN = b"\xff\xd9", b"\xff\xda"
MOST_OWN_ZEROS = 8
END_OF_PNG = b"\0\0\0\0IEND\xaeB`\x82"


def allow_large() -> None:
    """Take Pillow's own limit away, which has no sentence for people; holds for the whole process."""
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False


def check_picture(path: Path, kind: str) -> None:
    """Raises Flawed when a JPEG, PNG or TIFF is cut off or too large; anything else when it is broken."""
    with path.open("rb") as file:
        {"JPEG": _check_jpeg, "PNG": _check_png, "TIFF": _check_tiff}[kind](file)


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height * BYTES.get(picture.mode, 4) > MOST_BYTES:
        raise Flawed(Flaw.LARGE)


def _check_jpeg(file: BinaryIO) -> None:
    """Decoded to its end. The mark of the end may lack, when no part of the picture does."""
    content = file.read()
    if content.rfind(END_OF_JPEG) < content.rfind(SCAN) or SCAN not in content:
        if not _ends_whole(content):
            raise Flawed(Flaw.CUT)
    else:
        _pixels(content)


def _ends_whole(content: bytes) -> bool:
    """Whether any bytes behind leave the picture as it is: where a part lacks, they are shown in its place.

    Zeros at the end may stand for a part that never came; a few of them may be the picture's own.
    """
    begun = content[: len(content.rstrip(b"\0")) + MOST_OWN_ZEROS]
    try:
        return _pixels(begun + END_OF_JPEG) == _pixels(begun + bytes(range(250)) * 40 + END_OF_JPEG)
    except OSError:
        return False


def _pixels(content: bytes) -> bytes:
    """SHA-256 of what is shown, at an eighth of its size where that is read to the end. Of an MPO the first picture."""
    with JpegImageFile(io.BytesIO(content)) as picture:
        _check_size(picture)
        if "progressive" not in picture.info:  # whose last parts only sharpen it
            picture.draft("RGB", (1, 1))
        return hashlib.sha256(picture.tobytes()).digest()


def _check_png(file: BinaryIO) -> None:
    """All its pixels must be there; the mark of its end may lack."""
    content = file.read()
    whole = _whole_chunks(content)
    try:
        with Image.open(io.BytesIO(content[:whole] + END_OF_PNG), formats=["PNG"]) as picture:
            _check_size(picture)
            picture.load()
    except (OSError, SyntaxError, EOFError):
        if whole == len(content) or content[whole + 4 : whole + 8] == b"IEND":
            raise
        raise Flawed(Flaw.CUT) from None


def _whole_chunks(content: bytes) -> int:
    """Where the last whole chunk of a PNG ends, before IEND; raises Flawed (BROKEN) when its pixels were changed."""
    position = 8
    while position + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content) or kind == b"IEND":
            break
        if kind == b"IDAT" and zlib.crc32(content[position + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise Flawed(Flaw.BROKEN)
        position = end
    return position


def _check_tiff(file: BinaryIO) -> None:
    """Every page's strips or tiles must lie in the file. Their decoding is left to viewers, who know more kinds."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    pages: Any = ImageFileDirectory_v2(file.read(8))
    position, seen = pages.next, set[int]()
    while position and position not in seen and len(seen) < MOST_PAGES:
        if position >= size:
            raise Flawed(Flaw.CUT)
        seen.add(position)
        file.seek(position)
        pages.load(file)
        _check_page(pages, size)
        position = pages.next
    if not seen:
        raise Flawed(Flaw.BROKEN)
    if position:
        raise Flawed(Flaw.BROKEN if position in seen else Flaw.COMPLEX)


def _check_page(page: Any, size: int) -> None:
    """Raises Flawed when a page of a TIFF is too large or lies beyond the end of a file of so many bytes."""
    depth = page.get(258, (1,))
    bits = page[256] * page[257] * (sum(depth) if len(depth) > 1 else depth[0] * page.get(277, 1))
    if bits > MOST_BYTES * 8:
        raise Flawed(Flaw.LARGE)
    starts = page.get(273) or page[324]
    lengths = page.get(279) or page.get(325) or (0,) * len(starts)  # old fax software writes none
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    if page.get(259, 1) == 1 and len(ends) == 1:  # not compressed: the size of the picture tells how long it is
        ends = [min(ends[0], starts[0] + bits // 8)]
    if max(starts) >= size or max(ends) > size:
        raise Flawed(Flaw.CUT)
