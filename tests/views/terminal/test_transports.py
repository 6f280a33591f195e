"""The two transports to customs: folders, and HTTPS with mutual TLS."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from models import clock
from models.exchange.transports import NoAnswer
from models.exchange.transports.folders import FolderPair
from models.vocabulary import Status
from tests import ROOT
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.faulty_customs import FaultInjection, FaultyCustoms
from tests.views.terminal.boxes import names
from tests.views.terminal.delivered import messages, status
from views.demo import simulator_transports
from views.demo.simulator import Customs


class TestFolder:
    def test_a_certificate_is_sent_through_the_folders(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        tmp_path: Path,
    ) -> None:
        """SentBox → OutBox; the receipt in InBox is deleted when it is noted."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        assert "已送出，等待回执" in invoke("customs", "deliver").output
        assert names(pair, "SentBox") == [f"{name}.xml"]
        simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
        assert (names(pair, "SentBox"), names(pair, "OutBox")) == ([], [f"{name}.xml"])
        assert len(names(pair, "InBox")) == 1
        invoke("customs", "deliver")
        assert names(pair, "InBox") == []
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED

    def test_an_undeliverable_message_is_returned_through_failbox(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        tmp_path: Path,
    ) -> None:
        """This counts as a fault of the message, which is sent again after a pause."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        invoke("customs", "deliver")
        spoilt = pair.folder / "SentBox" / f"{name}.xml"
        spoilt.write_bytes(spoilt.read_bytes()[:-30])
        simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
        assert names(pair, "FailBox") == [f"{name}.xml"]
        invoke("customs", "deliver")
        advance_clock()
        invoke("customs", "deliver")  # it is asked for, for the receipt could not say which letter it was
        advance_clock()
        for _ in range(2):
            simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
            invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED

    def test_a_receipt_still_being_written_is_not_read(self, pair: FolderPair, monkeypatch: pytest.MonkeyPatch) -> None:
        """The client may write into InBox without renaming."""
        monkeypatch.setattr(FolderPair, "settled", 1.0)
        file = pair.folder / "InBox" / "Receipt_1.xml"
        file.write_bytes(b"<DxpRep>")
        assert list(pair.receipts()) == []
        os.utime(file, (0, time.time() - 2))
        assert list(pair.receipts()) == [("Receipt_1.xml", b"<DxpRep>")]

    def test_two_deliverers_at_one_inbox_do_not_interfere(self, pair: FolderPair) -> None:
        """One deletes a receipt that the other was about to read."""
        for number in range(3):
            (pair.folder / "InBox" / f"{number}.xml").write_bytes(b"x")
        first = pair.receipts()
        assert next(first)[0] == "0.xml"
        for name, _raw in pair.receipts():
            pair.drop(name)
        assert list(first) == []
        pair.drop("0.xml")

    def test_a_process_killed_while_writing_leaves_no_partial_letter(self, tmp_path: Path) -> None:
        """SIGKILL at any moment: every letter in SentBox is complete; partial files are deleted an hour later."""
        script = (
            "import itertools, sys; from pathlib import Path\n"
            "from models.exchange.transports.folders import FolderPair\n"
            "pair = FolderPair(Path(sys.argv[1])); print(flush=True)\n"
            "for n in itertools.count(): pair.send(str(n % 50), b'x' * 300_000)"
        )
        pair = FolderPair(tmp_path)
        for turn in range(8):
            with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=-1) as writer:
                assert writer.stdout is not None
                writer.stdout.readline()
                time.sleep(0.02 + turn * 0.004)
                writer.send_signal(signal.SIGKILL)
        sizes = {file.stat().st_size for file in (tmp_path / "SentBox").iterdir()}
        assert sizes == {300_000}
        for half in pair.writing.iterdir():
            os.utime(half, (0, 0))
        list(pair.receipts())
        assert names(pair, "Writing") == []

    def test_no_query_is_sent_while_the_message_is_still_in_the_outbox(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        pair: FolderPair,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        tmp_path: Path,
    ) -> None:
        """The client is not running: no query overtakes its letter, none pile up, and the message arrives once."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        other = pair.folder / "SentBox" / f"{name}0.xml"
        invoke("customs", "deliver")
        for _ in range(4):
            advance_clock()
            assert "尚未由客户端取走" in invoke("customs", "deliver").output
            assert names(pair, "SentBox") == [f"{name}.xml"]
        (row,) = stored_rows(key)["customs_message"]
        assert (row["sent_in"], row["faults"]) == (1, 0)
        customs = FaultyCustoms(tmp_path / "customs.sqlite", FaultInjection({"unanswered": 1.0}))
        simulator_transports.process_folders(customs, pair)
        other.write_bytes(b"of another message")
        for _ in range(3):
            advance_clock()
            invoke("customs", "deliver")
        assert names(pair, "SentBox") == [f"{name}-Q6.xml", f"{name}0.xml"]
        other.unlink()
        customs.faults = FaultInjection()
        simulator_transports.process_folders(customs, pair)
        invoke("customs", "deliver")
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
        assert customs.arrivals() == [name]

    def test_two_machines_with_one_folder_do_not_write_into_one_file(self, pair: FolderPair) -> None:
        """They may have the same process id, and the same letter."""
        halves, really = [], os.replace

        def replace(half: Path, there: Path) -> None:
            halves.append(half.name)
            really(half, there)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "replace", replace)
            for _ in range(2):
                pair.put("SentBox", "Z-1.xml", b"x")
        assert len(set(halves)) == 2

    def test_the_ledger_is_requested_and_received_through_the_folders(
        self,
        make_application: MakeApplication,
        pair: FolderPair,
        invoke: Invoke,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Without an answer, it is refused with a sentence."""
        make_application(status="filed")
        invoke("customs", "deliver")
        customs, open_ = Customs(tmp_path / "customs.sqlite"), [True]

        def attending() -> None:
            while open_:
                simulator_transports.process_folders(customs, pair)
                time.sleep(0.01)

        there = Thread(target=attending)
        there.start()
        try:
            while names(pair, "SentBox"):
                time.sleep(0.01)
            invoke("customs", "deliver")
            assert invoke("customs", "reconcile").output == "双方台账一致。\n"
        finally:
            open_.clear()
            there.join()
        monkeypatch.setattr(FolderPair, "patience", 0.1)
        assert "没有在限定时间内给出台账" in invoke("customs", "reconcile").output

    def test_two_registers_that_share_a_folder_each_get_their_own_ledger(
        self, pair: FolderPair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A trial restore compares its ledger while the service does: neither takes the other's answer."""
        customs, other, day = Customs(tmp_path / "customs.sqlite"), FolderPair(pair.folder), clock.today()
        customs.run("INSERT INTO entry VALUES ('M1', '', 'grant', 1, '0000', '', ?)", str(day))
        days = (day, day - timedelta(days=1))
        with ThreadPoolExecutor() as threads:
            answers = [threads.submit(each.ledger, on, on) for each, on in zip((pair, other), days, strict=True)]
            for _turn in range(200):
                if len(names(pair, "SentBox")) < 2:
                    time.sleep(0.01)
            simulator_transports.process_folders(customs, pair)
            assert [len(answer.result()) for answer in answers] == [1, 0]
        monkeypatch.setattr(FolderPair, "patience", 0)
        with pytest.raises(NoAnswer):
            pair.ledger(day, day)
        assert (names(pair, "SentBox"), names(pair, "InBox")) == ([], []), "the request was taken back"

    def test_a_ledger_that_came_too_late_is_deleted_after_an_hour(self, pair: FolderPair) -> None:
        """Its name is never asked for again."""
        late, young = (pair.folder / "InBox" / f"Ledger_{name}.json" for name in ("late", "young"))
        for file in (late, young):
            file.write_bytes(b"[]")
        os.utime(late, (0, time.time() - 3700))
        assert list(pair.receipts()) == []
        assert (late.exists(), young.exists()) == (False, True)
