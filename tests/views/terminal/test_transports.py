"""The two transports to customs: folders, and HTTPS with mutual TLS."""

import errno
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.customs import CustomsMessage, envelope, receipt
from models.exchange.transports import Http, NoAnswer, trusted
from models.exchange.transports.folders import FolderPair
from models.vocabulary import Reply, Status
from models.workflow import Refused
from tests import ROOT
from tests.conftest import Making, Recording
from tests.views.conftest import Later, Typing
from tests.views.customs_house import House
from tests.views.faulty_customs import FAULTS, FaultInjection, FaultyCustoms
from tests.views.terminal.test_customs import messages, status
from views.demo import simulator, simulator_transports
from views.demo.simulator import Customs
from views.terminal.customs import channel

Patching = pytest.MonkeyPatch


@pytest.fixture
def pair(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPair:
    """The folders, set as the application's gateway."""
    monkeypatch.setattr(FolderPair, "settled", 0.0)
    app.config["CUSTOMS_GATEWAY"] = f"folder:{tmp_path}/boxes"
    return FolderPair(tmp_path / "boxes")


def names(pair: FolderPair, box: str) -> list[str]:
    """The names of the files in a box."""
    return sorted(file.name for file in (pair.folder / box).iterdir())


class TestFolder:
    def test_a_certificate_is_sent_through_the_boxes(
        self, make_application: Making, on_record: Recording, pair: FolderPair, typed: Typing, tmp_path: Path
    ) -> None:
        """SentBox → OutBox; the receipt in InBox is deleted when it is noted."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        assert "已送出，等待回执" in typed("customs", "deliver").output
        assert names(pair, "SentBox") == [f"{name}.xml"]
        simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
        assert (names(pair, "SentBox"), names(pair, "OutBox")) == ([], [f"{name}.xml"])
        assert len(names(pair, "InBox")) == 1
        typed("customs", "deliver")
        assert names(pair, "InBox") == []
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED

    def test_a_letter_that_cannot_be_sent_is_returned_through_failbox(
        self,
        make_application: Making,
        on_record: Recording,
        pair: FolderPair,
        typed: Typing,
        later: Later,
        tmp_path: Path,
    ) -> None:
        """This counts as a fault of the message, which is sent again after a pause."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        typed("customs", "deliver")
        spoilt = pair.folder / "SentBox" / f"{name}.xml"
        spoilt.write_bytes(spoilt.read_bytes()[:-30])
        simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
        assert names(pair, "FailBox") == [f"{name}.xml"]
        typed("customs", "deliver")
        later()
        typed("customs", "deliver")  # it is asked for, for the receipt could not say which letter it was
        later()
        for _ in range(2):
            simulator_transports.process_folders(Customs(tmp_path / "customs.sqlite"), pair)
            typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED

    def test_a_receipt_still_being_written_is_not_read(self, pair: FolderPair, monkeypatch: pytest.MonkeyPatch) -> None:
        """The client may write into InBox without renaming."""
        monkeypatch.setattr(FolderPair, "settled", 1.0)
        file = pair.folder / "InBox" / "Receipt_1.xml"
        file.write_bytes(b"<DxpRep>")
        assert list(pair.receipts()) == []
        os.utime(file, (0, time.time() - 2))
        assert list(pair.receipts()) == [("Receipt_1.xml", b"<DxpRep>")]

    def test_two_deliverers_at_one_inbox_do_not_disturb_each_other(self, pair: FolderPair) -> None:
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

    def test_an_unwritable_folder_is_reported_and_counts_no_fault(self, pair: FolderPair) -> None:
        pair.folder.joinpath("SentBox").rmdir()
        with pytest.raises(NoAnswer, match="交换文件夹不可写") as silence:
            pair.send("Z-1", b"x")
        assert (silence.value.sent, silence.value.fault) == (False, False)

    def test_unreadable_files_in_inbox_stop_nothing_and_are_reported_once(
        self, app: Flask, make_application: Making, on_record: Recording, pair: FolderPair, typed: Typing, as_: Any
    ) -> None:
        """A folder, a pipe, a dangling link, a file that is too long: reported, and left where they are."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        box = pair.folder / "InBox"
        (box / "backup").mkdir()
        os.mkfifo(box / "pipe.xml")
        (box / "loop.xml").symlink_to("loop.xml")
        (box / "long.xml").write_bytes(b" " * (receipt.MOST + 5))
        done = typed("customs", "deliver")
        assert (done.exit_code, names(pair, "SentBox")) == (0, [f"{name}.xml"])
        assert len(done.output.splitlines()) == 5
        assert typed("customs", "deliver").output == ""
        assert names(pair, "InBox") == ["backup", "long.xml", "loop.xml", "pipe.xml"]
        page = as_("operator").get("/traffic/").text
        for odd in names(pair, "InBox"):
            assert f"<span>{odd}</span>" in page
        assert "空文件，或无法读取，已原样留存。" in page
        assert "内容过长，已原样留存。" in page

    def test_a_link_in_inbox_is_not_followed(
        self,
        app: Flask,
        make_application: Making,
        on_record: Recording,
        pair: FolderPair,
        typed: Typing,
        tmp_path: Path,
    ) -> None:
        """Otherwise who may write into InBox could have any file of this machine stored as a receipt."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", ""))
        (tmp_path / "elsewhere.xml").write_bytes(content)
        (tmp_path / "secret").write_bytes(b"secret")
        for box, link, target in (("InBox", "a.xml", "elsewhere.xml"), ("FailBox", "b.xml", "secret")):
            (pair.folder / box / link).symlink_to(tmp_path / target)
        for _twice in range(2):
            assert typed("customs", "deliver").exit_code == 0
        assert status(on_record(key)) is Status.FILED
        assert (names(pair, "InBox"), names(pair, "FailBox")) == (["a.xml"], ["b.xml"])
        with app.app_context(), access.everything() as session:
            assert session.scalars(select(receipt.CustomsReceipt.raw)).all() == [b"", b""]

    def test_a_receipt_under_a_name_that_is_no_utf8_is_read_and_dropped(
        self, make_application: Making, on_record: Recording, pair: FolderPair, typed: Typing
    ) -> None:
        """The client may run on a machine with file names in GB 18030."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        content = simulator.receipt(name, "0", "", simulator.result(name, Reply.ACCEPTED, "0000", ""))
        Path(os.fsdecode(os.fsencode(pair.folder / "InBox") + b"/" + "回执.xml".encode("gb18030"))).write_bytes(content)
        assert typed("customs", "deliver").exit_code == 0
        assert names(pair, "InBox") == []
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED

    def test_a_letter_in_the_box_counts_as_sent_even_if_the_folder_cannot_be_synced(
        self, make_application: Making, on_record: Recording, pair: FolderPair, typed: Typing, monkeypatch: Patching
    ) -> None:
        """The client may have fetched it: a query follows, not a second letter."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        really = os.fsync

        def fsync(handle: int) -> None:
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "Invalid argument")
            really(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        assert "已送出，等待回执" in typed("customs", "deliver").output
        (row,) = on_record(key)["customs_message"]
        assert (row["sent_in"], names(pair, "SentBox")) == (1, [f"{name}.xml"])

    def test_no_query_is_sent_while_the_letter_is_still_in_the_box(
        self,
        make_application: Making,
        on_record: Recording,
        pair: FolderPair,
        typed: Typing,
        later: Later,
        tmp_path: Path,
    ) -> None:
        """The client is not running: no query overtakes its letter, none pile up, and the message arrives once."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        other = pair.folder / "SentBox" / f"{name}0.xml"
        typed("customs", "deliver")
        for _ in range(4):
            later()
            assert "尚未由客户端取走" in typed("customs", "deliver").output
            assert names(pair, "SentBox") == [f"{name}.xml"]
        (row,) = on_record(key)["customs_message"]
        assert (row["sent_in"], row["faults"]) == (1, 0)
        customs = FaultyCustoms(tmp_path / "customs.sqlite", FaultInjection({"unanswered": 1.0}))
        simulator_transports.process_folders(customs, pair)
        other.write_bytes(b"of another message")
        for _ in range(3):
            later()
            typed("customs", "deliver")
        assert names(pair, "SentBox") == [f"{name}-Q6.xml", f"{name}0.xml"]
        other.unlink()
        customs.faults = FaultInjection()
        simulator_transports.process_folders(customs, pair)
        typed("customs", "deliver")
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        assert customs.arrivals() == [name]

    def test_a_letter_in_failbox_is_a_fault_of_that_send(
        self, make_application: Making, on_record: Recording, pair: FolderPair, typed: Typing, later: Later
    ) -> None:
        """The client could not send it: counted, stored as returned, and followed by a query."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        typed("customs", "deliver")
        os.replace(pair.folder / "SentBox" / f"{name}.xml", pair.folder / "FailBox" / f"{name}.xml")
        assert f"{name}：传输失败" in typed("customs", "deliver").output
        (row,) = on_record(key)["customs_message"]
        assert (row["faults"], row["sent_in"], row["answer"]) == (1, 1, "传输失败。稍后先查询是否收到。")
        assert names(pair, "FailBox") == []
        later()
        typed("customs", "deliver")
        assert names(pair, "SentBox") == [f"{name}-Q2.xml"]

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

    def test_the_ledger_is_requested_and_received_through_the_boxes(
        self, make_application: Making, pair: FolderPair, typed: Typing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without an answer, it is refused with a sentence."""
        make_application(status="filed")
        typed("customs", "deliver")
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
            typed("customs", "deliver")
            assert typed("customs", "reconcile").output == "双方台账一致。\n"
        finally:
            open_.clear()
            there.join()
        monkeypatch.setattr(FolderPair, "patience", 0.1)
        assert "没有在限定时间内给出台账" in typed("customs", "reconcile").output


class Papers:
    """A root and the certificates that it issues, as PEM files: `papers.of("customs")` is certificate and key."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, generate_private_key(SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
        folder.mkdir()
        self.root = self._written("root", self.name, self.key)

    def of(self, name: str) -> Path:
        """Certificate and key for 127.0.0.1."""
        return self._written(name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), None)

    def _written(self, file: str, subject: x509.Name, own: EllipticCurvePrivateKey | None) -> Path:
        key, day = own or generate_private_key(SECP256R1()), timedelta(days=1)
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(clock.now() - day).not_valid_after(clock.now() + day)
        made = made.add_extension(x509.BasicConstraints(own is not None, None), True).add_extension(here, False)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{file}.pem"
        path.write_bytes(made.sign(self.key, SHA256()).public_bytes(Encoding.PEM) + secret)
        return path


@contextmanager
def behind_tls(customs: Customs, papers: Papers) -> Iterator[str]:
    """The simulated customs, which shows its certificate and wants to see one of the same root."""
    server = simulator_transports.serve(customs, 0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.of("customs"))
    context.load_verify_locations(papers.root)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # a stranger at the door
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class TestHttps:
    def test_both_sides_verify_the_other_certificate(self, tmp_path: Path) -> None:
        """Customs accepts nothing from an unknown client, and we send nothing to an unknown server."""
        papers, others = Papers(tmp_path / "ours"), Papers(tmp_path / "others")
        customs, us = Customs(tmp_path / "customs.sqlite"), str(papers.of("filing"))
        with behind_tls(customs, papers) as address:

            def line(root: Path | str, client: Path | str | None) -> Http:
                return Http(address, trusted({"CUSTOMS_CA": str(root), "CUSTOMS_CLIENT": client and str(client)}))

            assert line(papers.root, us).ledger(clock.today(), clock.today()) == []
            with pytest.raises(Refused, match="请设置 FILING_CUSTOMS_CLIENT"):
                line(papers.root, None)
            for stranger in (line(papers.root, others.of("x")), line(others.root, us)):
                with pytest.raises(NoAnswer, match="没有应答") as silence:
                    stranger.send("Z-1", b"<DxpMsg/>")
                assert not silence.value.fault
        assert customs.arrivals() == []


class TestLedger:
    def test_a_ledger_too_long_for_one_answer_is_asked_for_in_parts(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is cut off silently; a single day that is too long is refused with a sentence."""
        first = date(2026, 1, 1)
        for n in range(40):
            house.enter(f"Z-{n}", day=first + timedelta(days=n))
        monkeypatch.setattr("models.exchange.transports.MOST", 1000)
        content = Http(house.address).ledger(first, date(2026, 12, 31))
        assert [entry["message_id"] for entry in content] == [f"Z-{n}" for n in range(40)]
        for n in range(40, 60):
            house.enter(f"Z-{n}", day=first)
        with pytest.raises(NoAnswer, match="过长"):
            Http(house.address).ledger(first, date(2026, 12, 31))


class TestFaults:
    @pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "rejected"])
    def test_each_fault_of_customs_is_survived(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing, later: Later, fault: str
    ) -> None:
        """The fault occurs every time, then it is over: one effect, and the same answer on both sides."""
        key = make_application(status="filed")
        (name,) = messages(on_record(key))
        house.customs.faults = FaultInjection({fault: 1.0}, seed=1, pause=0.01)
        for _ in range(3):
            typed("customs", "deliver")
            later()
        house.customs.faults = FaultInjection()
        for _ in range(3):
            time.sleep(0.02)
            typed("customs", "deliver")
            later()
        assert house.ledger() == [(name, "grant", True)]
        assert status(on_record(key)) is Status.CUSTOMS_RECEIVED
        acts = [entry["act"] for entry in on_record(key)["trail_entry"]]
        assert acts.count("customs_accepted") == 1

    def test_a_refusal_by_lot_carries_its_code(
        self, make_application: Making, on_record: Recording, house: House, typed: Typing
    ) -> None:
        key = make_application(status="filed")
        house.customs.faults = FaultInjection({"rejected": 1.0})
        typed("customs", "deliver")
        assert on_record(key)["customs_message"][0]["answer"].startswith("2002 收货单位")
        assert status(on_record(key)) is Status.CUSTOMS_FAILED


class TestSimulator:
    def test_it_says_what_it_is_and_keeps_its_ledger(self, tmp_path: Path) -> None:
        """As a command of its own; whoever starts it again finds the answers given before."""
        words = ["customs", "simulate", "--port", "0", "--ledger", str(tmp_path / "ledger.sqlite")]
        settings = {"FILING_SECRET_KEY": "x", "FILING_STORE": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
        for turn in range(2):
            command = [sys.executable, "-m", "flask", "--app", "app", *words]
            with subprocess.Popen(
                command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as there:
                assert there.stdout is not None
                line = there.stdout.readline().decode()
                assert line.startswith("模拟海关（不是真正的海关）已启动")
                (address,) = re.findall(r"FILING_CUSTOMS_GATEWAY=(http://127\.0\.0\.1:\d+)。", line)
                content = Http(address).ledger(date(2000, 1, 1), clock.today())
                assert [entry["message_id"] for entry in content] == ["Z-1"] * turn
                there.terminate()
            Customs(tmp_path / "ledger.sqlite").run(
                "INSERT OR IGNORE INTO entry (message_id, accepted, day) VALUES ('Z-1', 1, ?)", str(clock.today())
            )

    def test_it_can_be_reached_from_this_machine_only(self, house: House) -> None:
        """Nobody else is to take it for customs."""
        assert house.server.server_address[0] == "127.0.0.1"

    def test_a_message_under_another_name_is_refused(
        self, app: Flask, make_application: Making, house: House, typed: Typing
    ) -> None:
        """Envelope and message must agree."""
        make_application(status="filed")
        with app.app_context(), access.everything() as session:
            data = envelope.business_xml(session.scalars(select(CustomsMessage)).one())
            parties = channel().parties
        content = house.customs.take(envelope.enveloped("Z-1", envelope.CERTIFICATE, clock.now(), data, parties))
        assert "1002" in (content or b"").decode()
