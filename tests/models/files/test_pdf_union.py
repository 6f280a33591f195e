"""Files in which readers find different objects under one number: every one of these objects is checked."""

import io
import re
import subprocess
import zlib
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pypdfium2 import raw

from models.files.flaws import Flaw
from tests.corpus.raw import BASIC, Objects, catalogue, pdf, stream, update
from tests.models.conftest import Verdict

SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
NAMES = b"<</JavaScript<</Names[(a)%s]>>>>" % SCRIPT
PAGES = [(2, BASIC[2]), (3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")]
CLEAN, EVIL, NAMED = ((1, catalogue(entry)[1]) for entry in (b"", b"/Names" + NAMES, b"/Names 6 0 R"))


def packed(entries: list[tuple[int, bytes]], kind: bytes = b"/Type/ObjStm", padding: int = 0) -> bytes:
    """An object stream; a number may occur in it several times."""
    header, body = b"", b""
    for number, text in entries:
        header += b"%d %d " % (number, len(body))
        body += text + b" "
    data = zlib.compress(header + body + b" " * padding, 9)
    return stream(kind + b"/N %d/First %d/Filter/FlateDecode" % (len(entries), len(header)), data)


def indexed(objects: Objects, places: dict[int, int]) -> bytes:
    """A file with a cross-reference stream: these objects, and numbers at an index of object stream 5."""
    content, rows = b"%PDF-1.7\n", {number: b"\2\0\0\0\5\0%c" % index for number, index in places.items()}
    for number, text in objects.items():
        rows[number] = b"\1%s\0\0" % len(content).to_bytes(4, "big")
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(rows.get(number, bytes(7)) for number in range(9))
    last = stream(b"/Type/XRef/Size 9/W[1 4 2]/Root 1 0 R", table)
    return content + b"8 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (last, len(content))


def listed(objects: list[tuple[bytes, bytes]], rows: list[tuple[int, int, int]], trailer: bytes = b"") -> bytes:
    """A file with a table: rows of a number, the index of an object and a generation, each a section of its own."""
    content, offsets = b"%PDF-1.7\n", []
    for header, text in objects:
        offsets.append(len(content))
        content += b"%s obj\n%s\nendobj\n" % (header, text)
    table = b"".join(b"%d 1\n%010d %05d n \n" % (number, offsets[place], gen) for number, place, gen in rows)
    end = b"xref\n0 1\n0000000000 65535 f \n%strailer\n<</Size 9/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n"
    return content + end % (table, trailer, len(content))


REST = [(b"%d 0" % number, text) for number, text in PAGES]
TWO = [(b"1 0", EVIL[1]), (b"1 0", CLEAN[1]), *REST]
ROWS = [(2, 2, 0), (3, 3, 0)]
PLAIN = dict([NAMED, *PAGES])
FIRST = {1: 0, 2: 1, 3: 2}
TRICKS = {
    "script at the first of two entries": indexed({5: packed([EVIL, *PAGES, CLEAN])}, FIRST),
    "script at the middle of three entries": indexed({5: packed([CLEAN, *PAGES, EVIL, CLEAN])}, FIRST | {1: 3}),
    "names twice": indexed({5: packed([NAMED, *PAGES, (6, NAMES), (6, b"<<>>")])}, FIRST | {6: 3}),
    "names, then null": indexed({5: packed([NAMED, *PAGES, (6, NAMES), (6, b"null")])}, FIRST | {6: 3}),
    "names under another number": indexed({5: packed([CLEAN, *PAGES, (7, EVIL[1])])}, FIRST | {1: 3}),
    "names that the table does not list": indexed({5: packed([NAMED, *PAGES, (6, NAMES)])}, FIRST),
    "large object stream of no type": indexed(PLAIN | {5: packed([(6, NAMES)], b"", 17 << 20)}, {6: 0}),
    "continued object stream": indexed(
        {7: packed([(6, NAMES)]), 5: packed([NAMED, *PAGES], b"/Type/ObjStm/Extends 7 0 R")}, FIRST | {6: 0}
    ),
    "two sections, script in the first": listed(TWO, [(1, 0, 0), *ROWS, (1, 1, 0)]),
    "two sections, script in the last": listed(TWO, [(1, 1, 0), *ROWS, (1, 0, 0)]),
    "script in a later generation": listed([(b"1 0", CLEAN[1]), (b"1 1", EVIL[1]), *REST], [(1, 1, 0), *ROWS]),
    "clean in a later generation": listed([(b"1 0", EVIL[1]), (b"1 1", CLEAN[1]), *REST], [(1, 1, 0), *ROWS]),
    "header with a comment": listed([(b"1 %\n0%\n", EVIL[1]), (b"1 0", CLEAN[1]), *REST], [(1, 1, 0), *ROWS]),
    "script that an update took out": update(pdf(catalogue(b"/OpenAction 60 0 R") | {60: SCRIPT}), {1: BASIC[1]}),
    "script that nothing refers to": pdf(BASIC | {60: SCRIPT}),
}  # fmt: skip
CRAFTED = {
    "number with a sign": listed([(b"+1 0", EVIL[1]), (b"1 0", CLEAN[1]), *REST], [(1, 1, 0), *ROWS]),
    "number beyond 32 bits": listed([(b"4294967297 0", EVIL[1]), (b"1 0", CLEAN[1]), *REST], [(1, 1, 0), *ROWS]),
    "entries that overlap": indexed(
        {5: packed([CLEAN, *PAGES, (6, b"<</A[")])}, FIRST
    ),
    "kind of an action that changed": pdf(catalogue(b"/OpenAction<</S 60 0 R>>") | {60: b"/GoTo"})
    .replace(b"60 0 obj", b"60 0 obj /Named endobj 60 0 obj"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_a_script_is_found_in_every_place_a_pdf_reader_reads(verdict: Verdict, name: str) -> None:
    assert verdict(TRICKS[name]) == (Flaw.COMPLEX if name.startswith("large") else Flaw.ACTIVE)


@pytest.mark.parametrize("name", CRAFTED)
def test_a_file_that_readers_parse_differently_is_refused(verdict: Verdict, name: str) -> None:
    assert verdict(CRAFTED[name]) in (Flaw.AMBIGUOUS, Flaw.BROKEN)


@pytest.mark.slow
def test_real_readers_find_the_scripts_of_the_crafted_files(tmp_path: Path) -> None:
    """Most of them; otherwise the tests above would prove nothing."""
    path, found = tmp_path / "file.pdf", set()
    for name, content in TRICKS.items():
        path.write_bytes(content)
        output = subprocess.run(["pdfinfo", "-js", path], capture_output=True, timeout=60).stdout
        try:
            opened = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError:
            scripts = 0
        else:
            scripts = raw.FPDFDoc_GetJavaScriptActionCount(opened.raw)
        if b"app.alert" in output or scripts > 0:
            found.add(name)
    assert len(found) >= 6, found


HONEST = {
    "two revisions": update(pdf(catalogue(b"/Lang(zh)")), catalogue(b"/Lang(en)") | {5: b"13"}),
    "object streams": indexed({5: packed([CLEAN, *PAGES])}, FIRST),
    "an object used again": listed(
        [(b"1 0", CLEAN[1]), (b"6 0", b"<<>>"), *REST, (b"6 1", b"[1 0 R]")], [(1, 0, 0), *ROWS, (6, 4, 1)]
    ),
    "text that names objects": pdf(BASIC | {4: stream(b"", b"BT (see 1 0 obj and trailer <<) Tj ET")}),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_files_with_revisions_and_object_streams_are_accepted(verdict: Verdict, name: str) -> None:
    assert verdict(HONEST[name]) == "application/pdf"


@pytest.mark.parametrize("aes", [False, True])
def test_scripts_in_an_encrypted_file_are_found_and_duplicate_object_numbers_are_refused(
    verdict: Verdict, tmp_path: Path, aes: bool
) -> None:
    """With an owner password: every reader opens it."""
    path = tmp_path / "file.pdf"
    lock = pikepdf.Encryption(owner="o", user="", R=4, aes=aes, metadata=aes)
    for content, expected in ((pdf(BASIC), "application/pdf"), (pdf(catalogue(b"/OpenAction" + SCRIPT)), Flaw.ACTIVE)):
        path.write_bytes(content)
        with pikepdf.open(path, allow_overwriting_input=True) as plain:
            mode = pikepdf.ObjectStreamMode.generate
            plain.save(path, encryption=lock, object_stream_mode=mode)
        assert verdict(path.read_bytes()) == expected
    path.write_bytes(pdf(BASIC))
    with pikepdf.open(path, allow_overwriting_input=True) as plain:
        plain.save(path, encryption=lock, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    again = b"1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\nxref\n"
    assert verdict(path.read_bytes().replace(b"xref\n", again, 1)) == Flaw.LOCKED


STRAY = [b"{x}", b"/X [[[ ", b"(", b"<zz>", b"/X{", b"1.2.3", b">>"]


@pytest.mark.parametrize("stray", STRAY)
def test_a_script_in_an_object_that_qpdf_cannot_read_is_refused(verdict: Verdict, stray: bytes) -> None:
    """qpdf takes such an object for null, where PDFium and poppler still find the script; listed or not."""
    broken = SCRIPT[:-2] + stray + b">>"
    named = catalogue(b"/Names<</JavaScript<</Names[(a) 60 0 R]>>>>")
    assert verdict(pdf(named | {60: broken})) != "application/pdf"
    assert verdict(pdf(BASIC | {60: broken})) != "application/pdf"
    assert verdict(update(pdf(named | {60: broken}), {1: BASIC[1]})) != "application/pdf"


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_script_in_an_encrypted_object_that_qpdf_cannot_read_is_refused(
    verdict: Verdict, tmp_path: Path, revision: int
) -> None:
    with pikepdf.open(io.BytesIO(pdf(catalogue(b"/OpenAction 60 0 R") | {60: SCRIPT}))) as opened:
        lock = pikepdf.Encryption(owner="o", user="", R=revision, metadata=revision > 3, aes=revision > 3)
        opened.save(tmp_path / "locked.pdf", encryption=lock, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    content = (tmp_path / "locked.pdf").read_bytes()
    assert verdict(content) == Flaw.ACTIVE
    spoilt = re.sub(rb"/JS <.", b"/JS <-", content)
    assert spoilt != content
    assert verdict(spoilt) != "application/pdf"
