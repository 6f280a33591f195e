"""Signing in with a security key, alone and after the password; what is refused, and with which one sentence."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from models import access, clock
from models.database import db
from models.log import LogEntry
from models.notifications import Notification
from models.people.accounts import Account
from models.people.recovery_codes import RecoveryCode
from models.people.security_keys import SecurityKey
from models.people.sessions import Visit
from tests.authenticator import PRESENT, Authenticator
from tests.cast import PASSWORD, account_of
from tests.conftest import Browser, signed_in
from tests.views.pages import said
from views.entrance.relying_party import relying_party

As = Callable[[str | None], Browser]
ORIGIN = "http://localhost"
SCRIPT = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
REFUSED = "密钥没有通过核验，没有登录。"


@pytest.fixture
def house(app: Flask) -> Flask:
    """The application at an address where browsers offer keys."""
    app.config["BASE_URL"] = ORIGIN
    return app


def options(browser: Browser, address: str) -> dict:
    answer = browser.post(address, headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    return answer.json


def enrol(browser: Browser, synced: bool = False, name: str = "办公室密钥", **given: object) -> Authenticator:
    """A key that the person signed in here has enrolled, or tried to."""
    key = Authenticator(ORIGIN, synced)
    answer = key.create(options(browser, "/keys/options/"), **given)
    browser.post("/keys/add/", data={"credential": answer, "name": name})
    return key


def use(browser: Browser, key: Authenticator, address: str = "/login/key", **given: object) -> TestResponse:
    answer = key.get(options(browser, f"{address}/options"), **given)
    return browser.post(address, data={"credential": answer, "next": "/desk/"})


def by_password(browser: Browser, username: str = "publisher") -> TestResponse:
    return browser.post("/login", data={"username": username, "password": PASSWORD, "next": "/visits/"})


def is_in(browser: Browser) -> bool:
    return browser.get("/visits/").status_code == 200


def entries(app: Flask) -> list[tuple[str, str]]:
    """(kind, words) of the log of sign-ins, in order."""
    with app.app_context(), access.everything() as session:
        rows = select(LogEntry.kind, LogEntry.words).where(LogEntry.log == "signins").order_by(LogEntry.id)
        return [tuple(row) for row in session.execute(rows)]


def test_a_key_signs_in_alone_and_the_log_says_so(house: Flask, as_: As) -> None:
    """No name is typed; the key knows its owner. On both databases."""
    owner = as_("publisher")
    key = enrol(owner)
    assert "办公室密钥" in owner.get("/keys/").text
    stranger = as_(None)
    answer = use(stranger, key)
    assert (answer.status_code, answer.location) == (303, "/desk/")
    assert "王敏" in stranger.get("/desk/").text
    assert entries(house)[-2:] == [("key_enrolled", "办公室密钥"), ("signed_in", "安全密钥登录：办公室密钥")]
    assert "尚未使用" not in stranger.get("/keys/").text
    with house.app_context(), access.everything() as session:
        told = session.scalars(select(Notification)).one()
        assert "登记了安全密钥“办公室密钥”" in told.sentence


class TestOnSqlite:
    """What no database changes."""

    pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)

    def test_with_a_key_the_password_is_the_first_of_two_steps(self, house: Flask, as_: As) -> None:
        key, stranger = enrol(as_("publisher")), as_(None)
        assert by_password(stranger).location == "/login/confirm"
        assert not is_in(stranger)
        assert use(stranger, key, "/login/confirm").location == "/visits/"
        assert is_in(stranger)
        assert entries(house)[-1] == ("signed_in", "用户名登录，并用安全密钥确认：办公室密钥")

    def test_the_second_step_takes_no_key_of_another_account(self, house: Flask, as_: As) -> None:
        enrol(as_("publisher"))
        foreign, stranger = enrol(as_("publisher2")), as_(None)
        by_password(stranger)
        answer = use(stranger, foreign, "/login/confirm")
        assert answer.status_code == 401 and REFUSED in answer.text
        assert not is_in(stranger)

    def test_the_second_step_ends_with_time_and_with_a_new_password(
        self, house: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = enrol(as_("publisher"))
        late, changed = as_(None), as_(None)
        by_password(late), by_password(changed)
        with house.app_context():
            account_of("publisher").set_password("another-Pass-1987")
            db.session.commit()
        assert changed.post("/login/confirm/options", headers=SCRIPT).status_code == 409
        assert changed.get("/login/confirm").location == "/login"
        with house.app_context():
            account_of("publisher").password_hash = account_of("publisher2").password_hash
            db.session.commit()
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
        assert late.get("/login/confirm").location == "/login"
        assert late.post("/login/confirm", data={"credential": "{}"}).location == "/login"
        assert key.count == 2

    @pytest.mark.parametrize(
        "given",
        [
            {"flags": PRESENT},  # nobody was verified: no PIN, no fingerprint
            {"flags": 0},
            {"origin": "https://evil.example"},
            {"origin": "http://localhost:8000"},
            {"challenge": "AAAA"},
            {"handle": "AAAA"},
        ],
        ids=str,
    )
    def test_an_answer_that_does_not_hold_is_refused_with_the_same_sentence(
        self, house: Flask, as_: As, given: dict
    ) -> None:
        key, stranger = enrol(as_("publisher")), as_(None)
        answer = use(stranger, key, **given)
        assert answer.status_code == 401 and REFUSED in answer.text
        assert not is_in(stranger)
        assert entries(house)[-1] == ("key_refused", "办公室密钥")
        assert use(stranger, key).status_code == 303  # and shuts nobody out

    def test_unknown_removed_and_disabled_are_refused_alike(self, house: Flask, as_: As) -> None:
        owner = as_("publisher")
        removed, unknown, disabled = enrol(owner), Authenticator(ORIGIN), enrol(as_("publisher2"))
        unknown.host, unknown.handle = "localhost", removed.handle
        with house.app_context(), access.everything() as session:
            key_id = session.scalars(select(SecurityKey.id).order_by(SecurityKey.id)).first()
            session.execute(update(Account).where(Account.username == "publisher2").values(active=False))
            session.commit()
        page = owner.post("/keys/remove/", data={"id": key_id}, follow_redirects=True).text
        assert said(page)[-1] == "已移除“办公室密钥”，它不能再用来登录。"
        answers = [use(as_(None), key) for key in (removed, unknown, disabled)]
        assert {answer.status_code for answer in answers} == {401}
        sentences = {"".join(part for part in answer.text.split("<") if REFUSED in part) for answer in answers}
        assert len(sentences) == 1
        assert entries(house)[-1] == ("account_disabled", "办公室密钥")

    def test_a_challenge_is_accepted_once_in_its_session_for_its_purpose(
        self, house: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner, stranger = as_("publisher"), as_(None)
        key = enrol(owner)
        asked = options(stranger, "/login/key/options")
        cookie = stranger.get_cookie("filing").value
        answer = key.get(asked)
        another = as_(None)
        options(another, "/login/key/options")
        assert another.post("/login/key", data={"credential": answer}).status_code == 401
        assert stranger.post("/login/key", data={"credential": answer}).status_code == 303
        replayed = as_(None)
        replayed.set_cookie("filing", cookie)
        page = replayed.post("/login/key", data={"credential": answer})
        assert page.status_code == 401 and "已使用过" in page.text
        by_password(replayed)
        options(replayed, "/login/confirm/options")
        assert replayed.post("/login/key", data={"credential": key.get(asked)}).status_code == 401
        old = as_(None)
        asked = options(old, "/login/key/options")
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
        assert "已超时" in old.post("/login/key", data={"credential": key.get(asked)}).text

    @pytest.mark.parametrize("sent", ["", "{}", "[]", "x", '{"id": 1}', "[" * 20_000, '{"id":"\\u0000","rawId":"AA"}'])
    def test_nonsense_is_refused_with_a_sentence(self, house: Flask, as_: As, sent: str) -> None:
        stranger = as_(None)
        enrol(as_("publisher"))
        options(stranger, "/login/key/options")
        assert stranger.post("/login/key", data={"credential": sent}).status_code == 401
        owner = as_("publisher2")
        options(owner, "/keys/options/")
        page = owner.post("/keys/add/", data={"credential": sent, "name": "x"}, follow_redirects=True)
        assert "密钥没有登记" in page.text and "还没有登记" in page.text

    @pytest.mark.parametrize("synced", [False, True])
    def test_a_counter_locks_nobody_out_and_is_noted_where_it_means_something(
        self, house: Flask, as_: As, synced: bool
    ) -> None:
        key = enrol(as_("publisher"), synced)
        key.count = 8
        assert use(as_(None), key).status_code == 303
        key.count = 5
        assert use(as_(None), key).status_code == 303
        noted = [words for kind, words in entries(house) if kind == "key_counter"]
        assert noted == ([] if synced else ["办公室密钥"])

    def test_enrolling_needs_verification_the_right_origin_a_name_and_a_recent_sign_in(
        self, house: Flask, as_: As
    ) -> None:
        owner = as_("publisher")
        enrol(owner, flags=PRESENT)
        enrol(owner, origin="https://evil.example")
        enrol(owner, name=" ")
        enrol(owner, name="长" * 41)
        with house.app_context(), access.everything() as session:
            assert session.scalars(select(SecurityKey)).all() == []
            session.execute(update(Visit).values(began_at=clock.now() - timedelta(minutes=11)))
            session.commit()
        assert owner.post("/keys/options/", headers=SCRIPT).status_code == 409
        assert "登录后 10 分钟内办理" in owner.get("/keys/").text

    def test_enrolling_ends_ones_other_sessions_and_nobody_removes_a_foreign_key(self, house: Flask, as_: As) -> None:
        other, owner, stranger = as_("publisher"), as_("publisher"), as_("publisher2")
        key = enrol(owner)
        assert (is_in(other), is_in(owner)) == (False, True)
        for browser in (stranger, as_("reviewer")):
            browser.post("/keys/remove/", data={"id": 1})
        assert use(as_(None), key).status_code == 303

    def test_a_code_of_the_operator_stands_in_for_a_lost_key_once(self, house: Flask, as_: As) -> None:
        key, operator, stranger = enrol(as_("publisher")), as_("operator"), as_(None)
        with house.app_context():
            account = account_of("publisher").id
        operator.post("/accounts/keys/code/", data={"id": account})
        page = operator.get(f"/accounts/keys/?id={account}").text
        code = page.partition('class="secret">')[2].partition("<")[0]
        assert len(code) == 19 and code not in operator.get(f"/accounts/keys/?id={account}").text
        by_password(stranger)
        assert stranger.post("/login/confirm", data={"code": "AAAA-AAAA-AAAA-AAAA"}).status_code == 401
        answer = stranger.post("/login/confirm", data={"code": code.lower().replace("-", " ")})
        assert answer.location == "/keys/"
        again = as_(None)
        by_password(again)
        assert again.post("/login/confirm", data={"code": code}).status_code == 401
        told = entries(house)
        assert [kind for kind, _words in told[-3:]] == ["wrong_code", "signed_in", "wrong_code"]
        assert told[-2][1] == "用户名登录，并用恢复码确认"
        with house.app_context(), access.everything() as session:
            assert session.scalars(select(RecoveryCode)).all() == []
            sentences = [row.sentence for row in session.scalars(select(Notification))]
            assert any("发放了恢复码" in sentence for sentence in sentences)
            given = select(LogEntry.about).where(LogEntry.kind == "code_given")
            assert session.scalars(given).all() == ["publisher"]
        assert use(as_(None), key).status_code == 303

    def test_codes_are_guessed_no_faster_than_passwords(self, house: Flask, as_: As) -> None:
        enrol(as_("publisher"))
        stranger = as_(None)
        by_password(stranger)
        pages = [stranger.post("/login/confirm", data={"code": "x"}).text for _time in range(6)]
        assert ["恢复码不正确" in page for page in pages] == [True] * 5 + [False]
        assert "请 1 分钟后再试" in pages[-1]

    def test_an_operator_removes_a_key_and_every_session_of_its_owner_ends(self, house: Flask, as_: As) -> None:
        owner, operator = as_("publisher"), as_("operator")
        key = enrol(owner)
        page = operator.post("/accounts/keys/remove/", data={"id": 1}, follow_redirects=True).text
        assert said(page) == ["已移除，publisher 已退出登录。"]
        assert not is_in(owner)
        assert use(as_(None), key).status_code == 401
        stranger = as_(None)
        assert by_password(stranger).location == "/visits/"
        enrol(operator)
        page = operator.post("/accounts/keys/remove/", data={"id": 2}, follow_redirects=True).text
        assert "自己的密钥请在“我的登录方式”中办理" in page

    def test_where_keys_are_required_the_first_sign_in_leads_to_enrolling(self, house: Flask, as_: As) -> None:
        house.config["KEYS_REQUIRED"] = True
        for username in ("reviewer", "operator"):
            browser = as_(None)
            by_password(browser, username)
            for address in ("/", "/visits/", "/messages/", "/review/", "/accounts/"):
                assert browser.get(address).location == "/keys/", address
            assert browser.post("/visits/end/", headers=SCRIPT).status_code == 403
            assert browser.post("/keys/remove/", data={"id": 1}).location == "/keys/"
            assert "审核和系统管理账号须使用安全密钥登录" in browser.get("/keys/").text
            enrol(browser)
            assert is_in(browser)
        for username in ("publisher", "national"):
            assert is_in(signed_in(house, username))

    def test_the_terminal_gives_a_code_when_no_operator_is_left_who_could(self, house: Flask, as_: As) -> None:
        enrol(as_("operator"))
        told = house.test_cli_runner().invoke(args=["account", "code", "operator"]).output
        stranger = as_(None)
        by_password(stranger, "operator")
        code = told.partition("：")[2].partition("（")[0]
        assert stranger.post("/login/confirm", data={"code": code}).location == "/keys/"
        told = house.test_cli_runner().invoke(args=["account", "code", "publisher"]).output
        assert "没有登记安全密钥" in told


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("https://filing.example.cn", ("filing.example.cn", "https://filing.example.cn")),
        ("https://Filing.example.cn:443/", ("filing.example.cn", "https://filing.example.cn")),
        ("https://filing.example.cn:8443/x", ("filing.example.cn", "https://filing.example.cn:8443")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://filing.example.cn", None),
        ("https://10.0.0.1", None),
        ("https://[::1]", None),
        ("http://127.0.0.1:8000", None),
    ],
)
def test_for_whom_keys_answer_is_said_by_the_setting(address: str, party: tuple[str, str] | None) -> None:
    found = relying_party({"BASE_URL": address})
    assert (found and (found.id, found.origin)) == party
