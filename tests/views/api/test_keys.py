"""接口密钥: created and shown once, limited by address and time, ended; no other credential opens /api/."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import access, clock
from models.database import db
from models.log import LogEntry
from models.people.api_keys import ApiKey
from models.people.sessions import Visit
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD, account_of
from tests.models.attempts import session_of
from tests.views.api.reading import LIST, Program, program, token_of
from tests.views.conftest import AdvanceClock
from tests.views.pages import flashed, form_of

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def made(browser: Browser, **form: str) -> list[str]:
    """The tokens that the page shows after 生成密钥."""
    fields = {"name": "综合业务系统", "days": "90", "networks": ""} | form
    page = browser.post("/apikeys/make/", data=fields, follow_redirects=True).text
    return [unescape(found) for found in re.findall(r'<code class="secret">(.*?)</code>', page)]


def logged(app: Flask, kind: str) -> list[tuple[str, str, str]]:
    """(user name, about, words) of the entries of this kind."""
    with app.app_context(), access.everything() as session:
        wanted = select(LogEntry.username, LogEntry.about, LogEntry.words).where(LogEntry.kind == kind)
        return [tuple(row) for row in session.execute(wanted.order_by(LogEntry.id))]


def test_a_key_is_shown_once_used_and_revoked(app: Flask, client_as: ClientAs) -> None:
    owner = client_as("publisher")
    assert "还没有接口密钥" in owner.get("/apikeys/").text
    (token,) = made(owner, name="  综合　业务系统 ")
    assert re.fullmatch(r"filing_[\w-]{43}", token)
    page = owner.get("/apikeys/").text
    assert token not in page
    assert token[:11] in page
    found = Program(app, token).get("/api/v1/key").get_json()
    assert (found["name"], found["account"]["username"]) == ("综合 业务系统", "publisher")
    assert "尚未使用" not in owner.get("/apikeys/").text
    assert "“综合 业务系统”" in owner.post("/apikeys/end/", data={"id": 1}, follow_redirects=True).text
    assert Program(app, token).get(LIST).status_code == 401
    assert [logged(app, f"api_key_{how}") for how in ("made", "removed")] == [
        [("publisher", "", "综合 业务系统；")],
        [("publisher", "", "综合 业务系统")],
    ]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": " \u200b"}, "请填写密钥名称，不超过 40 个字，例如使用它的程序。"),
        ({"name": "长" * 41}, "请填写密钥名称，不超过 40 个字，例如使用它的程序。"),
        ({"days": "366"}, "有效天数须为 1 至 365 的整数，请修改后再生成。"),
        ({"days": "0"}, "有效天数须为 1 至 365 的整数，请修改后再生成。"),
        ({"days": "永久"}, "有效天数须为 1 至 365 的整数，请修改后再生成。"),
        ({"networks": "内网"}, "允许的地址须为 IP 地址或网段，例如 10.1.2.3 或 10.1.2.0/24，请修改后再生成。"),
        ({"networks": " ".join(f"10.0.0.{n}" for n in range(21))}, "允许的地址最多填写 20 个，请改用网段。"),
    ],
)
def test_invalid_input_is_refused_with_a_sentence(
    app: Flask, client_as: ClientAs, form: dict[str, str], sentence: str
) -> None:
    owner = client_as("publisher")
    fields = {"name": "程序", "days": "90", "networks": ""} | form
    answer = owner.post("/apikeys/make/", data=fields)
    assert (answer.status_code, flashed(answer.text)) == (422, [])
    assert f'-note" role="alert">{sentence}</p>' in answer.text, "beside its field"
    assert {name: form_of(answer.text, "key-form")[name] for name in fields} == fields, "what was typed is still there"
    assert "还没有接口密钥" in owner.get("/apikeys/").text


def test_full_width_digits_are_read_as_in_every_form(app: Flask, client_as: ClientAs) -> None:
    owner = client_as("publisher")
    assert len(made(owner, days=" ３０", networks="１０．１．２．０／２４，10.9.0.1")) == 1
    with app.app_context(), access.everything() as session:
        key = session.scalars(select(ApiKey)).one()
        assert ((key.ends_at - key.made_at).days, key.networks) == (30, "10.1.2.0/24 10.9.0.1/32")


def test_a_page_left_open_can_revoke_but_not_create_a_key(app: Flask, client_as: ClientAs) -> None:
    owner = client_as("publisher")
    (token,) = made(owner)
    with app.app_context():
        db.session.execute(update(Visit).values(began_at=clock.now() - timedelta(minutes=11)))
        db.session.commit()
    assert made(owner) == []
    assert "登录后 10 分钟内" in owner.get("/apikeys/").text
    owner.post("/apikeys/end/", data={"id": 1})
    assert Program(app, token).get(LIST).status_code == 401


def test_an_account_has_at_most_ten_keys(app: Flask, client_as: ClientAs) -> None:
    owner = client_as("publisher")
    assert [len(made(owner)) for _n in range(11)] == [1] * 10 + [0]
    assert flashed(owner.get("/apikeys/").text) == []


def test_a_key_is_stored_as_a_hash_and_inaccessible_to_others(app: Flask, client_as: ClientAs) -> None:
    token = token_of(app, "publisher")
    for who in ("publisher2", "agent", "reviewer", "national", ""):
        with app.app_context():
            assert session_of(who).scalars(select(ApiKey)).all() == [], who
    with app.app_context(), access.everything() as session:
        assert token not in str(session.execute(select(ApiKey.__table__)).all())
    for who in ("publisher2", "reviewer"):
        client_as(who).post("/apikeys/end/", data={"id": 1})
    assert client_as("reviewer").post("/accounts/api-keys/end/", data={"id": 1}).status_code == 403
    assert Program(app, token).get(LIST).status_code == 200


def test_the_operator_has_no_keys_and_revokes_those_of_others(app: Flask, client_as: ClientAs) -> None:
    token, operator = token_of(app, "publisher", networks="10.1.0.0/16"), client_as("operator")
    assert operator.get("/apikeys/").status_code == 403
    assert operator.post("/apikeys/make/", data={"name": "x", "days": "1"}).status_code == 403
    assert "/apikeys/" not in operator.get("/visits/").text
    with app.app_context():
        number = account_of("publisher").id
    page = operator.get(f"/accounts/keys/?id={number}").text
    assert token[:11] in page
    assert "10.1.0.0/16" in page
    assert flashed(operator.post("/accounts/api-keys/end/", data={"id": 1}, follow_redirects=True).text) == [
        "已撤销，使用它的程序不能再读取。"
    ]
    assert logged(app, "api_key_taken") == [("operator", "publisher", "综合业务系统")]
    assert "撤销了您的接口密钥“综合业务系统”" in client_as("publisher").get("/messages/").text
    assert flashed(operator.post("/accounts/api-keys/end/", data={"id": 1}, follow_redirects=True).text) == [
        "这个接口密钥已经撤销，请刷新页面核对。"
    ]


def test_a_key_works_from_allowed_addresses_until_it_expires(app: Flask, advance_clock: AdvanceClock) -> None:
    """Every refusal has the same sentence; the log has the reason, once an hour."""
    inside = "10.1.2.3"
    token = token_of(app, "publisher", days=1, networks="10.1.2.0/24；2001:db8::/32；::ffff:10.9.0.0/112")
    addresses = {
        inside: 200,
        "10.9.8.7": 200,
        "10.8.8.7": 401,
        "::ffff:10.1.2.9": 200,
        "2001:db8::7": 200,
        "10.1.3.1": 401,
        "127.0.0.1": 401,
    }
    assert {address: Program(app, token, address).get(LIST).status_code for address in addresses} == addresses
    refused = Program(app, token, "10.1.3.1").get(LIST)
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="filing", error="invalid_token"'
    for _two_hours in range(12):
        advance_clock()
    assert Program(app, token, inside).get(LIST).get_json()["detail"] == refused.get_json()["detail"]
    assert logged(app, "api_key_refused") == [
        ("publisher", "", "综合业务系统：不允许从这个地址使用"),
        ("publisher", "", "综合业务系统：密钥已到期"),
    ]


@pytest.mark.parametrize("how", ["reset", "own password", "disabled"])
def test_keys_are_revoked_with_all_sessions(app: Flask, client_as: ClientAs, how: str) -> None:
    browser = client_as("publisher")
    (token,) = made(browser)
    with app.app_context():
        number = account_of("publisher").id
    if how == "own password":
        browser.post("/password", data={"current": PASSWORD, "new": "mine-2026-x", "repeat": "mine-2026-x"})
    elif how == "reset":
        client_as("operator").post("/accounts/reset/", data={"id": number})
    else:
        page = client_as("operator").get(f"/accounts/edit/?id={number}").text
        form = {name: value for name, value in form_of(page, "card-box").items() if name != "active"}
        client_as("operator").post(f"/accounts/edit/?id={number}", data=form)
    with app.app_context():
        account = account_of("publisher")
        account.active, account.must_change = True, False
        db.session.commit()
    assert Program(app, token).get(LIST).status_code == 401


@pytest.mark.parametrize("field", ["active", "must_change", "organisation", "role"])
def test_the_key_of_a_disabled_account_reads_nothing(app: Flask, field: str) -> None:
    reads = program(app, "publisher")
    with app.app_context():
        account = account_of("publisher")
        changed = {"active": False, "must_change": True, "organisation": None, "role": account_of("operator").role}
        setattr(account, field, changed[field])
        db.session.commit()
    assert reads.get(LIST).status_code == 401


def test_the_interface_accepts_no_cookie_and_the_screens_accept_no_key(app: Flask, client_as: ClientAs) -> None:
    reads, signed_in = program(app, "publisher"), client_as("publisher")
    assert signed_in.get(LIST).status_code == 401
    assert signed_in.get(LIST).headers["WWW-Authenticate"] == 'Bearer realm="filing"'
    for address in ("/applications/", "/apikeys/", "/desk/", "/applications/export/csv/", "/visits/"):
        assert (reads.get(address).location or "").startswith("/login"), address
    answer = reads.get(LIST)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "Set-Cookie" not in answer.headers


def test_the_use_of_a_key_is_recorded_once_a_minute_and_logged_once_an_hour(
    app: Flask, client_as: ClientAs, advance_clock: AdvanceClock
) -> None:
    reads = program(app, "publisher")

    def used() -> object:
        with app.app_context(), access.everything() as session:
            return session.scalars(select(ApiKey.used_at)).one()

    reads.get(LIST)
    first = used()
    reads.get(LIST)
    assert used() == first
    advance_clock()
    reads.get(LIST)
    assert used() != first
    assert logged(app, "feed") == [("publisher", "综合业务系统", "")] * 2
    assert "接口读取" in client_as("operator").get("/prints/").text
