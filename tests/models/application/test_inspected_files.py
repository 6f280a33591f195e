"""Files are recognised by content: pictures and plain PDFs are accepted, active or harmful ones refused."""

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from models.application.attachments import Store
from models.workflow import Refused
from tests.conftest import MakePdf
from tests.models.application.files_put import put, stored_digests


def picture(kind: str, size: tuple[int, int] = (600, 400)) -> bytes:
    """A picture with something on it."""
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff")])
def test_a_picture_is_recognised_by_content_not_by_name(store: Store, kind: str, media_type: str) -> None:
    assert put(store, picture(kind), "扫描件.pdf") == media_type


def test_a_pdf_is_accepted(store: Store, make_pdf: MakePdf) -> None:
    assert put(store, make_pdf("合同")) == "application/pdf"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


STRANGE = {
    "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "svg": SVG,
    "xml": b"<?xml version='1.0'?>" + SVG,
    "exe": b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00" + bytes(400),
    "elf": b"\x7fELF" + bytes(400),
    "zip": zipped(a=b"x"),
    "docx": zipped(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}),
    "zip bomb": zipped(zeros=bytes(20 << 20)),
    "gif": b"GIF89a" + bytes(200),
    "text": "这是一份合同。".encode(),
    "postscript": b"%!PS-Adobe-3.0\n%%EOF",
    "nonsense": b"\x00" * 500,
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_file_that_is_pdf_by_name_only_is_refused(store: Store, name: str) -> None:
    """FU2: the content decides, not the suffix; no bytes are stored."""
    with pytest.raises(Refused, match=r"“文件\.pdf”不是 PDF、JPEG、PNG 或 TIFF，不能作为附件"):
        put(store, STRANGE[name])
    assert stored_digests(store) == []


def test_an_empty_file_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match=r"“文件\.pdf”是空的"):
        put(store, b"")


@pytest.mark.parametrize("kind", ["pdf", "PNG", "JPEG"])
def test_a_file_that_is_also_an_archive_is_refused(store: Store, make_pdf: MakePdf, kind: str) -> None:
    """FU2: a polyglot is a PDF to us and a ZIP or JAR to other programs."""
    content = make_pdf("合同") if kind == "pdf" else picture(kind)
    with pytest.raises(Refused):
        put(store, content + zipped(a=b"x"))
    assert stored_digests(store) == []


def written(change: Callable[[pikepdf.Pdf], object], **options: Any) -> bytes:
    """A PDF of one page with something done to it."""
    pdf, out = pikepdf.new(), io.BytesIO()
    pdf.add_blank_page()
    change(pdf)
    pdf.save(out, **options)
    return out.getvalue()


def script(pdf: pikepdf.Pdf) -> Dictionary:
    return pdf.make_indirect(Dictionary(S=Name.JavaScript, JS="app.alert(1)"))


def with_names(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=["a", script(pdf)]))


def with_field(pdf: pikepdf.Pdf) -> None:
    field = pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="a", Rect=[0] * 4, AA=Dictionary(K=script(pdf)))
    )
    pdf.pages[0].Annots = pikepdf.Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=[field])


def with_link(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].Annots = pikepdf.Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.JavaScript, JS="x()"))]
    )


def with_launch(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.Launch, F="cmd.exe")


