"""E-mails through a real mail server: what they say, to whom, how often, and what happens when it does not work."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.acts import filing
from models.application import Application
from models.database import db
from models.mail import wording
from models.mail.smtp import MailServer, Unreachable
from models.notifications import Notification, letters, mark_read
from models.notifications.letters import MailLetter
from models.people.mail_address import MailWish
from models.vocabulary import Action, Role
from models.workflow import Refused
from tests import ROOT
from tests.cast import account_of, announced, brought
from tests.conftest import Browser, Making
from tests.serving import SHARED
from tests.views.conftest import Later, Typing
from tests.views.mail_house import SECRET, USER, MailHouse

TITLE = "机密的题名"


@contextmanager
def open_house(app: Flask, folder: Path, **options: bool) -> Iterator[MailHouse]:
    """The mail server, and the application told where it is."""
    with MailHouse(folder, **options) as house:
        way = "starttls" if options.get("starttls") else "none"
        app.config.update(
            SMTP=house.address, SMTP_TLS=way, SMTP_FROM="filing@example.cn", SMTP_CA=str(house.certificate)
        )
        yield house


@pytest.fixture
def mails(app: Flask, tmp_path: Path) -> Iterator[MailHouse]:
    with open_house(app, tmp_path) as house:
        yield house


def wishes(app: Flask, username: str, wish: MailWish = MailWish.EACH) -> None:
    with app.app_context():
        account = account_of(username)
        account.email, account.mail_wish = f"{username}@example.cn", wish
        db.session.commit()


def waiting(app: Flask) -> list[MailLetter]:
    with app.app_context(), access.everything() as session:
        return list(session.scalars(select(MailLetter).where(letters.UNSENT).order_by(MailLetter.id)))


def test_a_letter_names_the_number_and_what_happened_and_no_more(app: Flask, mails: MailHouse, typed: Typing) -> None:
    """No title, no opinion, no name; and its link leads there once signed in."""
    app.config["BASE_URL"] = "https://filing.example.cn/"
    wishes(app, "publisher")
    key = brought(app, "publisher", "returned", title=TITLE)
    assert typed("mail", "send").output == ""
    (letter,) = mails.letters
    with app.app_context(), access.everything() as session:
        number = session.get_one(Application, key).number
        message = session.scalars(select(Notification.id).where(Notification.event == "return")).one()
    text = letter.get_content()
    assert mails.recipients == [["publisher@example.cn"]]
    assert (letter["To"], letter["Subject"]) == ("publisher@example.cn", "备案系统：退回")
    assert letter["From"] == "赴境外加工光盘进口备案系统 <filing@example.cn>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.cn>")
    assert f"{number} 已退回" in text
    assert f"https://filing.example.cn/messages/details/?id={message}\r\n" in text
    for secret in (TITLE, "材料需要核对", "王敏", "江苏"):
        assert secret not in text + str(letter["Subject"])
    typed("mail", "send")
    assert len(mails.letters) == 1


def test_only_who_wishes_it_gets_letters_and_of_what_is_unread(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making
) -> None:
    """The press does not; the agent has read it on the screen meanwhile; the reviewer gets the one that is theirs."""
    wishes(app, "agent")
    wishes(app, "reviewer")
    wishes(app, "reviewer2")
    wishes(app, "publisher", MailWish.NONE)
    make_application(by="agent", status="returned")
    make_application(status="returned")
    with app.app_context():
        access.enter(account_of("agent"))
        for row in db.session.scalars(select(Notification)):
            mark_read(db.session(), row)
        db.session.commit()
    typed("mail", "send")
    assert mails.recipients == [["reviewer@example.cn"]] * 2
    assert waiting(app) == []


@pytest.mark.parametrize("how", ["disabled", "deleted", "moved", "no address", "old"])
def test_what_its_reader_may_not_see_any_more_is_not_sent(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is when it is sent, not when it was written."""
    wishes(app, "publisher")
    key = make_application(status="refused")
    assert len(waiting(app)) == 1
    with app.app_context():
        access.enter(account_of("publisher"))
        account = account_of("publisher")
        match how:
            case "disabled":
                account.active = False
            case "deleted":
                filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), account)
            case "moved":
                account.organisation_id = account_of("publisher2").organisation_id
            case "no address":
                account.email = None
        db.session.commit()
    if how == "old":
        really = clock.now
        monkeypatch.setattr(clock, "now", lambda: really() + timedelta(days=4))
    assert typed("mail", "send").exit_code == 0
    assert mails.letters == []
    assert waiting(app) == []


