"""Limits of request bodies, and an error page that cannot fail."""

import io

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder

from models.acts import printing
from models.database import db
from models.people.accounts import Account, matches
from models.people.sessions import Visit
from models.people.signin_failures import SigninFailure
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD
from tests.conftest import MakeApplication
from tests.views.entrance.route_roles import address
from tests.views.ledger import ledger
from views.entrance import limits

OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
BOUNDARY = "----x"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def visits(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(Visit)).all())


def test_larger_limits_are_of_endpoints_that_exist(app: Flask) -> None:
    """A renamed endpoint would silently be limited to small bodies."""
    assert limits.LARGER.keys() - app.view_functions.keys() == set()


def test_the_body_of_a_head_request_is_ignored(app: Flask, client_as: ClientAs) -> None:
    """Formerly HEAD /login with a body signed in without token and rate limit; HEAD /password locked accounts."""
    stranger, publisher = client_as(None), client_as("publisher")
    before = visits(app)
    for _again in range(70):
        answer = stranger.head("/login", data={"username": "publisher", "password": PASSWORD})
        assert answer.status_code == 200
    assert visits(app) == before
    for _again in range(7):
        words = {"current": "wrong", "new": "Another-pass-2026", "repeat": "Another-pass-2026"}
        assert publisher.head("/password", data=words).status_code == 200
    with app.app_context():
        account = db.session.scalars(select(Account).where(Account.username == "publisher")).one()
        assert matches(account.password_hash, PASSWORD)
        assert db.session.scalars(select(SigninFailure)).all() == []


@pytest.mark.slow
def test_no_verb_but_post_changes_anything_anywhere(
    app: Flask, client_as: ClientAs, routes: list[Rule], make_application: MakeApplication
) -> None:
    """Every rule × HEAD × every role, and × each other verb, with the body of a POST."""
    pending = make_application(status="pending")
    keys = {"publisher": make_application(), "reviewer": pending, "national": make_application(status="filed")}
    people = {name: client_as(name) for name in (*keys, "operator", None)}
    before = ledger(app)
    form = {"opinion": "理由", "title": "改", "_submit": "1", "username": "x", "name": "x", "url": "/"}
    for rule in routes:
        for who, verb in [*((who, "HEAD") for who in people), *(("publisher", verb) for verb in OTHERS)]:
            key = keys.get(str(who), pending)
            answer = people[who].open(address(rule, key), method=verb, data=form | {"id": key})
            assert answer.status_code < 500, (verb, rule.rule)
    assert ledger(app) == before