def with_attachment(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["a.exe"] = b"MZ"


@pytest.mark.parametrize(
    "change",
    [
        lambda pdf: setattr(pdf.Root, "OpenAction", Dictionary(S=Name.JavaScript, JS="app.alert(1)")),
        lambda pdf: setattr(pdf.Root, "OpenAction", script(pdf)),
        lambda pdf: setattr(pdf.Root, "AA", Dictionary(WC=script(pdf))),
        lambda pdf: setattr(pdf.pages[0].obj, "AA", Dictionary(O=Dictionary(S=Name.JavaScript, JS="x()"))),
        with_names,
        with_field,
        with_link,
        with_launch,
        with_attachment,
    ],
    ids=["open", "open indirect", "catalogue", "page", "names", "field", "link", "launch", "attachment"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "object streams"])
def test_a_pdf_with_active_content_is_refused(
    store: Store, change: Callable[[pikepdf.Pdf], object], packed: bool
) -> None:
    """FU2: scripts, launch actions and embedded files, in every place of the document."""
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    with pytest.raises(Refused, match=r"含有脚本或会自动执行的操作，请打印为新的 PDF 后上传。|中嵌有其他文件"):
        put(store, written(change, object_stream_mode=mode))


def test_a_pdf_whose_text_mentions_scripts_is_accepted(store: Store) -> None:
    """The text /JS on a page is only text; a link to a page is accepted, too."""

    def change(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = "How /JS and /JavaScript work"
        pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=[pdf.pages[0].obj, Name.Fit])
        pdf.pages[0].Contents = pdf.make_stream(b"BT (/JS (x)) Tj ET")

    assert put(store, written(change)) == "application/pdf"


def test_an_encrypted_pdf_is_refused(store: Store) -> None:
    """FU2: the reviewer could not read it."""
    locked = written(lambda pdf: None, encryption=pikepdf.Encryption(user="u", owner="o"))
    with pytest.raises(Refused, match="已加密，审核人员无法阅读，请去除密码或权限保护后上传"):
        put(store, locked)


def test_a_pdf_that_only_forbids_printing_is_accepted(store: Store) -> None:
    assert put(store, written(lambda pdf: None, encryption=pikepdf.Encryption(user="", owner="o"))) == "application/pdf"


@pytest.mark.parametrize("kind", ["PDF", "JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_file_is_refused(store: Store, kind: str, part: float) -> None:
    """FU2: an incomplete upload is refused at once."""
    content = written(lambda pdf: pdf.add_blank_page()) if kind == "PDF" else picture(kind)
    with pytest.raises(Refused, match="不完整，后面的内容缺失，请重新复制或重新生成后上传"):
        put(store, content[: int(len(content) * part)])
    assert stored_digests(store) == []


def test_a_picture_with_too_many_pixels_is_refused_undecoded(store: Store) -> None:
    """FU2: some kilobytes that would unfold into gigabytes."""
    size = (30_000).to_bytes(4) * 2
    header = b"IHDR" + size + bytes([1, 0, 0, 0, 0])
    content = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + header + zlib.crc32(header).to_bytes(4)
    with pytest.raises(Refused, match="的像素过大，请缩小后上传"):
        put(store, content + bytes(4) + b"IEND\xaeB`\x82")


def packed(megabytes: int, streams: int) -> bytes:
    """A PDF whose object streams unpack to so many megabytes each: a thousandth of that to send."""
    out, offsets = io.BytesIO(), {}
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>"}
    objects[3] = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    for n in range(streams):
        inner = b"%d 0 (" % (50 + n) + b"A" * (megabytes << 20) + b")"
        data, first = zlib.compress(inner, 1), len(b"%d 0 " % (50 + n))
        head = b"<</Type/ObjStm/N 1/First %d/Length %d/Filter/FlateDecode>>stream\n" % (first, len(data))
        objects[4 + n] = head + data + b"\nendstream"
    out.write(b"%PDF-1.5\n")
    for key, body in objects.items():
        offsets[key] = out.tell()
        out.write(b"%d 0 obj\n" % key + body + b"\nendobj\n")
    rows = [(0, 0, 65535)] + [(1, offsets[key], 0) for key in range(1, 4 + streams)]
    rows += [(0, 0, 0)] * (50 - len(rows)) + [(2, 4 + n, 0) for n in range(streams)]
    table = b"".join(bytes([kind]) + a.to_bytes(4) + b.to_bytes(2) for kind, a, b in rows)
    xref = out.tell()
    head = b"<</Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Length %d>>stream\n" % (len(rows), len(table))
    out.write(b"49 0 obj\n" + head + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % xref)
    return out.getvalue()


@pytest.mark.slow
def test_a_pdf_that_unpacks_into_more_than_any_honest_one_is_refused(store: Store, make_pdf: MakePdf) -> None:
    """FU2: 100 KB that would take 12 GB and a minute cost their sender a sentence; the next file is read as ever."""
    assert put(store, packed(megabytes=1, streams=2)) == "application/pdf"
    for megabytes, streams in ((100, 1), (15, 40)):
        bomb = packed(megabytes, streams)
        assert len(bomb) < 6 << 20
        with pytest.raises(Refused, match="过于庞大复杂，无法检查"):
            put(store, bomb)
    assert put(store, make_pdf("合同")) == "application/pdf"
    assert len(stored_digests(store)) == 2
