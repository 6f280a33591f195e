"""上传附件: names, contents, and bytes that are safe before any row speaks of them."""

import hashlib
import io
import os
import resource
import signal
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Dictionary, Name
from PIL import Image
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import clock
from models.acts import uploads
from models.application import Application
from models.application.attachments import Attachment, Store, named
from models.application.file_names import clean_name
from models.database import db
from models.files.inspection import INSPECTION, MEMORY
from models.vocabulary import AttachmentKind
from models.workflow import Refused
from tests.cast import upload
from tests.conftest import Acting, Making, Recording

Paper = Callable[[str], bytes]
MANY = 20 << 20


@pytest.fixture
def store(address: str) -> Store:
    return Store(address)


def put(store: Store, content: bytes, name: str = "文件.pdf", limit: int = MANY) -> str:
    """The media type under which it was accepted."""
    return store.put(io.BytesIO(content), name, limit).media_type


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("出版许可证.pdf", "出版许可证.pdf"),
        ("《交响乐》\"精选\" 'A&B'.pdf", "《交响乐》\"精选\" 'A&B'.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\用户\\合同.pdf", "合同.pdf"),
        ("/etc/cron.d/合同.pdf", "合同.pdf"),
        ("合同\r\nSet-Cookie: a=b.pdf", "合同Set-Cookie: a=b.pdf"),
        ("合同\0.exe.pdf", "合同.exe.pdf"),
        ("合同\u202efdp.exe", "合同fdp.exe"),
        ("soft\u00adhyphen.pdf", "softhyphen.pdf"),
        ("  合同.pdf  ", "合同.pdf"),
        ("e\u0301.pdf", "é.pdf"),
        ("𠮷野家.pdf", "𠮷野家.pdf"),
        ("", "未命名"),
        ("///", "未命名"),
        ("\u202e\u200b", "未命名"),
        ("合" * 200 + ".pdf", "合" * 83 + ".pdf"),
        ("a" * 300, "a" * 255),
        ("." * 300, "." * 255),
    ],
)
def test_a_file_keeps_its_own_name_and_nothing_more(given_name: str, kept: str) -> None:
    """FU1: no path, no control or direction marks, at most 255 bytes."""
    assert clean_name(given_name) == kept


@pytest.mark.slow
@given(st.text(max_size=400))
def test_whatever_the_name_it_can_be_stored_and_sent(name: str) -> None:
    """FU1: as a property."""
    kept = clean_name(name)
    assert kept
    assert len(kept.encode()) <= 255
    assert kept.isprintable() or any(sign.isspace() for sign in kept)
    assert not set(kept) & set("/\\\r\n\0\u202e")
    assert clean_name(kept) == kept


@pytest.mark.parametrize(
    ("given_name", "media_type", "kept"),
    [
        ("合同.pdf", "application/pdf", "合同.pdf"),
        ("合同.PDF", "application/pdf", "合同.PDF"),
        ("合同.hta", "application/pdf", "合同.hta.pdf"),
        ("合同.pdf.bat", "application/pdf", "合同.pdf.bat.pdf"),
        ("合同.jpg", "application/pdf", "合同.pdf"),
        ("第1.2版", "application/pdf", "第1.2版.pdf"),
        ("合同", "image/tiff", "合同.tif"),
        (".pdf", "application/pdf", ".pdf.pdf"),
        ("合同.exe ", "image/png", "合同.exe .png"),
        ("IMG_0001.JPEG", "image/jpeg", "IMG_0001.JPEG"),
        ("IMG_0001.MPO", "image/jpeg", "IMG_0001.MPO.jpg"),
        ("扫描件.png", "image/jpeg", "扫描件.jpg"),
        ("合" * 84 + ".h", "application/pdf", "合" * 83 + ".pdf"),
    ],
)
def test_a_name_ends_as_the_kind_of_its_file_does(given_name: str, media_type: str, kept: str) -> None:
    """21: no other program opens it for what its name claims."""
    assert named(clean_name(given_name) if given_name != "合同.exe " else given_name, media_type) == kept
    assert len(kept.encode()) <= 255


def picture(kind: str, size: tuple[int, int] = (600, 400)) -> bytes:
    """A picture with something on it."""
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff")])
def test_a_picture_is_accepted_for_what_it_is_whatever_its_name(store: Store, kind: str, media_type: str) -> None:
    assert put(store, picture(kind), "扫描件.pdf") == media_type


