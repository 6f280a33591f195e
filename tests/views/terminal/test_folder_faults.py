"""Boxes of the folder transport that fail: letters and receipts that cannot be written, read or followed."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.customs import receipt
from models.exchange.transports import NoAnswer
from models.exchange.transports.folders import FolderPair
from models.vocabulary import Reply, Status
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.terminal.boxes import names
from tests.views.terminal.delivered import messages, status
from views.demo import simulator

Patching = pytest.MonkeyPatch


class TestFaults:
    def test_an_unwritable_folder_is_reported_and_counts_no_failure(self, pair: FolderPair) -> None:
        pair.folder.joinpath("SentBox").rmdir()
        with pytest.raises(NoAnswer, match="交换文件夹不可写") as silence:
            pair.send("Z-1", b"x")
        assert (silence.value.sent, silence.value.fault) == (False, False)

    def test_a_share_that_does_not_answer_is_no_fault_of_the_message(
        self, pair: FolderPair, monkeypatch: Patching
    ) -> None:
        def down(_folder: Path, _pattern: str) -> Any:
            raise OSError(errno.EHOSTDOWN, os.strerror(errno.EHOSTDOWN))

        monkeypatch.setattr(Path, "glob", down)
        with pytest.raises(NoAnswer, match="读写失败：Host is down。") as silence:
            pair.send("Z-1-Q2", b"x")
        assert (silence.value.sent, silence.value.fault) == (True, False)

    def test_unreadable_files_in_inbox_stop_nothing_and_are_reported_once(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        client_as: Any,
    ) -> None:
        """A folder, a pipe, a dangling link, a file that is too long: reported, and left where they are."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        box = pair.folder / "InBox"
        (box / "backup").mkdir()
        os.mkfifo(box / "pipe.xml")
        (box / "loop.xml").symlink_to("loop.xml")
        (box / "long.xml").write_bytes(b" " * (receipt.MOST + 5))
        done = invoke("customs", "deliver")
        assert (done.exit_code, names(pair, "SentBox")) == (0, [f"{name}.xml"])
        assert len(done.output.splitlines()) == 5
        assert invoke("customs", "deliver").output == ""
        assert names(pair, "InBox") == ["backup", "long.xml", "loop.xml", "pipe.xml"]
        page = client_as("operator").get("/traffic/").text
        for odd in names(pair, "InBox"):
            assert f"<span>{odd}</span>" in page
        assert "空文件，或无法读取，已原样留存。" in page
        assert "内容过长，已原样留存。" in page

    def test_a_link_in_inbox_is_not_followed(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        tmp_path: Path,
    ) -> None:
        """Otherwise who may write into InBox could have any file of this machine stored as a receipt."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", ""))
        (tmp_path / "elsewhere.xml").write_bytes(content)
        (tmp_path / "secret").write_bytes(b"secret")
        for box, link, target in (("InBox", "a.xml", "elsewhere.xml"), ("FailBox", "b.xml", "secret")):
            (pair.folder / box / link).symlink_to(tmp_path / target)
        for _twice in range(2):
            assert invoke("customs", "deliver").exit_code == 0
        assert status(stored_rows(key)) is Status.FILED
        assert (names(pair, "InBox"), names(pair, "FailBox")) == (["a.xml"], ["b.xml"])
        with app.app_context(), access.everything() as session:
            assert session.scalars(select(receipt.CustomsReceipt.raw)).all() == [b"", b""]

    def test_a_receipt_with_a_file_name_that_is_not_utf8_is_read_and_deleted(
        self, make_application: MakeApplication, stored_rows: StoredRows, pair: FolderPair, invoke: Invoke
    ) -> None:
        """The client may run on a machine with file names in GB 18030."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", ""))
        Path(os.fsdecode(os.fsencode(pair.folder / "InBox") + b"/" + "回执.xml".encode("gb18030"))).write_bytes(content)
        assert invoke("customs", "deliver").exit_code == 0
        assert names(pair, "InBox") == []
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED

    def test_a_message_in_the_outbox_counts_as_sent_even_if_the_folder_cannot_be_synced(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        monkeypatch: Patching,
    ) -> None:
        """The client may have fetched it: a query follows, not a second letter."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        really = os.fsync

        def fsync(handle: int) -> None:
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "Invalid argument")
            really(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        assert "已送出，等待回执" in invoke("customs", "deliver").output
        (row,) = stored_rows(key)["customs_message"]
        assert (row["sent_in"], names(pair, "SentBox")) == (1, [f"{name}.xml"])

    def test_a_message_in_failbox_counts_a_failure_of_that_send(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """The client could not send it: counted, stored as returned, and followed by a query."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        invoke("customs", "deliver")
        os.replace(pair.folder / "SentBox" / f"{name}.xml", pair.folder / "FailBox" / f"{name}.xml")
        assert f"{name}：传输失败" in invoke("customs", "deliver").output
        (row,) = stored_rows(key)["customs_message"]
        assert (row["faults"], row["sent_in"], row["answer"]) == (1, 1, "传输失败。稍后先查询是否收到。")
        assert names(pair, "FailBox") == []
        advance_clock()
        invoke("customs", "deliver")
        assert names(pair, "SentBox") == [f"{name}-Q2.xml"]
