"""Sending: one deliverer a message, the rate limit of customs, a valid gateway; and /healthz."""

import os
import subprocess
import sys
import time
from collections import Counter as Count
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models import access, clock
from models.customs import heartbeat, outbox
from models.exchange import delivery
from models.vocabulary import Status
from tests import ROOT
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.customs_server import CustomsServer
from tests.views.terminal.delivered import messages, status
from views.terminal.customs import channel


class TestHealth:
    def test_an_empty_outbox_is_healthy(self, client_as: Any) -> None:
        answer = client_as(None).get("/healthz")
        assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")

    @pytest.mark.parametrize(("seconds", "word"), [(3540, "ok\n"), (3610, "overdue\n")])
    def test_a_message_that_waits_too_long_is_overdue(
        self,
        app: Flask,
        make_application: MakeApplication,
        client_as: Any,
        monkeypatch: pytest.MonkeyPatch,
        seconds: int,
        word: str,
    ) -> None:
        """CU3: from `overdue` on, while a deliverer is running."""
        make_application(status="filed")
        make_papers(app)
        really = clock.now
        monkeypatch.setattr(clock, "now", lambda: really() + timedelta(seconds=seconds))
        with app.app_context(), access.everything() as session:
            heartbeat.record(session)
        assert client_as(None).get("/healthz").text == word

    def test_a_missing_store_is_reported_as_one_word(self, app: Flask, client_as: Any, tmp_path: Path) -> None:
        """No path, no address, no version."""
        (tmp_path / "file").touch()
        app.config["STORE"] = str(tmp_path / "file" / "store")
        answer = client_as(None).get("/healthz")
        assert (answer.status_code, answer.text) == (503, "store\n")


class TestTurns:
    def test_a_deliverer_killed_before_recording_the_answer_causes_no_second_arrival(
        self,
        app: Flask,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """CU4, RC6: the next deliverer queries, customs repeats its answer: one effect, one arrival."""
        key = make_application(status="filed", title="测试拒收")
        with app.app_context(), access.everything() as session:
            message = outbox.claim(session, channel().pace)
            assert message is not None
            channel().gateway.send(*delivery.build_letter(message, channel()))
        advance_clock()
        invoke("customs", "deliver")
        (name,) = messages(stored_rows(key))
        assert customs_server.customs.arrivals() == [name]
        assert status(stored_rows(key)) is Status.CUSTOMS_FAILED

    def test_the_rate_limit_of_customs_is_respected(
        self,
        app: Flask,
        make_application: MakeApplication,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """The E-port accepts fewer than 100 messages a minute, from all deliverers together."""
        app.config["CUSTOMS_PACE"] = {"per_minute": 2}
        for _ in range(3):
            make_application(status="filed")
        assert [len(invoke("customs", "deliver").output.splitlines()) for _ in range(2)] == [2, 0]
        advance_clock()
        assert len(invoke("customs", "deliver").output.splitlines()) == 1

    def test_watching_deliverers_send_each_message_once(
        self, app: Flask, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer
    ) -> None:
        """RC8: two processes that watch the same outbox while it fills."""
        records = {"SQLALCHEMY_DATABASE_URI", "STORE", "SECRET_KEY", "CUSTOMS_GATEWAY", "SIGNING_KEY"}
        settings = {f"FILING_{name}": str(app.config[name]) for name in records}
        command = [sys.executable, "-m", "flask", "--app", "app", "customs", "deliver", "--watch"]
        people = [subprocess.Popen(command, cwd=ROOT, env=os.environ | settings) for _ in range(2)]
        try:
            keys = [make_application(status="filed") for _ in range(8)]
            ended = time.monotonic() + 60
            while time.monotonic() < ended and len(customs_server.ledger()) < len(keys):
                time.sleep(0.1)
            time.sleep(0.5)
            assert all(person.poll() is None for person in people)
        finally:
            for person in people:
                person.terminate()
                person.wait()
        assert [status(stored_rows(key)) for key in keys] == [Status.CUSTOMS_RECEIVED] * len(keys)
        assert Count(customs_server.asked) == Count(messages(stored_rows(key))[0] for key in keys)

    def test_a_deliverer_whose_claim_has_expired_sends_nothing(
        self, app: Flask, make_application: MakeApplication, stored_rows: StoredRows, customs_server: CustomsServer
    ) -> None:
        """Another deliverer may have claimed the message and queried it: a late letter would arrive twice."""
        key = make_application(status="filed")
        with app.app_context(), access.everything() as session:
            message = outbox.claim(session, outbox.Pace(lease=-1))
            assert message is not None
            assert "办理时限已过" in delivery.attempt(session, channel(), message).words
        assert (customs_server.asked, status(stored_rows(key))) == ([], Status.FILED)

    def test_letters_and_queries_share_the_rate_limit(
        self,
        app: Flask,
        make_application: MakeApplication,
        customs_server: CustomsServer,
        invoke: Invoke,
        advance_clock: AdvanceClock,
    ) -> None:
        """A query is a letter too."""
        keys = [make_application(status="filed") for _ in range(3)]
        customs_server.tricks = [503, 503, 503]
        invoke("customs", "deliver")
        advance_clock()
        app.config["CUSTOMS_PACE"] = {"per_minute": 4}
        customs_server.customs.run("DELETE FROM entry")
        customs_server.customs.run("DELETE FROM arrival")
        before = len(customs_server.asked)
        for _ in range(3):
            invoke("customs", "deliver")
        assert len(customs_server.asked) - before == 4 < 2 * len(keys)

    @pytest.mark.parametrize("command", ["deliver", "reconcile"])
    def test_a_command_without_a_configured_gateway_says_so_and_sends_nothing(
        self, invoke: Invoke, command: str
    ) -> None:
        """A message that says what to do, and status 2."""
        done = invoke("customs", command)
        assert (done.exit_code, done.output) == (2, "尚未设置海关网关，请设置 FILING_CUSTOMS_GATEWAY 后再试。\n")

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("ftp://customs", "请改正后再试"),
            ("http://customs.example/", "http:// 没有加密，只能用于本机"),
            ("http://127.0.0.1.example/", "http:// 没有加密，只能用于本机"),
            ("https://customs.example/", "请设置 FILING_CUSTOMS_CLIENT"),
        ],
    )
    def test_an_invalid_or_unencrypted_gateway_is_refused_with_a_sentence(
        self, app: Flask, invoke: Invoke, address: str, words: str
    ) -> None:
        """No message leaves this machine unencrypted, or without a client certificate."""
        app.config["CUSTOMS_GATEWAY"] = address
        done = invoke("customs", "deliver")
        assert (done.exit_code, words in done.output) == (1, True)