def test_a_pdf_is_accepted(store: Store, a_pdf: Paper) -> None:
    assert put(store, a_pdf("合同")) == "application/pdf"


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
def test_what_only_calls_itself_pdf_is_refused(store: Store, name: str) -> None:
    """FU2: the content decides, not the ending; and nothing of it stays."""
    with pytest.raises(Refused, match=r"“文件\.pdf”不是 PDF、JPEG、PNG 或 TIFF，不能作为附件"):
        put(store, STRANGE[name])
    assert kept_in(store) == []


def kept_in(store: Store) -> list[str]:
    """Every digest that the store holds; nothing half done lies about."""
    assert store.clear(clock.now() + timedelta(days=1)) == 0
    return list(store.digests())


def test_an_empty_file_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match=r"“文件\.pdf”是空的"):
        put(store, b"")


@pytest.mark.parametrize("kind", ["pdf", "PNG", "JPEG"])
def test_a_file_that_is_also_an_archive_is_refused(store: Store, a_pdf: Paper, kind: str) -> None:
    """FU2: a polyglot is a PDF to us and a ZIP, or a JAR, to somebody else."""
    content = a_pdf("合同") if kind == "pdf" else picture(kind)
    with pytest.raises(Refused):
        put(store, content + zipped(a=b"x"))
    assert kept_in(store) == []


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
def test_a_pdf_that_can_act_is_refused(store: Store, change: Callable[[pikepdf.Pdf], object], packed: bool) -> None:
    """FU2: scripts, programs to launch and files inside, wherever in the document they hide."""
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    with pytest.raises(Refused, match=r"含有脚本或会自动执行的操作，请打印为新的 PDF 后上传。|中嵌有其他文件"):
        put(store, written(change, object_stream_mode=mode))


def test_a_pdf_that_speaks_of_scripts_is_no_script(store: Store) -> None:
    """A text in which somebody writes /JS is only a text; so is a link to a page."""

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
def test_a_file_that_broke_off_is_refused(store: Store, kind: str, part: float) -> None:
    """FU2: an upload that stopped half way is told at once."""
    content = written(lambda pdf: pdf.add_blank_page()) if kind == "PDF" else picture(kind)
    with pytest.raises(Refused, match="不完整，后面的内容缺失，请重新复制或重新生成后上传"):
        put(store, content[: int(len(content) * part)])
    assert kept_in(store) == []


def test_a_picture_too_large_to_be_opened_is_refused_unopened(store: Store) -> None:
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
def test_a_pdf_that_unpacks_into_more_than_any_honest_one_is_refused(store: Store, a_pdf: Paper) -> None:
    """FU2: 100 KB that would take 12 GB and a minute cost their sender a sentence; the next file is read as ever."""
    assert put(store, packed(megabytes=1, streams=2)) == "application/pdf"
    for megabytes, streams in ((100, 1), (15, 40)):
        bomb = packed(megabytes, streams)
        assert len(bomb) < 6 << 20
        with pytest.raises(Refused, match="过于庞大复杂，无法检查"):
            put(store, bomb)
    assert put(store, a_pdf("合同")) == "application/pdf"
    assert len(kept_in(store)) == 2


@pytest.mark.slow
def test_a_file_is_looked_at_in_a_process_with_an_end_to_its_memory(store: Store, a_pdf: Paper) -> None:
    """FU2: whatever a parser does, it does it there; one that was killed is replaced."""
    put(store, a_pdf("合同"))
    process = INSPECTION.process.pid
    assert process != os.getpid()
    assert resource.prlimit(process, resource.RLIMIT_AS) == (MEMORY, MEMORY)
    os.kill(process, signal.SIGKILL)
    assert put(store, a_pdf("合同")) == "application/pdf"
    assert INSPECTION.process.pid != process


def test_a_file_that_is_too_large_is_told_the_limit(store: Store, a_pdf: Paper) -> None:
    content = a_pdf("合同") + b"\n" * (2 << 20)
    with pytest.raises(Refused, match=r"文件“文件\.pdf”超过 2 MB，请压缩后重新上传。"):
        put(store, content, limit=2 << 20)
    assert kept_in(store) == []


