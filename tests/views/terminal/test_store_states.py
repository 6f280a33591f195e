"""A store that is full, read-only, missing or another one: a sentence, one word in /healthz, and no change."""

import io
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.application.attachments import Attachment, Store, key_of
from models.backup import registered_store
from models.certificate.paper_queue import PaperTask
from models.database import db
from models.vocabulary import AttachmentKind
from tests.browsing import Browser, ClientAs
from tests.cast import blank_form, make_papers
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.stores import remount, small_disk
from tests.views.ledger import ledger
from tests.views.pages import flashed
from tests.views.terminal.commands import run_command
from views.certificate import paper_worker

pytestmark = pytest.mark.usefixtures("uncached_health")

MISSING = "没有找到本系统登记的存储，可能没有挂载，或 FILING_STORE 有误，文件暂时不能读写。请系统管理员检查后重试。"
FULL = "存储空间不足，文件没有保存。请系统管理员清理或扩充存储后重试。"
READ_ONLY = "存储不可写，文件没有保存。请系统管理员检查存储的权限和挂载方式后重试。"


@pytest.fixture
def disk(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """A small disk for the registered store."""
    with small_disk(tmp_path / "disk", "64m"):
        app.config["STORE"] = str(tmp_path / "disk" / "store")
        assert run_command(app, "upgrade").exit_code == 0
        yield tmp_path / "disk"


def fill(disk: Path) -> None:
    """Fill the disk to its last byte."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 65536):
            pass
    assert shutil.disk_usage(disk).free == 0


def uploaded(browser: Browser, key: int, content: bytes) -> Any:
    """The response to the upload of a file for this application."""
    file = (io.BytesIO(content), "合同.pdf")
    return browser.post("/applications/upload/", data={"id": key, "kind": "contract", "file": file})


def break_it(disk: Path, how: str) -> str:
    """Break the store; the sentence that people get for it."""
    match how:
        case "full":
            fill(disk)
            return FULL
        case "read-only":
            remount(disk, "ro")
            return READ_ONLY
        case "gone":
            shutil.move(disk / "store", disk / "elsewhere")
            return MISSING
    shutil.move(disk / "store", disk / "elsewhere")
    Store(str(disk / "store")).set_identity("0" * 32)
    return MISSING


def mend(disk: Path, how: str) -> None:
    """Undo break_it()."""
    (disk / "ballast").unlink(missing_ok=True) if how == "full" else remount(disk, "rw")
    if (disk / "elsewhere").exists():
        shutil.rmtree(disk / "store", ignore_errors=True)
        shutil.move(disk / "elsewhere", disk / "store")


BROKEN = ("full", "read-only", "gone", "another one")


@pytest.mark.parametrize("how", BROKEN)
def test_an_upload_is_refused_with_a_sentence_and_changes_nothing(
    app: Flask, disk: Path, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, how: str
) -> None:
    """503: the page keeps the file, and offers another try. An unmounted disk is not replaced by a folder."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    sentence = break_it(disk, how)
    answer = uploaded(browser, key, make_pdf("合同"))
    assert (answer.status_code, answer.json["message"]) == (503, sentence)
    assert ledger(app) == before
    assert how != "gone" or not (disk / "store").exists()
    assert client_as("publisher").get("/healthz").text == "store\n"
    assert how != "gone" or not (disk / "store").exists(), "nor does the probe make one"
    mend(disk, how)
    assert uploaded(browser, key, make_pdf("合同")).status_code == 200
    assert client_as("publisher").get("/healthz").text == "ok\n"


@pytest.mark.parametrize("how", ["gone", "another one"])
def test_a_print_is_refused_with_a_sentence_and_is_not_recorded(
    app: Flask, disk: Path, client_as: ClientAs, make_application: MakeApplication, how: str
) -> None:
    """打印 of a paper that cannot be read; alone, made ready, and in a bundle."""
    key, browser = make_application(status="filed"), client_as("publisher")
    make_papers(app)
    before = ledger(app)
    break_it(disk, how)
    answer = browser.post("/applications/print/", data={"id": key, "url": f"/applications/details/?id={key}"})
    assert answer.status_code == 303
    assert flashed(browser.get(f"/applications/details/?id={key}").text) == [MISSING]
    prepared = browser.post("/applications/prepare/", data={"id": key})
    assert (prepared.status_code, MISSING in prepared.text) == (409, True)
    browser.post("/applications/print-all/", data={"pick": key})
    assert flashed(browser.get("/applications/").text) == [MISSING]
    assert ledger(app) == before
    mend(disk, how)
    assert browser.post("/applications/print/", data={"id": key}).location == f"/applications/certificate/?id={key}"


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_full_or_read_only_store_still_prints_existing_papers(
    app: Flask, disk: Path, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, how: str
) -> None:
    """A new paper waits until the store is usable, and no fault is counted for it."""
    made, browser = make_application(status="filed"), client_as("publisher")
    make_papers(app)
    waiting = make_application(status="filed")
    sentence = break_it(disk, how)
    assert browser.post("/applications/print/", data={"id": made}).location == f"/applications/certificate/?id={made}"
    with app.app_context(), access.everything() as session:
        assert [failure for _number, failure in paper_worker.make_due_papers(session, paper_worker.pace())] == [
            sentence
        ]
    assert browser.post("/applications/print/", data={"id": waiting}).location.endswith("&print=1")
    assert [entry for entry in stored_rows(waiting)["trail_entry"] if entry["act"] == "print"] == []
    mend(disk, how)
    with app.app_context(), access.everything() as session:
        task = session.scalars(select(PaperTask)).one()
        assert task.faults == 0
        task.next_at = clock.now()
        session.commit()
    make_papers(app)
    assert browser.get(f"/applications/certificate/?id={waiting}").mimetype == "application/pdf"


def test_a_file_that_the_store_does_not_give_is_refused_with_a_sentence(
    app: Flask, disk: Path, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """An error of the file system when it is read, and no other: the store is there, and so is the file."""
    make_application()
    browser = client_as("publisher")
    with app.app_context(), access.everything() as session:
        file = session.scalars(select(Attachment)).first()
        assert file is not None
        path, address = disk / "store" / key_of(file.digest), f"/applications/attachment/?id={file.id}"
    assert browser.get(address).status_code == 200
    shutil.move(path.parent, disk / "aside")
    path.parent.touch()  # ENOTDIR
    answer = browser.get(address)
    assert (answer.status_code, "存储暂时不可用，文件没有读出。请稍后重试" in answer.text) == (409, True)
    path.parent.unlink()
    shutil.move(disk / "aside", path.parent)
    assert browser.get(address).status_code == 200


def test_a_file_is_not_called_lost_while_the_store_is_missing(
    app: Flask, disk: Path, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """«Restore it from a backup» would be wrong advice: mount it. A full disk can still be read."""
    key, browser = make_application(status="filed"), client_as("publisher")
    make_papers(app)
    browser.post("/applications/print/", data={"id": key})
    with app.app_context(), access.everything() as session:
        file = session.scalars(select(Attachment.id)).first()
    paths = (f"/applications/certificate/?id={key}", f"/applications/attachment/?id={file}")
    fill(disk)
    assert [browser.get(path).status_code for path in paths] == [200, 200]
    (disk / "ballast").unlink()
    break_it(disk, "gone")
    browser.get(paths[0])
    assert flashed(browser.get("/applications/").text) == [MISSING]
    answer = browser.get(paths[1])
    assert (answer.status_code, MISSING in answer.text) == (409, True)
    for command in (("sweep",), ("sweep", "--check"), ("backup", str(disk / "backup")), ("trail", "verify")):
        done = run_command(app, *command)
        assert (done.exit_code, MISSING in done.output) == (1, True), command
    assert not (disk / "backup").exists()


def test_a_bucket_is_registered_by_upgrade(
    app: Flask, s3: str, make_application: MakeApplication, client_as: ClientAs, make_pdf: MakePdf, tmp_path: Path
) -> None:
    """An empty prefix of the bucket is not our store."""
    app.config["STORE"] = f"{s3}/{tmp_path.name}"
    assert run_command(app, "upgrade").exit_code == 0
    key, browser = make_application(), client_as("publisher")
    assert browser.get("/healthz").text == "ok\n"
    app.config["STORE"] += "-empty"
    answer = uploaded(browser, key, make_pdf("合同"))
    assert (answer.status_code, answer.json["message"]) == (503, MISSING)
    assert browser.get("/healthz").text == "store\n"
    assert run_command(app, "upgrade").exit_code == 1
    assert list(Store(app.config["STORE"]).place.keys("")) == []


def test_the_store_is_registered_by_upgrade_only_once(app: Flask) -> None:
    """After a crash between file and row, the next upgrade registers the identity in the file."""
    there = Store(app.config["STORE"])
    there.set_identity("a" * 32)
    for _twice in range(2):
        assert run_command(app, "upgrade").exit_code == 0
        with app.app_context():
            assert registered_store.identity(db.session()) == "a" * 32
            db.session.rollback()
    assert there.set_identity("b" * 32) == "a" * 32


def test_a_worker_that_begins_beside_the_first_one_does_not_take_its_files_for_foreign(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since it looked, the first one has registered the store, and put files into it."""
    stored, look = Store(app.config["STORE"]), Store.identity

    def first_registers(self: Store) -> str | None:
        monkeypatch.setattr(Store, "identity", look)
        with app.app_context(), access.everything() as other:
            registered_store.register(other, stored)
        stored.put_bytes(b"uploaded meanwhile")
        return look(self)

    monkeypatch.setattr(Store, "identity", first_registers)
    with app.app_context(), access.everything() as session:
        registered_store.register(session, stored)
        assert registered_store.identity(session) == stored.identity()


def test_a_register_whose_only_files_are_blank_forms_keeps_its_store(app: Flask) -> None:
    """A store is refused as that of another register only if the database refers to no file at all."""
    Store(app.config["STORE"]).set_identity("a" * 32)
    blank_form(app, AttachmentKind.CONTRACT)
    done = run_command(app, "upgrade")
    assert done.exit_code == 0, done.output
