"""上传附件: names, contents, and bytes that are safe before any row speaks of them."""

import hashlib
import io
import os
import resource
import signal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.acts import uploads
from models.application import Application
from models.application.attachments import Attachment, Store, with_ending
from models.application.file_names import clean_name
from models.database import db
from models.files.inspection import INSPECTION, MEMORY
from models.vocabulary import AttachmentKind
from models.workflow import Refused
from tests.cast import upload
from tests.conftest import ActAs, MakeApplication, MakePdf, StoredRows
from tests.models.application.files_put import MANY, put, stored_digests


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
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
def test_a_file_keeps_its_own_name_and_nothing_more(given_name: str, cleaned: str) -> None:
    """FU1: no path, no control or direction marks, at most 255 bytes."""
    assert clean_name(given_name) == cleaned


@pytest.mark.slow
@given(st.text(max_size=400))
def test_every_file_name_is_cleaned_to_a_valid_one(name: str) -> None:
    """FU1: as a property."""
    cleaned = clean_name(name)
    assert cleaned
    assert len(cleaned.encode()) <= 255
    assert cleaned.isprintable() or any(sign.isspace() for sign in cleaned)
    assert not set(cleaned) & set("/\\\r\n\0\u202e")
    assert clean_name(cleaned) == cleaned


@pytest.mark.parametrize(
    ("given_name", "media_type", "cleaned"),
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
def test_a_file_name_has_the_extension_of_its_content(given_name: str, media_type: str, cleaned: str) -> None:
    """21: no other program opens it for what its name claims."""
    assert with_ending(clean_name(given_name) if given_name != "合同.exe " else given_name, media_type) == cleaned
    assert len(cleaned.encode()) <= 255


@pytest.mark.slow
def test_files_are_inspected_in_a_process_with_a_memory_limit(store: Store, make_pdf: MakePdf) -> None:
    """FU2: parsers run in that process only; a killed one is replaced."""
    put(store, make_pdf("合同"))
    process = INSPECTION.process.pid
    assert process != os.getpid()
    assert resource.prlimit(process, resource.RLIMIT_AS) == (MEMORY, MEMORY)
    os.kill(process, signal.SIGKILL)
    assert put(store, make_pdf("合同")) == "application/pdf"
    assert INSPECTION.process.pid != process


def test_a_too_large_file_is_refused_with_the_limit(store: Store, make_pdf: MakePdf) -> None:
    content = make_pdf("合同") + b"\n" * (2 << 20)
    with pytest.raises(Refused, match=r"文件“文件\.pdf”超过 2 MB，请压缩后重新上传。"):
        put(store, content, limit=2 << 20)
    assert stored_digests(store) == []


def test_reading_stops_at_the_size_limit(store: Store) -> None:
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


def test_an_attachment_row_is_added_after_its_bytes_are_stored(
    app: Flask, address: str, make_application: MakeApplication, act_as: ActAs, make_pdf: MakePdf
) -> None:
    """When the row is written, its bytes are stored already, complete and under their digest."""
    app.config["STORE"] = address
    key = make_application()
    seen = []

    def look(_mapper: Any, _connection: Any, file: Attachment) -> None:
        with Store(address).open(file.digest) as content:
            seen.append(hashlib.sha256(content.read()).hexdigest() == file.digest)

    event.listen(Attachment, "before_insert", look)
    try:
        with act_as("publisher") as filer:
            upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, make_pdf("其他"), filer)
    finally:
        event.remove(Attachment, "before_insert", look)
    assert seen == [True]


def test_an_upload_killed_before_its_row_leaves_bytes_only(
    app: Flask,
    address: str,
    make_application: MakeApplication,
    act_as: ActAs,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
) -> None:
    """Unreferenced bytes are swept later; a row without bytes would be a lost document."""
    app.config["STORE"] = address
    key = make_application()
    before = stored_rows(key)
    store = Store(address)
    files = len(stored_digests(store))

    class PowerCut(BaseException):
        pass

    def cut(_session: Session, *_args: Any) -> None:
        raise PowerCut

    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        event.listen(db.session(), "before_flush", cut)
        with pytest.raises(PowerCut):
            upload(app, application, AttachmentKind.OTHER, make_pdf("其他"), filer)
    assert stored_rows(key) == before
    assert len(stored_digests(store)) == files + 1


def test_a_replaced_file_is_marked_and_kept(
    app: Flask, make_application: MakeApplication, act_as: ActAs, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """Its bytes may have been decided upon."""
    key = make_application(status="returned")
    old = stored_rows(key)["attachment"][0]
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        new = uploads.attach(
            db.session(),
            application,
            AttachmentKind(old["kind"]),
            io.BytesIO(make_pdf("新的申请表")),
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
def test_files_of_a_submitted_application_cannot_be_changed(
    app: Flask,
    make_application: MakeApplication,
    act_as: ActAs,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
    status: str,
) -> None:
    """AD8: no file is added or removed, and the message names the statuses that allow it."""
    key = make_application(status=status)
    before = stored_rows(key)
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        with pytest.raises(Refused, match="「暂存」「退回」状态可以编辑"):
            upload(app, application, AttachmentKind.OTHER, make_pdf("其他"), filer)
        with pytest.raises(Refused, match="「暂存」「退回」状态可以编辑"):
            uploads.detach(db.session(), application, before["attachment"][0]["id"], filer)
        db.session.commit()
    assert stored_rows(key) == before


def test_a_file_cannot_be_removed_through_another_application(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """AC1, AC2: own parent, foreign child."""
    own, foreign = make_application(), make_application()
    before = stored_rows(foreign)
    with act_as("publisher") as filer:
        with pytest.raises(Refused, match="该附件已不存在"):
            uploads.detach(db.session(), db.session.get_one(Application, own), before["attachment"][0]["id"], filer)
        db.session.commit()
    assert stored_rows(foreign) == before


def test_a_reviewer_cannot_add_files(
    app: Flask, make_application: MakeApplication, act_as: ActAs, make_pdf: MakePdf
) -> None:
    key = make_application(status="returned")
    with act_as("reviewer") as reviewer, pytest.raises(Refused, match="「出版单位」账号才能编辑"):
        upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, make_pdf("其他"), reviewer)
