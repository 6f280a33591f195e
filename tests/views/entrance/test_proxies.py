"""Whose address a request comes from, and by which names we are asked."""

from typing import Any

import click
import pytest
from flask import Flask, request

from app import create_app
from tests.conftest import Browser
from views.entrance.addresses import is_local, trusted_hosts

BASE = {"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"}


def seen(remote: str, forwarded: str, **settings: Any) -> str:
    """The address of the client, as the rate limits see it."""
    app = create_app(BASE | settings)
    app.view_functions["static"] = lambda filename: request.remote_addr or ""
    browser = app.test_client()
    return browser.get("/assets/who", headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": remote}).text


@pytest.mark.parametrize(
    ("remote", "forwarded", "settings", "client"),
    [
        ("127.0.0.1", "198.51.100.1", {}, "127.0.0.1"),  # no proxy: nobody is believed
        ("127.0.0.1", "198.51.100.1", {"PROXIES": 1}, "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", {"PROXIES": 1}, "198.51.100.1"),  # the client had begun the list itself
        ("::1", "2001:db8::1", {"PROXIES": 1}, "2001:db8::1"),
        ("", "198.51.100.1", {"PROXIES": 1}, "198.51.100.1"),  # a socket of this machine
        ("203.0.113.9", "198.51.100.1", {"PROXIES": 1}, "203.0.113.9"),  # not the proxy
        ("10.1.2.3", "198.51.100.1", {"PROXIES": 1, "PROXY_ADDRESSES": "10.0.0.0/8, ::1"}, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1", {"PROXIES": 1, "PROXY_ADDRESSES": ["10.0.0.0/8"]}, "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, 198.51.100.1, 10.0.0.1", {"PROXIES": 2}, "198.51.100.1"),
    ],
)
def test_only_a_proxy_of_ours_says_who_the_client_is(
    remote: str, forwarded: str, settings: dict[str, Any], client: str
) -> None:
    assert seen(remote, forwarded, **settings) == client


def test_what_is_no_address_of_a_proxy_stops_the_start_with_a_sentence() -> None:
    with pytest.raises(click.ClickException, match="FILING_PROXY_ADDRESSES 须为反向代理的 IP 地址或网段"):
        create_app(BASE | {"PROXIES": 1, "PROXY_ADDRESSES": "nginx"})


@pytest.mark.parametrize("base_url", ["https://filing.example.cn", "http://10.1.2.3:8000", "https://[2001:db8::1]/"])
def test_outside_the_demo_our_names_have_to_be_said(base_url: str) -> None:
    """26: else a forged Host header decides what our pages call themselves."""
    with pytest.raises(click.ClickException, match="请设置 FILING_TRUSTED_HOSTS"):
        create_app(BASE | {"BASE_URL": base_url})
    app = create_app(BASE | {"BASE_URL": base_url, "TRUSTED_HOSTS": "filing.example.cn, www.example.cn"})
    assert app.config["TRUSTED_HOSTS"] == ["filing.example.cn", "www.example.cn"]


def test_the_start_is_refused_in_the_terminal_with_that_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is set in practice: text in the environment, not a list of Python."""
    monkeypatch.setenv("FILING_BASE_URL", "https://filing.example.cn")
    with pytest.raises(click.ClickException, match=r"例如 FILING_TRUSTED_HOSTS=filing\.example\.cn。"):
        create_app(BASE)
    monkeypatch.setenv("FILING_TRUSTED_HOSTS", "filing.example.cn")
    browser = create_app(BASE).test_client()
    assert browser.get("/login", headers={"Host": "filing.example.cn"}).status_code == 200
    for other in ("localhost", "f", "evil.example", "filing.example.cn.evil.example"):
        assert browser.get("/login", headers={"Host": other}).status_code == 400


def test_the_demo_answers_to_the_names_of_this_machine_alone(app: Flask) -> None:
    """A page elsewhere whose name is made to lead here (DNS rebinding) gets nothing."""
    browser = Browser(app)
    for name, status in {"127.0.0.1:8000": 200, "localhost": 200, "evil.example": 400}.items():
        assert browser.get("/login", headers={"Host": name}).status_code == status, name


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("a.cn", False),
    ],
)
def test_a_name_of_this_machine_is_known(host: str, local: bool) -> None:
    assert is_local(host) is local
    assert bool(trusted_hosts("a.cn", f"http://[{host}]" if ":" in host else f"http://{host}"))