def at(monkeypatch: pytest.MonkeyPatch, day: int, hour: int) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, day, hour, tzinfo=clock.SHANGHAI))


def test_the_digest_of_a_day_is_one_letter_and_none_where_there_is_nothing(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes(app, "publisher", MailWish.DAILY)
    at(monkeypatch, 2, 10)
    make_application(status="returned")
    make_application(status="customs_received")
    at(monkeypatch, 3, 7)
    typed("mail", "send")
    assert mails.letters == []
    for day, hour in ((3, 9), (3, 20), (4, 9), (5, 9)):
        at(monkeypatch, day, hour)
        typed("mail", "send")
    (letter,) = mails.letters
    assert letter["Subject"] == "备案系统：3 条未读消息（2026-03-02 起）"
    assert letter.get_content().count("/messages/details/?id=") == 3


def test_an_announcement_goes_by_mail_too(app: Flask, mails: MailHouse, typed: Typing) -> None:
    """A title that tries to write headers stays a text."""
    wishes(app, "national")
    announced(app, title="停机\r\nBcc: everybody@example.cn", roles=frozenset({Role.NATIONAL}))
    typed("mail", "send")
    (letter,) = mails.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "备案系统：通知公告"


@pytest.mark.parametrize(
    "typed_address",
    [
        "a@example.cn\r\nBcc: b@example.cn",
        "a@example.cn, b@example.cn",
        "王@example.cn",
        "a b@example.cn",
        "a@b",
        '"a"@b.cn',
    ],
)
def test_no_address_can_hold_another_header_or_recipient(app: Flask, typed_address: str) -> None:
    with app.app_context(), pytest.raises(Refused, match="邮箱地址不正确"):
        account_of("publisher").email = typed_address


def test_a_header_with_a_line_break_is_no_letter(app: Flask) -> None:
    """The last guard: the policy of the e-mail itself."""
    claim = letters.Claim(1, 1, 1, None, clock.now(), 1, 1)
    with app.app_context(), pytest.raises(ValueError, match="linefeed"):
        wording.addressed(wording.Text("x\r\nBcc: b@example.cn", []), claim, "a@example.cn", "b@example.cn")


def test_a_wrong_address_is_set_aside_and_told_to_its_owner_and_nobody_else_waits(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making, later: Later, as_: Callable[..., Browser]
) -> None:
    wishes(app, "publisher")
    wishes(app, "reviewer")
    mails.refuse["publisher@example.cn"] = "550 no such user"
    make_application(status="returned")
    for _time in range(3):
        typed("mail", "send")
        later()
    assert mails.recipients == [["reviewer@example.cn"]]
    (letter,) = waiting(app)
    assert (letter.set_aside_at is not None, letter.attempts) == (True, 3)
    browser = as_("publisher")
    assert "550 no such user" in browser.get("/messages/mail/").text
    form = {"email": "wang@example.cn", "mail_wish": "each"}
    assert "550" not in browser.post("/messages/mail/", data=form, follow_redirects=True).text
    assert waiting(app) == []


def test_what_the_server_puts_off_is_tried_again_later(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making, later: Later
) -> None:
    """Greylisting is no fault of the letter."""
    wishes(app, "publisher")
    mails.answers += ["451 try again later"] * 4
    make_application(status="returned")
    for _time in range(4):
        assert "451" in typed("mail", "send").output
        later()
    (letter,) = waiting(app)
    assert (letter.faults, letter.set_aside_at) == (0, None)
    typed("mail", "send")
    assert len(mails.letters) == 1


def test_a_server_that_is_down_costs_nothing_but_time(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making, later: Later, tmp_path: Path
) -> None:
    """One sentence a round, however many letters wait; the monitoring page tells; then everything is sent once."""
    for name in ("publisher", "reviewer"):
        wishes(app, name)
    make_application(status="returned")
    mails.close()
    told = typed("mail", "send")
    assert (told.output.count("邮件服务器不能使用"), told.exit_code) == (1, 0)
    assert [letter.attempts for letter in waiting(app)] == [1, 0]
    later()
    assert "mail" in app.test_client().get("/healthz").text.split()
    with open_house(app, tmp_path) as other:
        typed("mail", "send")
        assert sorted(other.recipients) == [["publisher@example.cn"], ["reviewer@example.cn"]]
    app.config["SMTP"] = None
    assert "mail" not in app.test_client().get("/healthz").text.split()


def test_through_tls_with_a_password(app: Flask, tmp_path: Path, typed: Typing, make_application: Making) -> None:
    """STARTTLS and the certificate of the authority that we trust; the password is not sent to whoever lacks it."""
    wishes(app, "publisher")
    make_application(status="returned")
    with open_house(app, tmp_path, starttls=True, signs_in=True) as house:
        app.config.update(SMTP_USER=USER, SMTP_PASSWORD=SECRET, SMTP_CA=None, MAIL_PACE={"pause": 0})
        assert "certificate verify failed" in typed("mail", "send").output
        app.config["SMTP_CA"] = str(house.certificate)
        app.config["SMTP_PASSWORD"] = "wrong"
        assert "邮件服务器不能使用" in typed("mail", "send").output
        app.config["SMTP_PASSWORD"] = SECRET
        assert typed("mail", "send").output == ""
        assert len(house.letters) == 1


def test_without_tls_on_the_other_side_nothing_is_sent(
    app: Flask, mails: MailHouse, typed: Typing, make_application: Making
) -> None:
    """Whoever strips STARTTLS out of the line gets no letter in clear."""
    wishes(app, "publisher")
    make_application(status="returned")
    app.config["SMTP_TLS"] = "starttls"
    assert "STARTTLS" in typed("mail", "send").output
    assert mails.letters == []


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
def test_a_server_that_never_finishes_is_given_up(app: Flask, answer: Callable[..., None], way: str) -> None:
    began = time.monotonic()
    for port in peer(answer):
        server = MailServer("127.0.0.1", port, way, "a@example.cn", seconds=1)
        claim = letters.Claim(1, 1, 1, None, clock.now(), 1, 1)
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
    app: Flask, mails: MailHouse, make_application: Making
) -> None:
    """At least once, under one Message-ID, by which a mail program shows it once."""
    wishes(app, "publisher")
    make_application(status="returned")
    running = [worker(app)]
    mails.taken = lambda: os.kill(running[-1].pid, signal.SIGKILL)
    assert running[0].wait() == -signal.SIGKILL
    mails.taken = lambda: None
    time.sleep(2)  # the lease ends
    for _time in range(2):
        assert worker(app).wait() == 0
    first, second = mails.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


def test_many_workers_send_each_letter_once(app: Flask, mails: MailHouse, make_application: Making) -> None:
    for name in ("publisher", "reviewer", "agent"):
        wishes(app, name)
    for by in ("publisher", "agent", "publisher"):
        make_application(by=by, status="customs_received")
    workers = [worker(app) for _time in range(3)]
    assert [each.wait() for each in workers] == [0, 0, 0]
    keys = [letter["Message-ID"] for letter in mails.letters]
    assert len(keys) == len(set(keys)) == 9
