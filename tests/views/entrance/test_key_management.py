"""Security keys enrolled and removed, by their owner and by operators; codes in their place; who must have one."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access, clock
from models.database import db
from models.log import LogEntry
from models.notifications import Notification
from models.people import calendar_feeds
from models.people.card_certificates import CardCertificate
from models.people.recovery_codes import RecoveryCode
from models.people.security_keys import SecurityKey
from models.people.sessions import Visit
from tests.authenticator import PRESENT
from tests.browsing import ClientAs, signed_in
from tests.cast import account_of
from tests.conftest import ActAs
from tests.views.keys import SCRIPT, by_password, enrol, entries, is_in, use
from tests.views.pages import flashed

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)  # what no database changes


def test_enrolling_needs_verification_the_right_origin_a_name_and_a_recent_sign_in(
    webauthn_app: Flask, client_as: ClientAs
) -> None:
    owner = client_as("publisher")
    enrol(owner, flags=PRESENT)
    enrol(owner, origin="https://evil.example")
    enrol(owner, name=" ")
    enrol(owner, name="长" * 41)
    with webauthn_app.app_context(), access.everything() as session:
        assert session.scalars(select(SecurityKey)).all() == []
        session.execute(update(Visit).values(began_at=clock.now() - timedelta(minutes=11)))
        session.commit()
    assert owner.post("/keys/options/", headers=SCRIPT).status_code == 409
    assert "登录后 10 分钟内办理" in owner.get("/keys/").text


def test_enrolling_a_key_ends_the_other_sessions_and_foreign_keys_cannot_be_removed(
    webauthn_app: Flask, client_as: ClientAs
) -> None:
    other, owner, stranger = client_as("publisher"), client_as("publisher"), client_as("publisher2")
    key = enrol(owner)
    assert (is_in(other), is_in(owner)) == (False, True)
    for browser in (stranger, client_as("reviewer")):
        browser.post("/keys/remove/", data={"id": 1})
    assert use(client_as(None), key).status_code == 303


def test_removing_a_key_ends_the_other_sessions_of_its_owner(webauthn_app: Flask, client_as: ClientAs) -> None:
    """A finder of the key may have signed in with it."""
    owner, finder = client_as("publisher"), client_as(None)
    assert use(finder, enrol(owner)).status_code == 303
    assert is_in(finder)
    owner.post("/keys/remove/", data={"id": 1})
    assert (is_in(finder), is_in(owner)) == (False, True)


def test_a_required_last_key_cannot_be_removed(webauthn_app: Flask, client_as: ClientAs) -> None:
    """Otherwise the password alone would be enough to enrol any other."""
    webauthn_app.config["KEYS_REQUIRED"] = True
    owner = client_as(None)
    by_password(owner, "reviewer")
    enrol(owner)
    page = owner.post("/keys/remove/", data={"id": 1}, follow_redirects=True).text
    assert "这是最后一把，没有移除" in page
    enrol(owner, name="备用")
    page = owner.post("/keys/remove/", data={"id": 1}, follow_redirects=True).text
    assert "已移除“办公室密钥”" in page


@pytest.mark.parametrize(
    ("secret", "days", "sentence"), [("s" * 32, 1, "已移除“"), ("s" * 32, -1, "最后一把"), ("", 1, "最后一把")]
)
def test_a_card_replaces_a_required_last_key_only_while_it_can_be_used(
    webauthn_app: Flask, client_as: ClientAs, secret: str, days: int, sentence: str
) -> None:
    """Not after its end, nor while cards are switched off."""
    webauthn_app.config.update(KEYS_REQUIRED=True, CARD_SECRET=secret, CARD_CA="ca.pem", CARD_CRL="crl.pem")
    owner, now = client_as("reviewer"), clock.now()
    enrol(owner)
    with webauthn_app.app_context(), access.everything() as session:
        card = CardCertificate(account_id=account_of("reviewer").id, issuer_hash="", serial="", issuer="", subject="")
        card.added_at, card.ends_at = now, now + timedelta(days=days)
        session.add(card)
        session.commit()
    assert sentence in owner.post("/keys/remove/", data={"id": 1}, follow_redirects=True).text


def test_an_invalid_public_key_is_refused_with_a_message(webauthn_app: Flask, client_as: ClientAs) -> None:
    owner = client_as("publisher")
    for public in ([], {}, {1: 2, 3: -7, -1: 9, -2: b"", -3: b""}, 5):
        enrol(owner, public=public)
        assert "密钥没有登记" in owner.get("/keys/").text, public


def test_a_recovery_code_of_the_operator_replaces_a_lost_key_once(webauthn_app: Flask, client_as: ClientAs) -> None:
    key, operator, stranger = enrol(client_as("publisher")), client_as("operator"), client_as(None)
    with webauthn_app.app_context():
        account = account_of("publisher").id
    operator.post("/accounts/keys/code/", data={"id": account})
    page = operator.get(f"/accounts/keys/?id={account}").text
    code = page.partition('class="secret">')[2].partition("<")[0]
    assert len(code) == 19 and code not in operator.get(f"/accounts/keys/?id={account}").text
    by_password(stranger)
    assert stranger.post("/login/confirm", data={"code": "AAAA-AAAA-AAAA-AAAA"}).status_code == 401
    answer = stranger.post("/login/confirm", data={"code": code.lower().replace("-", " ")})
    assert answer.location == "/keys/"
    again = client_as(None)
    by_password(again)
    assert again.post("/login/confirm", data={"code": code}).status_code == 401
    found = entries(webauthn_app)
    assert [kind for kind, _words in found[-4:]] == ["wrong_code", "signed_in", "awaits_key", "wrong_code"]
    assert found[-3][1] == "用户名登录，并用恢复码确认"
    with webauthn_app.app_context(), access.everything() as session:
        assert session.scalars(select(RecoveryCode)).all() == []
        sentences = [row.sentence for row in session.scalars(select(Notification))]
        assert any("发放了恢复码" in sentence for sentence in sentences)
        given = select(LogEntry.about).where(LogEntry.kind == "code_given")
        assert session.scalars(given).all() == ["publisher"]
    assert use(client_as(None), key).status_code == 303


def test_recovery_codes_have_the_rate_limit_of_passwords(webauthn_app: Flask, client_as: ClientAs) -> None:
    enrol(client_as("publisher"))
    stranger = client_as(None)
    by_password(stranger)
    pages = [stranger.post("/login/confirm", data={"code": "x"}).text for _time in range(6)]
    assert ["恢复码不正确" in page for page in pages] == [True] * 5 + [False]
    assert "请 1 分钟后再试" in pages[-1]
    assert entries(webauthn_app)[-1][0] == "slowed"
    assert 'id="slowed"' in client_as("operator").get("/online/").text  # an operator may end it


def test_an_operator_removes_a_key_and_every_session_of_its_owner_ends(
    webauthn_app: Flask, client_as: ClientAs
) -> None:
    owner, operator = client_as("publisher"), client_as("operator")
    key = enrol(owner)
    page = operator.post("/accounts/keys/remove/", data={"id": 1}, follow_redirects=True).text
    assert flashed(page) == ["已移除，publisher 已退出登录。"]
    assert not is_in(owner)
    assert use(client_as(None), key).status_code == 401
    stranger = client_as(None)
    assert by_password(stranger).location == "/visits/"
    enrol(operator)
    page = operator.post("/accounts/keys/remove/", data={"id": 2}, follow_redirects=True).text
    assert "自己的密钥请在“我的登录方式”中办理" in page


def test_removing_a_key_by_the_operator_ends_the_calendar_address(webauthn_app: Flask, client_as: ClientAs) -> None:
    """A finder of the key may have created one."""
    owner = client_as("reviewer")
    enrol(owner)
    with webauthn_app.app_context(), access.everything() as session:
        token = calendar_feeds.renew(session, account_of("reviewer"))
        session.commit()
    assert client_as(None).get(f"/feed/{token}.ics").status_code == 200
    client_as("operator").post("/accounts/keys/remove/", data={"id": 1})
    assert client_as(None).get(f"/feed/{token}.ics").status_code == 404


def test_the_first_sign_in_with_required_keys_leads_to_enrolling(webauthn_app: Flask, client_as: ClientAs) -> None:
    webauthn_app.config["KEYS_REQUIRED"] = True
    for username in ("reviewer", "operator"):
        browser = client_as(None)
        by_password(browser, username)
        for address in ("/", "/visits/", "/messages/", "/review/", "/accounts/"):
            assert browser.get(address).location == "/keys/", address
        assert browser.post("/visits/end/", headers=SCRIPT).status_code == 403
        assert browser.post("/keys/remove/", data={"id": 1}).location == "/keys/"
        assert "审核和系统管理账号须使用安全密钥登录" in browser.get("/keys/").text
        enrol(browser)
        assert is_in(browser)
    for username in ("publisher", "national"):
        assert is_in(signed_in(webauthn_app, username))


def test_no_session_reads_or_writes_a_foreign_key(webauthn_app: Flask, client_as: ClientAs, act_as: ActAs) -> None:
    """Row security: without an account, as another person, and as the operator, who sees keys but adds none."""
    enrol(client_as("publisher"))
    for username, count in (("publisher", 1), ("publisher2", 0), ("reviewer", 0), ("national", 0), ("operator", 1)):
        with act_as(username):
            found = db.session.scalars(select(SecurityKey)).all()
            assert len(found) == count, username
            if username != "publisher":
                given = {
                    "credential_id": "x",
                    "public_key": b"",
                    "handle": "",
                    "name": "x",
                    "added_at": clock.now(),
                }
                owner = account_of("publisher").id
                db.session.add(SecurityKey(account_id=owner, synced=False, count=0, **given))
                with pytest.raises(access.Closed):
                    db.session.flush()
                db.session.rollback()
    with webauthn_app.app_context():
        access.enter(None)
        assert db.session.scalars(select(SecurityKey)).all() == []


def test_a_command_gives_a_recovery_code_to_the_last_operator(webauthn_app: Flask, client_as: ClientAs) -> None:
    enrol(client_as("operator"))
    found = webauthn_app.test_cli_runner().invoke(args=["account", "code", "operator"]).output
    stranger = client_as(None)
    by_password(stranger, "operator")
    code = found.partition("：")[2].partition("（")[0]
    assert stranger.post("/login/confirm", data={"code": code}).location == "/keys/"
    found = webauthn_app.test_cli_runner().invoke(args=["account", "code", "publisher"]).output
    assert "没有登记安全密钥" in found
