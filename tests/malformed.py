"""Malformed files and messages: honest ones, changed at random, as transfer and attackers would."""

import io
import random
import re
import zipfile
from collections.abc import Callable
from functools import cache

import pikepdf
import xlwt
from openpyxl import Workbook
from PIL import Image

from models.vocabulary import Reply
from tests.cast import small_pdf
from tests.models.customs.made_receipts import batch, receipt_for

TOKENS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\xed\xa0\x80", b"999999999999999999999", b"-1", b"1e400", b"NaN",
    b"<<", b"]]>", b"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>", b"&e;", b"&#0;", b"<a>" * 3000,
    b"(" * 3000, b"endobj", b"/JavaScript", b"PK\x05\x06", b"../../x", b"=cmd|'/c calc'!A1", b"%PDF-1.7", b"{" * 3000,
    "\u202e\U0001f4a3".encode(), b'"', b"'", b";", b"A" * 70_000,
)  # fmt: skip
Change = Callable[[random.Random, bytes, bytes], bytes]


def _flip(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    changed = bytearray(content)
    for _each in range(choose.choice((1, 1, 3, 20))):
        changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    return bytes(changed)


def _cut(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    return content[: choose.randrange(len(content))]


def _without(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    begin, end = _part(choose, content)
    return content[:begin] + content[end:]


def _doubled(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    begin, end = _part(choose, content)
    return content[:end] + content[begin:end] * choose.choice((1, 2, 40)) + content[end:]


def _zeroed(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    begin, end = _part(choose, content)
    return content[:begin] + bytes(end - begin) + content[end:]


def _insert(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    at = choose.randrange(len(content) + 1)
    return content[:at] + choose.choice((*TOKENS, choose.randbytes(30))) + content[at:]


def _replace_number(choose: random.Random, content: bytes, other: bytes) -> bytes:
    """One of its decimal numbers becomes a huge, negative or odd one: lengths, offsets, counts, versions."""
    found = list(re.finditer(rb"\d+", content))
    if not found:
        return _insert(choose, content, other)
    one = choose.choice(found)
    number = choose.choice((b"0", b"-1", b"4294967295", b"99999999999999999999", b"1e309", b"0x1", "３".encode()))
    return content[: one.start()] + number + content[one.end() :]


def _spliced(choose: random.Random, content: bytes, other: bytes) -> bytes:
    """The beginning of one, the end of another."""
    return content[: choose.randrange(len(content) + 1)] + other[choose.randrange(len(other) + 1) :]


def _reordered(choose: random.Random, content: bytes, _other: bytes) -> bytes:
    begin, end = _part(choose, content)
    return content[end:] + content[begin:end] + content[:begin]


def _part(choose: random.Random, content: bytes) -> tuple[int, int]:
    begin = choose.randrange(len(content))
    return begin, min(len(content), begin + choose.choice((1, 4, 30, 300, len(content) // 3 + 1)))


CHANGES: tuple[Change, ...] = (
    _flip, _flip, _cut, _without, _doubled, _zeroed, _insert, _insert, _replace_number, _replace_number, _spliced,
    _reordered,
)  # fmt: skip


def mutated(choose: random.Random, honest: list[bytes]) -> bytes:
    """One of the honest contents with one to three changes; of a ZIP archive often within one of its parts."""
    content = choose.choice(honest)
    for _each in range(choose.choice((1, 1, 2, 3))):
        inside = content.startswith(b"PK\x03\x04") and choose.random() < 0.6
        change = choose.choice(CHANGES)
        changed = (
            _repacked(choose, content, change) if inside else change(choose, content or b"x", choose.choice(honest))
        )
        content = changed or b"x"
    return content


def _repacked(choose: random.Random, content: bytes, change: Change) -> bytes:
    """The archive with one part changed, renamed, doubled, or left out; unchanged if it cannot be read any more."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            names = old.namelist()
            victim = choose.choice(names)
            for name in names:
                part = old.read(name)
                if name == victim:
                    if choose.random() < 0.15:
                        continue
                    part = change(choose, part or b"x", part or b"x")
                    name = choose.choice((name, name, name, f"../{name}", name.upper()))
                new.writestr(name, part)
    except Exception:  # changed before, so that the archive itself is broken
        return content
    return out.getvalue()


@cache
def pictures() -> list[bytes]:
    """A JPEG, a PNG and TIFFs of one and two pages."""
    picture, found = Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 20), []
    for kind, more in (("JPEG", {}), ("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})):
        picture.convert("RGB").save(out := io.BytesIO(), kind, **more)
        found.append(out.getvalue())
    picture.save(out := io.BytesIO(), "TIFF", save_all=True, append_images=[picture])
    return [*found, out.getvalue()]


@cache
def pdfs() -> list[bytes]:
    """PDFs with tables of references, with streams of them, with an outline."""
    plain, out = small_pdf("contract"), io.BytesIO()
    with pikepdf.open(io.BytesIO(plain)) as pdf:
        pdf.add_blank_page()
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("x", 0))
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, static_id=True)
    return [plain, out.getvalue(), small_pdf("样品内容材料")]


ROWS = [["规格型号", "进口数量", "单位"], ["12 英寸", 1000, "张"], ["7 英寸", 0.3, "010"]]


@cache
def tables() -> list[bytes]:
    """载体 as XLSX, XLS and CSV in three encodings."""
    book, old, out = Workbook(), xlwt.Workbook(), io.BytesIO()
    sheet = old.add_sheet("载体")
    for at, row in enumerate(ROWS):
        book.active.append(row)
        for place, value in enumerate(row):
            sheet.write(at, place, value)
    book.save(out)
    old.save(before := io.BytesIO())
    text = "\n".join(",".join(map(str, row)) for row in ROWS)
    return [out.getvalue(), before.getvalue(), *(text.encode(kind) for kind in ("utf-8-sig", "gb18030", "utf-16"))]


def receipts(names: list[str]) -> list[bytes]:
    """Receipts of every kind about these messages to customs."""
    single = [receipt_for(names[at % len(names)], reply) for at, reply in enumerate(Reply)]
    return [*single, batch(*((name, Reply.WAITING) for name in names)), batch((names[0], Reply.REJECTED), count=2)]
