"""Signing in with a security key, alone and after the password; every refusal has the same message."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access, clock
from models.database import db
from models.log import LogEntry
from models.notifications import Notification
from models.people.accounts import Account
from models.people.security_keys import SecurityKey
from tests.authenticator import PRESENT, Authenticator
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.views.keys import ORIGIN, REFUSED, SCRIPT, by_password, enrol, entries, is_in, options, use
from tests.views.pages import flashed
from views.entrance.relying_party import relying_party


def test_a_key_signs_in_alone_and_is_logged(webauthn_app: Flask, client_as: ClientAs) -> None:
    """No name is typed; the key knows its owner. On both databases."""
    owner = client_as("publisher")
    key = enrol(owner)
    assert "办公室密钥" in owner.get("/keys/").text
    stranger = client_as(None)
    answer = use(stranger, key)
    assert (answer.status_code, answer.location) == (303, "/desk/")
    assert "王敏" in stranger.get("/desk/").text
    assert entries(webauthn_app)[-2:] == [("key_enrolled", "办公室密钥"), ("signed_in", "安全密钥登录：办公室密钥")]
    assert "尚未使用" not in stranger.get("/keys/").text
    with webauthn_app.app_context(), access.everything() as session:
        found = session.scalars(select(Notification)).one()
        assert "登记了安全密钥“办公室密钥”" in found.sentence


class TestOnSqlite:
    """What no database changes."""

    pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)

    def test_an_account_with_a_key_needs_a_second_step_after_the_password(
        self, webauthn_app: Flask, client_as: ClientAs
    ) -> None:
        key, stranger = enrol(client_as("publisher")), client_as(None)
        assert by_password(stranger).location == "/login/confirm"
        assert not is_in(stranger)
        assert use(stranger, key, "/login/confirm").location == "/visits/"
        assert is_in(stranger)
        assert entries(webauthn_app)[-1] == ("signed_in", "用户名登录，并用安全密钥确认：办公室密钥")

    def test_the_second_step_refuses_a_key_of_another_account(self, webauthn_app: Flask, client_as: ClientAs) -> None:
        enrol(client_as("publisher"))
        foreign, stranger = enrol(client_as("publisher2")), client_as(None)
        by_password(stranger)
        answer = use(stranger, foreign, "/login/confirm")
        assert answer.status_code == 401 and REFUSED in answer.text
        assert not is_in(stranger)

    def test_a_password_without_its_key_is_logged_for_the_owner(self, webauthn_app: Flask, client_as: ClientAs) -> None:
        """Otherwise the owner would not learn that a stolen password was found to be right."""
        enrol(client_as("publisher"))
        foreign, stranger = enrol(client_as("publisher2")), client_as(None)
        by_password(stranger)
        assert sign_in_log(webauthn_app)[-1] == ("publisher", "awaits_key", "")
        for key in (foreign, Authenticator(ORIGIN)):
            key.host = "localhost"
            use(stranger, key, "/login/confirm")
            assert sign_in_log(webauthn_app)[-1] == ("publisher", "key_refused", "")

    def test_the_second_step_expires_and_ends_with_a_new_password(
        self, webauthn_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = enrol(client_as("publisher"))
        late, changed = client_as(None), client_as(None)
        by_password(late), by_password(changed)
        with webauthn_app.app_context():
            account_of("publisher").set_password("another-Pass-1987")
            db.session.commit()
        assert changed.post("/login/confirm/options", headers=SCRIPT).status_code == 409
        assert changed.get("/login/confirm").location == "/login"
        with webauthn_app.app_context():
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
    def test_every_invalid_assertion_is_refused_with_the_same_message(
        self, webauthn_app: Flask, client_as: ClientAs, given: dict
    ) -> None:
        key, stranger = enrol(client_as("publisher")), client_as(None)
        answer = use(stranger, key, **given)
        assert answer.status_code == 401 and REFUSED in answer.text
        assert not is_in(stranger)
        assert entries(webauthn_app)[-1] == ("key_refused", "办公室密钥")
        assert use(stranger, key).status_code == 303  # and shuts nobody out

    def test_unknown_removed_and_disabled_keys_get_the_same_refusal(
        self, webauthn_app: Flask, client_as: ClientAs
    ) -> None:
        owner = client_as("publisher")
        removed, unknown, disabled = enrol(owner), Authenticator(ORIGIN), enrol(client_as("publisher2"))
        unknown.host, unknown.handle = "localhost", removed.handle
        with webauthn_app.app_context(), access.everything() as session:
            key_id = session.scalars(select(SecurityKey.id).order_by(SecurityKey.id)).first()
            session.execute(update(Account).where(Account.username == "publisher2").values(active=False))
            session.commit()
        page = owner.post("/keys/remove/", data={"id": key_id}, follow_redirects=True).text
        assert flashed(page)[-1] == "已移除“办公室密钥”，它不能再用来登录，其他设备上的登录已退出。"
        answers = [use(client_as(None), key) for key in (removed, unknown, disabled)]
        assert {answer.status_code for answer in answers} == {401}
        sentences = {"".join(part for part in answer.text.split("<") if REFUSED in part) for answer in answers}
        assert len(sentences) == 1
        assert entries(webauthn_app)[-1] == ("account_disabled", "办公室密钥")

    def test_a_challenge_is_accepted_once_in_its_session_for_its_purpose(
        self, webauthn_app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner, stranger = client_as("publisher"), client_as(None)
        key = enrol(owner)
        asked = options(stranger, "/login/key/options")
        cookie = stranger.get_cookie("filing").value
        answer = key.get(asked)
        another = client_as(None)
        options(another, "/login/key/options")
        assert another.post("/login/key", data={"credential": answer}).status_code == 401
        assert stranger.post("/login/key", data={"credential": answer}).status_code == 303
        replayed = client_as(None)
        replayed.set_cookie("filing", cookie)
        page = replayed.post("/login/key", data={"credential": answer})
        assert page.status_code == 401 and "已使用过" in page.text
        by_password(replayed)
        options(replayed, "/login/confirm/options")
        assert replayed.post("/login/key", data={"credential": key.get(asked)}).status_code == 401
        old = client_as(None)
        asked = options(old, "/login/key/options")
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
        assert "已超时" in old.post("/login/key", data={"credential": key.get(asked)}).text

    @pytest.mark.parametrize("sent", ["", "{}", "[]", "x", '{"id": 1}', "[" * 20_000, '{"id":"\\u0000","rawId":"AA"}'])
    def test_a_malformed_credential_is_refused_with_a_message(
        self, webauthn_app: Flask, client_as: ClientAs, sent: str
    ) -> None:
        stranger = client_as(None)
        enrol(client_as("publisher"))
        options(stranger, "/login/key/options")
        assert stranger.post("/login/key", data={"credential": sent}).status_code == 401
        owner = client_as("publisher2")
        options(owner, "/keys/options/")
        page = owner.post("/keys/add/", data={"credential": sent, "name": "x"}, follow_redirects=True)
        assert "密钥没有登记" in page.text and "还没有登记" in page.text

    @pytest.mark.parametrize("synced", [False, True])
    def test_a_decreased_counter_is_logged_for_unsynced_keys_and_does_not_prevent_sign_in(
        self, webauthn_app: Flask, client_as: ClientAs, synced: bool
    ) -> None:
        key = enrol(client_as("publisher"), synced)
        key.count = 8
        assert use(client_as(None), key).status_code == 303
        key.count = 5
        assert use(client_as(None), key).status_code == 303
        noted = [words for kind, words in entries(webauthn_app) if kind == "key_counter"]
        assert noted == ([] if synced else ["办公室密钥"])


def sign_in_log(app: Flask) -> list[tuple[str, str, str]]:
    """(user name, kind, words) of the log of sign-ins, in order."""
    with app.app_context(), access.everything() as session:
        rows = select(LogEntry.username, LogEntry.kind, LogEntry.words).where(LogEntry.log == "signins")
        return [tuple(row) for row in session.execute(rows.order_by(LogEntry.id))]


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
def test_the_relying_party_is_the_configured_one(address: str, party: tuple[str, str] | None) -> None:
    found = relying_party({"BASE_URL": address})
    assert (found and (found.id, found.origin)) == party
