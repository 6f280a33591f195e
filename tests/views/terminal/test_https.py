"""The way to customs over HTTPS with mutual TLS, and the simulated customs behind it."""

import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.customs import CustomsMessage, envelope
from models.exchange.transports import Http, NoAnswer, tls_context
from models.vocabulary import Status
from models.workflow import Refused
from tests import ROOT
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.faulty_customs import FAULTS, FaultInjection
from tests.views.terminal.delivered import messages, status
from views.demo import simulator_transports
from views.demo.simulator import Customs
from views.terminal.customs import channel


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
        """Customs refuses an unknown client, and we refuse an unknown server."""
        papers, others = Papers(tmp_path / "own"), Papers(tmp_path / "others")
        customs, us = Customs(tmp_path / "customs.sqlite"), str(papers.of("filing"))
        with behind_tls(customs, papers) as address:

            def line(root: Path | str, client: Path | str | None) -> Http:
                return Http(address, tls_context({"CUSTOMS_CA": str(root), "CUSTOMS_CLIENT": client and str(client)}))

            assert line(papers.root, us).ledger(clock.today(), clock.today()) == []
            with pytest.raises(Refused, match="请设置 FILING_CUSTOMS_CLIENT"):
                line(papers.root, None)
            for stranger in (line(papers.root, others.of("x")), line(others.root, us)):
                with pytest.raises(NoAnswer, match="没有应答") as silence:
                    stranger.send("Z-1", b"<DxpMsg/>")
                assert not silence.value.fault
        assert customs.arrivals() == []


class TestLedger:
    def test_a_ledger_too_long_for_one_response_is_requested_in_parts(
        self, customs_server: CustomsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is cut off silently; a single day that is too long is refused with a message."""
        first = date(2026, 1, 1)
        for n in range(40):
            customs_server.enter(f"Z-{n}", day=first + timedelta(days=n))
        monkeypatch.setattr("models.exchange.transports.MOST", 1000)
        content = Http(customs_server.address).ledger(first, date(2026, 12, 31))
        assert [entry["message_id"] for entry in content] == [f"Z-{n}" for n in range(40)]
        for n in range(40, 60):
            customs_server.enter(f"Z-{n}", day=first)
        with pytest.raises(NoAnswer, match="过长"):
            Http(customs_server.address).ledger(first, date(2026, 12, 31))


class TestFaults:
    @pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "rejected"])
    def test_each_fault_of_customs_is_survived(
        self,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
        fault: str,
    ) -> None:
        """The fault occurs every time, then it is over: one effect, and the same answer on both sides."""
        key = make_application(status="filed")
        (name,) = messages(stored_rows(key))
        customs_server.customs.faults = FaultInjection({fault: 1.0}, seed=1, pause=0.01)
        for _ in range(3):
            invoke("customs", "deliver")
            advance_clock()
        customs_server.customs.faults = FaultInjection()
        for _ in range(3):
            time.sleep(0.02)
            invoke("customs", "deliver")
            advance_clock()
        assert customs_server.ledger() == [(name, "grant", True)]
        assert status(stored_rows(key)) is Status.CUSTOMS_RECEIVED
        acts = [entry["act"] for entry in stored_rows(key)["trail_entry"]]
        assert acts.count("customs_accepted") == 1

    def test_a_refusal_by_lot_carries_its_code(
        self, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        key = make_application(status="filed")
        customs_server.customs.faults = FaultInjection({"rejected": 1.0})
        invoke("customs", "deliver")
        assert stored_rows(key)["customs_message"][0]["answer"].startswith("2002 收货单位")
        assert status(stored_rows(key)) is Status.CUSTOMS_FAILED


class TestSimulator:
    def test_the_simulator_identifies_itself_and_keeps_its_ledger(self, tmp_path: Path) -> None:
        """As a separate command; after a restart the former answers are still there."""
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

    def test_the_simulator_listens_on_localhost_only(self, customs_server: CustomsServer) -> None:
        """Otherwise other machines could mistake it for customs."""
        assert customs_server.server.server_address[0] == "127.0.0.1"

    def test_a_message_under_another_name_is_refused(
        self, app: Flask, make_application: MakeApplication, customs_server: CustomsServer, invoke: Invoke
    ) -> None:
        """Envelope and message must agree."""
        make_application(status="filed")
        with app.app_context(), access.everything() as session:
            data = envelope.business_xml(session.scalars(select(CustomsMessage)).one())
            parties = channel().parties
        content = customs_server.customs.take(
            envelope.enveloped("Z-1", envelope.CERTIFICATE, clock.now(), data, parties)
        )
        assert "1002" in (content or b"").decode()
