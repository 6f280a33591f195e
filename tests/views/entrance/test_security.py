"""Security headers, CSRF protection and error pages."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from models.database import db, sqlite
from tests.browsing import ClientAs
from tests.cast import PASSWORD
from tests.conftest import MakeApplication
from tests.views.entrance.conftest import ReplaceView
from tests.views.entrance.errors import check_headers
from tests.views.pages import form_of
from views.entrance.addresses import networks_of

XHR = {"X-Requested-With": "XMLHttpRequest"}


@pytest.mark.slow
def test_every_response_has_the_headers_and_is_not_cached(client_as: ClientAs) -> None:
    for browser in (client_as(None), client_as("publisher")):
        for address in ("/", "/login", "/captcha.png", "/captcha.wav", "/password", "/healthz", "/verify/", "/nowhere"):
            answer = browser.get(address)
            check_headers(answer)
            assert answer.headers["Cache-Control"] == "no-store"


def test_style_sheets_may_be_cached(client_as: ClientAs) -> None:
    answer = client_as(None).get("/assets/entrance/all.css")
    check_headers(answer)
    assert "no-store" not in answer.headers["Cache-Control"]


def test_https_responses_have_hsts(client_as: ClientAs) -> None:
    answer = client_as(None).get("/login", base_url="https://localhost")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_each_page_has_its_own_nonce_in_its_scripts(client_as: ClientAs) -> None:
    pages = [client_as(None).get("/login") for _time in range(2)]
    nonces = [page.headers["Content-Security-Policy"].split("'nonce-")[1].split("'")[0] for page in pages]
    assert nonces[0] != nonces[1]
    for page, nonce in zip(pages, nonces, strict=True):
        assert f'nonce="{nonce}"' in page.text


def test_a_response_may_have_its_own_policy(replace_view: ReplaceView, client_as: ClientAs) -> None:
    address = replace_view(lambda: ("", {"Content-Security-Policy": "sandbox"}))
    assert client_as("publisher").get(address).headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.slow
@pytest.mark.parametrize(("who", "address"), [(None, "/login"), ("publisher", "/logout"), ("publisher", "/password")])
def test_unsafe_methods_require_the_csrf_token(client_as: ClientAs, who: str | None, address: str) -> None:
    """AD4: unsafe methods without a token are answered 400 and change nothing."""
    browser = client_as(who)
    data = {"username": "publisher", "password": PASSWORD, "current": PASSWORD, "new": "mine-2026-x"}
    for body in (data | {"repeat": "mine-2026-x"}, {}):
        answer = browser.post(address, data=body, csrf=False)
        assert answer.status_code == 400
        assert "页面已过期，请返回上一页刷新后重新提交。" in answer.text
    assert (browser.get("/password").status_code == 200) is (who is not None)
    assert client_as(None).post("/login", data=data).status_code == 303


def test_other_methods_are_refused(client_as: ClientAs) -> None:
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = client_as("publisher").open("/password", method=method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.slow
def test_a_script_gets_redirects_and_new_tokens_as_json(client_as: ClientAs, make_application: MakeApplication) -> None:
    """保存 answers with an address; an ended session, or an old token, with a token."""
    key = make_application()
    browser = client_as("publisher")
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    saved = browser.post(f"/applications/edit/?id={key}", data=form, headers=XHR)
    assert (saved.status_code, saved.json) == (200, {"location": f"/applications/edit/?id={key}"})
    for answer, status in (
        (client_as(None).post(f"/applications/edit/?id={key}", data=form, headers=XHR), 401),
        (browser.post(f"/applications/edit/?id={key}", data=form, headers=XHR, csrf=False), 400),
    ):
        assert answer.status_code == status
        assert answer.json["csrf_token"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:81", "http://[", "https://evil/"])
@pytest.mark.parametrize("base", ["http://localhost", "https://localhost"])
def test_a_cross_site_post_with_a_valid_token_is_refused(client_as: ClientAs, origin: str, base: str) -> None:
    browser = client_as("publisher")
    headers = {"Origin": origin, "Referer": "https://localhost/"}
    answer = browser.post("/logout", headers=headers, base_url=base)
    assert answer.status_code == 403
    assert "这次提交来自其他网站的页面" in answer.text
    assert browser.get("/password").status_code == 200
    assert browser.post("/logout", headers=headers | {"Origin": base}, base_url=base).status_code == 303


def test_an_untrusted_host_name_gets_an_empty_error(app: Flask, client_as: ClientAs) -> None:
    app.config["HOST_NAMES"] = ["filing.example"]
    assert client_as(None).get("/login", headers={"Host": "evil.example"}).status_code == 400
    assert client_as(None).get("/login", headers={"Host": "filing.example"}).status_code == 200


def test_healthz_answers_only_ok(client_as: ClientAs) -> None:
    answer = client_as(None).get("/healthz")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


@pytest.mark.slow
def test_the_health_check_is_rate_limited(client_as: ClientAs) -> None:
    """Each answer asks the database; a monitor asks a few times a minute."""
    browser = client_as(None)
    answers = [browser.get("/healthz").status_code for _asked in range(301)]
    assert answers == [200] * 300 + [429]


def test_healthz_details_have_the_version_of_the_database(app: Flask, client_as: ClientAs) -> None:
    """For SQLite that of the library in use, not of the system's."""
    lines = client_as(None).get("/healthz?details").text.splitlines()
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            assert lines[:2] == ["ok", f"SQLite {sqlite.library.sqlite_version}"]
        else:
            server = db.session.connection().exec_driver_sql("SHOW server_version").scalar_one()
            assert lines[0] == "ok"
            assert re.fullmatch(r"PostgreSQL [\d.]+", lines[1])
            assert server.startswith(lines[1].split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("address", ["sqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://x@127.0.0.1:1/x"])
def test_the_application_responds_without_its_database(address: str, tmp_path: Path) -> None:
    app = create_app({"SQLALCHEMY_DATABASE_URI": address, "STORE": str(tmp_path), "SECRET_KEY": "s"})
    browser = app.test_client()
    health = browser.get("/healthz")
    assert (health.status_code, health.text) == (503, "database\n")
    with browser.session_transaction() as session:
        session["_user_id"] = "a visit"
    page = browser.get("/password")
    assert page.status_code == 503
    assert "事件编号" in page.text
    assert "nowhere" not in page.text


@pytest.mark.parametrize(
    ("username", "address", "setting", "shown"),
    [
        (None, "127.0.0.1", None, True),
        (None, "::ffff:127.0.0.1", None, True),
        (None, "198.51.100.7", None, False),
        ("publisher", "198.51.100.7", None, False),
        ("reviewer", "198.51.100.7", None, False),
        ("operator", "198.51.100.7", None, True),
        (None, "198.51.100.7", "198.51.100.0/24", True),
        (None, "127.0.0.1", "198.51.100.0/24", False),
    ],
)
def test_health_details_are_shown_only_to_the_machine_monitors_and_operators(
    app: Flask, client_as: ClientAs, username: str | None, address: str, setting: str | None, shown: bool
) -> None:
    """The version would help an attacker; the state of health is public."""
    if setting:
        app.config["HEALTH_ADDRESSES"] = networks_of("HEALTH_ADDRESSES", setting)
    answer = client_as(username).get("/healthz?details", environ_base={"REMOTE_ADDR": address})
    assert answer.text.splitlines()[0] == "ok"
    assert (len(answer.text.splitlines()) > 1) is shown