@pytest.mark.parametrize(
    "address", ["/login", "/verify/", "/logout", "/password", "/applications/edit/?id=1", "/nowhere"]
)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=1&" * 20_000),
        (MULTIPART, f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode() * 900),
    ],
    ids=["fields", "parts"],
)
def test_an_anonymous_body_is_parsed_up_to_a_few_kilobytes(
    app: Flask, address: str, kind: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this limit 15 MB of `a=1&a=1…` at /login took 19 s and 640 MB."""
    read = [0]
    stream = type("Counted", (io.BytesIO,), {})(body)
    really = stream.read

    def counted(size: int = -1) -> bytes:
        piece: bytes = really(size)
        read[0] += len(piece)
        return piece

    stream.read = counted
    environ = EnvironBuilder(path=address.split("?")[0], method="POST", content_type=kind).get_environ()
    environ |= {"wsgi.input": stream, "CONTENT_LENGTH": str(len(body)), "HTTP_ORIGIN": "http://localhost"}
    with app.request_context(environ):
        status = app.full_dispatch_request().status_code
    assert status in (303, 400, 401, 404, 405, 413)  # 303: 退出 reads no body
    assert read[0] <= limits.SMALL.body + (64 << 10)


@pytest.mark.slow
def test_a_publisher_can_still_save_a_form_of_many_rows(client_as: ClientAs, make_application: MakeApplication) -> None:
    key = make_application()
    body = {f"carriers-{n}-note": "备注" * 20 for n in range(600)}
    assert client_as("publisher").post(f"/applications/edit/?id={key}", data=body).status_code in (200, 409, 422)


@pytest.mark.parametrize("address", ["/verify/", "/applications/upload/", "/districts/import/"])
def test_a_file_of_some_megabytes_is_accepted_where_files_are_uploaded(client_as: ClientAs, address: str) -> None:
    """The parser counts up to 64 KB of a file as if it were a field."""
    who = {"/verify/": None, "/districts/import/": "operator"}.get(address, "publisher")
    file = (io.BytesIO(b"%PDF-1.7" + bytes(3 << 20)), "大.pdf")
    answer = client_as(who).post(address, data={"kind": "contract", "file": file})
    assert answer.status_code in (200, 303, 422)


@pytest.mark.slow
def test_successful_sign_ins_count_towards_the_rate_limit_too(app: Flask, client_as: ClientAs) -> None:
    """Every request costs a password hash, not only a wrong one."""
    app.config["CAPTCHA"] = True
    wrong = [client_as(None).post("/login", data={"code": "x"}).status_code for _again in range(59)]
    assert set(wrong) == {401}
    app.config["CAPTCHA"] = False
    good = {"username": "publisher", "password": PASSWORD}
    assert [client_as(None).post("/login", data=good).status_code for _again in range(2)] == [303, 429]


def test_a_form_may_name_rows_with_ids_of_any_length(client_as: ClientAs, make_application: MakeApplication) -> None:
    """A list of a register with a million applications sends the version of each of its rows."""
    key, browser = make_application(), client_as("publisher")
    versions = {f"version-{10**digits}": "1" for digits in range(6, 19)}
    assert browser.post("/applications/submit/", data=versions | {"id": key}).status_code == 303
    assert browser.post("/applications/submit/", data={"id": key, "carriers-1000000-id": "1"}).status_code == 400


def test_two_hundred_rows_of_a_list_may_be_ticked(client_as: ClientAs) -> None:
    rows = range(1, printing.MOST + 1)
    body = {"pick": list(rows), "opinion": "", "url": "/", "remark": "", "reason": ""}
    answer = client_as("publisher").post("/applications/print-all/", data=body | {f"version-{n}": "1" for n in rows})
    assert answer.status_code == 404, "no such rows"


def test_a_part_without_a_name_is_a_bad_request(client_as: ClientAs) -> None:
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\n1\r\n--{BOUNDARY}--\r\n".encode()
    for who, door in ((None, "/login"), ("publisher", "/applications/new/"), (None, "/verify/")):
        answer = client_as(who).post(door, data=body, content_type=MULTIPART)
        assert answer.status_code == 400, door
        assert "请返回上一页检查后重新提交。" in answer.text


LATIN = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=40)
BRACKETS = st.sampled_from(
    ["http://[", "http://[::1", "//[", "http://a:99999/", "\\", "javascript:x", "http://localhost/["]
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    where=st.sampled_from(["/nowhere", "/login", "/applications/edit/?id=1", "/verify/x", "/%ff%00"]),
    headers=st.dictionaries(
        st.sampled_from(["Referer", "Origin", "Accept", "Content-Type", "Accept-Language", "Range", "Cookie"]),
        LATIN | BRACKETS,
    ),
    body=st.binary(max_size=200),
    verb=st.sampled_from(["GET", "POST", "PUT"]),
)
def test_the_error_page_answers_every_malformed_request(
    app: Flask, where: str, headers: dict[str, str], body: bytes, verb: str
) -> None:
    answer = Browser(app).open(where, method=verb, headers=headers, data=body, csrf=False)
    assert answer.status_code < 500
    assert answer.data


def test_a_failing_error_page_still_shows_its_message(app: Flask, client_as: ClientAs) -> None:
    browser, before = client_as("publisher"), app.jinja_env.get_template
    app.jinja_env.globals["product"], product = None, app.jinja_env.globals["product"]
    loader, app.jinja_env.loader = app.jinja_env.loader, None
    app.jinja_env.cache.clear()
    try:
        answer = browser.get("/nowhere")
    finally:
        app.jinja_env.loader, app.jinja_env.globals["product"] = loader, product
    assert before
    assert answer.status_code == 404
    assert "没有找到这个页面或资料" in answer.text
