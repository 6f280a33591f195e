"""A long queue does not hold up what else a worker does in its rounds."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask

from models import access
from models.customs import heartbeat
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.terminal.mailed import set_mail_wish, waiting
from views.terminal import group, mail


@pytest.fixture
def queue_letters(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """`queue_letters(3)`: so many wait, and each is more than a round of the loop may take."""
    set_mail_wish(app, "publisher")
    monkeypatch.setattr(group, "ROUND", 0)

    def queue(count: int) -> None:
        for _letter in range(count):
            make_application(status="returned")

    return queue


def test_reminders_are_looked_at_while_many_letters_wait(
    app: Flask,
    mail_server: LocalMailServer,
    invoke: Invoke,
    queue_letters: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A round of the loop ends in time; the next one reminds, which is its sign of life, and sends on."""
    queue_letters(3)
    monkeypatch.setattr(mail, "EVERY", 0)
    rounds = list[object]()

    def look() -> None:
        with app.app_context(), access.everything() as session:
            rounds.append(heartbeat.last_round(session, heartbeat.REMINDER))

    rests = iter(range(50))

    def rest(_seconds: float) -> None:
        if len(rounds) == 3 or next(rests, None) is None:
            raise KeyboardInterrupt  # Ctrl-C ends the loop

    mail_server.on_accepted = look
    monkeypatch.setattr(group, "time", SimpleNamespace(sleep=rest, monotonic=time.monotonic))
    invoke("mail", "send", "--watch")
    assert len(set(rounds)) == 3


def test_one_run_without_a_loop_sends_every_letter(
    app: Flask, mail_server: LocalMailServer, invoke: Invoke, queue_letters: Callable[[int], None]
) -> None:
    queue_letters(2)
    assert invoke("mail", "send").output == ""
    assert (len(mail_server.letters), waiting(app)) == (2, [])
