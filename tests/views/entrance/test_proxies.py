"""Client addresses behind proxies, and trusted host names."""

from typing import Any

import click
import pytest
from flask import Flask, request

from app import create_app
from tests.browsing import Browser
from views.entrance.addresses import client_network, is_local, trusted_hosts

BASE = {"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"}


def seen(remote: str, forwarded: str, **settings: Any) -> str:
    """The address of the client, as the rate limits see it."""
    app = create_app(BASE | settings)
    app.view_functions["static"] = lambda filename: request.remote_addr or ""
    browser = app.test_client()
    return browser.get("/assets/who", headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": remote}).text


@pytest.mark.slow
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
        ("10.1.2.3", "198.51.100.1", {"PROXIES": 1, "PROXY_ADDRESSES": "::ffff:10.0.0.0/104"}, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1", {"PROXIES": 1, "PROXY_ADDRESSES": ["10.0.0.0/8"]}, "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9, 198.51.100.1, 10.0.0.1", {"PROXIES": 2}, "198.51.100.1"),
    ],
)
def test_only_a_trusted_proxy_names_the_client(
    remote: str, forwarded: str, settings: dict[str, Any], client: str
) -> None:
    assert seen(remote, forwarded, **settings) == client


def test_an_invalid_proxy_address_stops_the_start_with_a_sentence() -> None:
    with pytest.raises(click.ClickException, match="FILING_PROXY_ADDRESSES 须为 IP 地址或网段"):
        create_app(BASE | {"PROXIES": 1, "PROXY_ADDRESSES": "nginx"})


@pytest.mark.slow
@pytest.mark.parametrize("base_url", ["https://filing.example.cn", "http://10.1.2.3:8000", "https://[2001:db8::1]/"])
def test_host_names_are_required_outside_the_demo(base_url: str) -> None:
    """Issue 9, 26: otherwise a forged Host header would determine the URLs in our pages."""
    settings = BASE | {"BASE_URL": base_url, "KEYS_REQUIRED": False}
    with pytest.raises(click.ClickException, match="请设置 FILING_TRUSTED_HOSTS"):
        create_app(settings)
    app = create_app(settings | {"TRUSTED_HOSTS": "filing.example.cn, www.example.cn"})
    assert app.config["HOST_NAMES"] == ["filing.example.cn", "www.example.cn"]


def test_the_command_line_shows_the_message_about_missing_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting as text in the environment."""
    monkeypatch.setenv("FILING_BASE_URL", "https://filing.example.cn")
    with pytest.raises(click.ClickException, match=r"例如 FILING_TRUSTED_HOSTS=filing\.example\.cn。"):
        create_app(BASE)
    monkeypatch.setenv("FILING_TRUSTED_HOSTS", "filing.example.cn")
    browser = create_app(BASE).test_client()
    assert browser.get("/login", headers={"Host": "filing.example.cn"}).status_code == 200
    for other in ("localhost", "f", "evil.example", "filing.example.cn.evil.example"):
        assert browser.get("/login", headers={"Host": other}).status_code == 400


def test_the_demo_accepts_only_the_names_of_this_machine(app: Flask) -> None:
    """Against DNS rebinding."""
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
def test_local_host_names_are_recognised(host: str, local: bool) -> None:
    assert is_local(host) is local
    assert bool(trusted_hosts("a.cn", f"http://[{host}]" if ":" in host else f"http://{host}"))


SPELLINGS = {
    "localhost": [
        "LOCALHOST",
        "LocalHost:8000",
        "localhost.",
        "LOCALHOST.:8000",
        "127.0.0.1:1",
        "[::1]",
        "[0:0::1]:80",
    ],
    "filing.example.cn": ["Filing.Example.CN", "FILING.example.cn.:443", "filing.example.cn"],
    "备案.example": ["xn--srsw86a.example", "XN--SRSW86A.example."],
    ".example.org": ["example.org", "A.EXAMPLE.ORG."],
    "[2001:db8::1]": ["[2001:DB8::1]:443", "[2001:db8:0::0:1]"],
}
OTHERS = ["evil.example", "localhost.evil.example", "[::2]", "example.org.evil", "notexample.org", "127.0.0.2", ""]


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_host_name_is_accepted_in_any_spelling(name: str) -> None:
    """Without case, with a dot at its end, with any port (RFC 3986, 3.2.2; RFC 9110, 4.2.3)."""
    settings = {} if name == "localhost" else {"TRUSTED_HOSTS": name, "KEYS_REQUIRED": False}
    browser = create_app(BASE | settings).test_client()
    for host in SPELLINGS[name]:
        assert browser.get("/healthz", headers={"Host": host}).status_code != 400, host
    for host in OTHERS:
        assert browser.get("/healthz", headers={"Host": host}).status_code == 400, host


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1", "198.51.100.1"),
    ],
)
def test_requests_are_counted_by_the_network_of_a_subscriber(address: str, network: str) -> None:
    """Of IPv6 everybody has 2**64 addresses."""
    app = create_app(BASE)
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": address}):
        assert client_network() == network
