"""Check that a picture is complete: JPEG and PNG are decoded to their end, TIFF is checked by its directories."""

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
BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # per pixel in Pillow's memory, by mode; 4 in all others
MOST_PAGES = 2_000  # of a TIFF
END_OF_JPEG, SCAN = b"\xff\xd9", b"\xff\xda"
MOST_OWN_ZEROS = 8  # zero bytes at the end that may belong to the picture
FRAME = 38  # bytes of the chunk that announces a frame of a moving PNG
END_OF_PNG = b"\0\0\0\0IEND\xaeB`\x82"


def allow_large() -> None:
    """Disable Pillow's own size limit: check_picture has one with a sentence. Applies to the whole process."""
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False


def check_picture(path: Path, kind: str) -> None:
    """`kind`: JPEG, PNG or TIFF. Raises Flawed when it is cut off or too large; any other error: it is unreadable."""
    with path.open("rb") as file:
        {"JPEG": _check_jpeg, "PNG": _check_png, "TIFF": _check_tiff}[kind](file)


def _check_size(picture: Image.Image) -> None:
    """Raises Flawed (LARGE) when the unpacked picture exceeds MOST_BYTES."""
    if picture.width * picture.height * BYTES.get(picture.mode, 4) > MOST_BYTES:
        raise Flawed(Flaw.LARGE)


def _check_jpeg(file: BinaryIO) -> None:
    """Decode to the end. The end marker may be missing if no pixels are; raises Flawed (CUT) otherwise."""
    content = file.read()
    if content.rfind(END_OF_JPEG) < content.rfind(SCAN) or SCAN not in content:
        if not _has_all_pixels(content):
            raise Flawed(Flaw.CUT)
    else:
        _pixels(content)


def _has_all_pixels(content: bytes) -> bool:
    """Whether appended bytes leave the pixels unchanged: if part of the data is missing, they are decoded instead.

    Trailing zeros are removed first, except a few: a broken download may leave them in place of the missing part.
    """
    received = content[: len(content.rstrip(b"\0")) + MOST_OWN_ZEROS]
    try:
        return _pixels(received + END_OF_JPEG) == _pixels(received + bytes(range(250)) * 40 + END_OF_JPEG)
    except OSError:
        return False


def _pixels(content: bytes) -> bytes:
    """SHA-256 of the pixels; at an eighth of the size unless progressive. Of an MPO, the first picture."""
    with JpegImageFile(io.BytesIO(content)) as picture:
        _check_size(picture)
        if "progressive" not in picture.info:  # its last scans only add detail, which a reduced size would not show
            picture.draft("RGB", (1, 1))
        return hashlib.sha256(picture.tobytes()).digest()


def _check_png(file: BinaryIO) -> None:
    """Decode all pixels; the end marker may be missing. Raises Flawed (CUT) when pixels are missing."""
    content = file.read()
    whole = _whole_chunks(content)
    try:
        with Image.open(io.BytesIO(content[:whole] + END_OF_PNG), formats=["PNG"]) as picture:
            _check_size(picture)
            if getattr(picture, "n_frames", 1) > len(content) // FRAME:
                raise Flawed(Flaw.BROKEN)
            picture.load()
    except (OSError, SyntaxError, EOFError):
        if whole == len(content) or content[whole + 4 : whole + 8] == b"IEND":
            raise
        raise Flawed(Flaw.CUT) from None


def _whole_chunks(content: bytes) -> int:
    """Offset of the end of the last complete chunk before IEND; raises Flawed (BROKEN) on a wrong CRC of pixel data."""
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
    """Check that the strips or tiles of every page lie within the file. Not decoded: viewers know more codecs."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    pages: Any = ImageFileDirectory_v2(file.read(8))
    position, visited = pages.next, set[int]()
    while position and position not in visited and len(visited) < MOST_PAGES:
        if position >= size:
            raise Flawed(Flaw.CUT)
        visited.add(position)
        file.seek(position)
        pages.load(file)
        _check_page(pages, size)
        position = pages.next
    if not visited:
        raise Flawed(Flaw.BROKEN)
    if position:
        raise Flawed(Flaw.BROKEN if position in visited else Flaw.COMPLEX)


def _check_page(page: Any, size: int) -> None:
    """Raises Flawed when a page of a TIFF is too large, or its data lie beyond the end of the file (`size` bytes)."""
    if not page[256] or not page[257]:
        raise Flawed(Flaw.BROKEN)
    depth = page.get(258, (1,))
    bits = page[256] * page[257] * (sum(depth) if len(depth) > 1 else depth[0] * page.get(277, 1))
    if bits > MOST_BYTES * 8:
        raise Flawed(Flaw.LARGE)
    starts = page.get(273) or page[324]
    lengths = page.get(279) or page.get(325) or (0,) * len(starts)  # old fax software omits the lengths
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    if page.get(259, 1) == 1 and len(ends) == 1:  # uncompressed: the length follows from the dimensions
        ends = [min(ends[0], starts[0] + bits // 8)]
    if max(starts) >= size or max(ends) > size:
        raise Flawed(Flaw.CUT)