def test_reading_stops_where_the_limit_is_passed(store: Store) -> None:
    """An endless stream fills neither disk nor memory."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"%PDF-" + bytes(size - 5)

    stream = Endless()
    with pytest.raises(Refused):
        store.put(stream, "文件.pdf", 3 << 20)  # type: ignore[arg-type]
    assert stream.given <= 5 << 20


def test_a_row_never_names_bytes_that_are_not_there(
    app: Flask, address: str, make_application: Making, acting: Acting, a_pdf: Paper
) -> None:
    """At the moment the row is written, its bytes have long been kept, whole and under their name."""
    app.config["STORE"] = address
    key = make_application()
    seen = []

    def look(_mapper: Any, _connection: Any, file: Attachment) -> None:
        with Store(address).open(file.digest) as content:
            seen.append(hashlib.sha256(content.read()).hexdigest() == file.digest)

    event.listen(Attachment, "before_insert", look)
    try:
        with acting("publisher") as filer:
            upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, a_pdf("其他"), filer)
    finally:
        event.remove(Attachment, "before_insert", look)
    assert seen == [True]


def test_an_upload_that_dies_before_its_row_leaves_bytes_but_no_row(
    app: Flask, address: str, make_application: Making, acting: Acting, a_pdf: Paper, on_record: Recording
) -> None:
    """Bytes that nobody names are swept up later; a row without bytes would be a lost document."""
    app.config["STORE"] = address
    key = make_application()
    before = on_record(key)
    store = Store(address)
    files = len(kept_in(store))

    class PowerCut(BaseException):
        pass

    def cut(_session: Session, *_args: Any) -> None:
        raise PowerCut

    with acting("publisher") as filer:
        application = db.session.get_one(Application, key)
        event.listen(db.session(), "before_flush", cut)
        with pytest.raises(PowerCut):
            upload(app, application, AttachmentKind.OTHER, a_pdf("其他"), filer)
    assert on_record(key) == before
    assert len(kept_in(store)) == files + 1


def test_a_replaced_file_is_marked_and_kept(
    app: Flask, make_application: Making, acting: Acting, a_pdf: Paper, on_record: Recording
) -> None:
    """Its bytes may have been decided upon."""
    key = make_application(status="returned")
    old = on_record(key)["attachment"][0]
    with acting("publisher") as filer:
        application = db.session.get_one(Application, key)
        new = uploads.attach(
            db.session(),
            application,
            AttachmentKind(old["kind"]),
            io.BytesIO(a_pdf("新的申请表")),
            "新的申请表.pdf",
            filer,
            Store(app.config["STORE"]),
            MANY,
            replaces=old["id"],
        )
        db.session.commit()
        current = {file.id for file in application.current_attachments}
        assert new.id in current
        assert old["id"] not in current
    assert old["digest"] in Store(app.config["STORE"]).digests()


@pytest.mark.parametrize("status", ["pending", "refused", "filed", "revoked"])
def test_what_has_been_declared_keeps_its_files_as_they_are(
    app: Flask, make_application: Making, acting: Acting, a_pdf: Paper, on_record: Recording, status: str
) -> None:
    """AD8: neither added nor taken out, and the sentence says when it could be."""
    key = make_application(status=status)
    before = on_record(key)
    with acting("publisher") as filer:
        application = db.session.get_one(Application, key)
        with pytest.raises(Refused, match="「暂存」「退回」状态可以编辑"):
            upload(app, application, AttachmentKind.OTHER, a_pdf("其他"), filer)
        with pytest.raises(Refused, match="「暂存」「退回」状态可以编辑"):
            uploads.detach(db.session(), application, before["attachment"][0]["id"], filer)
        db.session.commit()
    assert on_record(key) == before


def test_a_file_of_another_application_cannot_be_taken_out_through_one_s_own(
    make_application: Making, acting: Acting, on_record: Recording
) -> None:
    """AC1, AC2: own parent, foreign child."""
    own, foreign = make_application(), make_application()
    before = on_record(foreign)
    with acting("publisher") as filer:
        with pytest.raises(Refused, match="该附件已不存在"):
            uploads.detach(db.session(), db.session.get_one(Application, own), before["attachment"][0]["id"], filer)
        db.session.commit()
    assert on_record(foreign) == before


def test_the_reviewer_adds_no_files(app: Flask, make_application: Making, acting: Acting, a_pdf: Paper) -> None:
    key = make_application(status="returned")
    with acting("reviewer") as reviewer, pytest.raises(Refused, match="「出版单位」账号才能编辑"):
        upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, a_pdf("其他"), reviewer)
