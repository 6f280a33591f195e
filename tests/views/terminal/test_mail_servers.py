"""Mail servers that are slow, down or strict, and killed workers: each letter is sent once, and none is lost."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask

from models import clock
from models.mail import wording
from models.mail.smtp import MailServer, Unreachable
from models.notifications import letters
from tests import ROOT
from tests.conftest import MakeApplication
from tests.serving import SHARED
from tests.views.conftest import AdvanceClock, Invoke
from tests.views.mail_server import SECRET, USER, LocalMailServer
from tests.views.terminal.mailed import serve_mail, set_mail_wish, waiting


def test_a_letter_deferred_by_the_server_is_retried_later(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
) -> None:
    """Greylisting is no fault of the letter."""
    set_mail_wish(app, "publisher")
    mail_server.answers += ["451 try again later"] * 4
    make_application(status="returned")
    for _time in range(4):
        assert "451" in invoke("mail", "send").output
        advance_clock()
    (letter,) = waiting(app)
    assert (letter.faults, letter.set_aside_at) == (0, None)
    invoke("mail", "send")
    assert len(mail_server.letters) == 1


def test_an_unavailable_mail_server_delays_letters_and_loses_none(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    make_application: MakeApplication,
    advance_clock: AdvanceClock,
    tmp_path: Path,
) -> None:
    """One message per round for any number of letters; monitoring reports it; then each letter is sent once."""
    for name in ("publisher", "reviewer"):
        set_mail_wish(app, name)
    make_application(status="returned")
    mail_server.close()
    found = invoke("mail", "send")
    assert (found.output.count("邮件服务器不能使用"), found.exit_code) == (1, 0)
    assert [letter.attempts for letter in waiting(app)] == [1, 0]
    advance_clock()
    assert "mail" in app.test_client().get("/healthz").text.split()
    with serve_mail(app, tmp_path) as other:
        invoke("mail", "send")
        assert sorted(other.recipients) == [["publisher@example.cn"], ["reviewer@example.cn"]]
    app.config["SMTP"] = None
    assert "mail" not in app.test_client().get("/healthz").text.split()


def test_letters_are_sent_over_starttls_with_a_password(
    app: Flask, tmp_path: Path, invoke: Invoke, make_application: MakeApplication
) -> None:
    """STARTTLS with a certificate of the trusted authority; a server without it never gets the password."""
    set_mail_wish(app, "publisher")
    make_application(status="returned")
    with serve_mail(app, tmp_path, starttls=True, signs_in=True) as mail_server:
        app.config.update(SMTP_USER=USER, SMTP_PASSWORD=SECRET, SMTP_CA=None, MAIL_PACE={"pause": 0})
        assert "certificate verify failed" in invoke("mail", "send").output
        app.config["SMTP_CA"] = str(mail_server.certificate)
        app.config["SMTP_PASSWORD"] = "wrong"
        assert "邮件服务器不能使用" in invoke("mail", "send").output
        app.config["SMTP_PASSWORD"] = SECRET
        assert invoke("mail", "send").output == ""
        assert len(mail_server.letters) == 1


def test_a_server_without_tls_gets_no_letter(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, make_application: MakeApplication
) -> None:
    """An attacker who strips STARTTLS gets no letter in clear text."""
    set_mail_wish(app, "publisher")
    make_application(status="returned")
    app.config["SMTP_TLS"] = "starttls"
    assert "STARTTLS" in invoke("mail", "send").output
    assert mail_server.letters == []


def peer(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _address = listener.accept()
                except OSError:
                    return
                Thread(target=answer, args=(client,), daemon=True).start()

        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def silent(client: socket.socket) -> None:
    time.sleep(60)
    client.close()


def dripping(client: socket.socket) -> None:
    """A greeting without end, a byte at a time: no timeout of the socket ever runs out."""
    try:
        client.sendall(b"220-")
        while True:
            client.sendall(b"x")
            time.sleep(0.1)
    except OSError:
        client.close()


@pytest.mark.parametrize("answer", [silent, dripping])
@pytest.mark.parametrize("way", ["none", "tls"])
def test_a_server_that_never_responds_times_out(app: Flask, answer: Callable[..., None], way: str) -> None:
    began = time.monotonic()
    for port in peer(answer):
        server = MailServer("127.0.0.1", port, way, "a@example.cn", seconds=1)
        claim = letters.Claim(1, 1, 1, 1, 1, None, clock.now(), None, None)
        with app.app_context(), pytest.raises(Unreachable):
            server.send(wording.addressed(wording.Text("x", ["x"]), claim, "a@example.cn", "b@example.cn"))
    assert time.monotonic() - began < 20


def worker(app: Flask) -> "subprocess.Popen[bytes]":
    """`flask mail send` as a process of its own."""
    names = (*SHARED, "SMTP", "SMTP_TLS", "SMTP_FROM")
    settings = {f"FILING_{name}": str(app.config[name]) for name in names} | {"FILING_MAIL_PACE__lease": "1"}
    command = [str(ROOT / ".venv/bin/flask"), "--app", "app", "mail", "send"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | settings)


def test_a_worker_killed_between_sending_and_recording_sends_the_same_letter_again(
    app: Flask, mail_server: LocalMailServer, make_application: MakeApplication
) -> None:
    """At least once, under one Message-ID, by which a mail program shows it once."""
    set_mail_wish(app, "publisher")
    make_application(status="returned")
    running = [worker(app)]
    mail_server.on_accepted = lambda: os.kill(running[-1].pid, signal.SIGKILL)
    assert running[0].wait() == -signal.SIGKILL
    mail_server.on_accepted = lambda: None
    time.sleep(2)  # the lease ends
    for _time in range(2):
        assert worker(app).wait() == 0
    first, second = mail_server.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


def test_many_workers_send_each_letter_once(
    app: Flask, mail_server: LocalMailServer, make_application: MakeApplication
) -> None:
    for name in ("publisher", "reviewer", "agent"):
        set_mail_wish(app, name)
    for by in ("publisher", "agent", "publisher"):
        make_application(by=by, status="customs_received")
    workers = [worker(app) for _time in range(3)]
    assert [each.wait() for each in workers] == [0, 0, 0]
    keys = [letter["Message-ID"] for letter in mail_server.letters]
    assert len(keys) == len(set(keys)) == 9
