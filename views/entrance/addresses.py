"""Client address behind trusted proxies, and trusted host names."""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, current_app, request
from flask_babel import gettext as _
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from models.people.signin_failures import network_of, parse_network

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
LOCAL = ["127.0.0.1", "localhost", "::1"]
NAMES = "HOST_NAMES"  # key of app.config: as_compared() of each; a leading dot includes all subdomains


class TrustedProxies:
    """Middleware: X-Forwarded-For, -Proto and -Host count only in requests from one of `networks`.

    `hops`: number of proxies in a row; each appends one value to a header, and values before these may be forged.
    """

    def __init__(self, app: Wsgi, hops: int, networks: list[IPv4Network | IPv6Network]) -> None:
        self.plain, self.networks = app, networks
        self.behind_proxy: Wsgi = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        trusted = self._is_trusted(environ.get("REMOTE_ADDR", ""))
        return (self.behind_proxy if trusted else self.plain)(environ, start_response)

    def _is_trusted(self, address: str) -> bool:
        return is_among(address, self.networks)


def is_among(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    """Whether an address lies in one of the networks; "" is a Unix socket, whose file permissions decide."""
    try:
        found = ip_address(address or "::1")
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return not address or any(found in network for network in networks)


def init_app(app: Flask) -> None:
    """Apply PROXIES, PROXY_ADDRESSES, TRUSTED_HOSTS and BASE_URL; raises click.ClickException if they are invalid."""
    names = trusted_hosts(app.config["TRUSTED_HOSTS"], app.config["BASE_URL"])
    app.config[NAMES] = ["." * name.startswith(".") + as_compared(name.removeprefix(".")) for name in names]
    app.config["TRUSTED_HOSTS"] = None  # Flask compares case and a final dot, and rejects IPv6 addresses
    app.config["HEALTH_ADDRESSES"] = networks_of("HEALTH_ADDRESSES", app.config["HEALTH_ADDRESSES"])
    app.before_request_funcs.setdefault(None, []).insert(0, check_host)
    if hops := int(app.config["PROXIES"]):
        networks = networks_of("PROXY_ADDRESSES", app.config["PROXY_ADDRESSES"])
        app.wsgi_app = TrustedProxies(app.wsgi_app, hops, networks)  # type: ignore[method-assign]


def check_host() -> None:
    """Raises SecurityError (400) for a request with an untrusted host name."""
    name, trusted = as_compared(request.host), current_app.config[NAMES]
    if not any(name == each or (each[:1] == "." and f".{name}".endswith(each)) for each in trusted):
        raise SecurityError("the host name is not trusted")


def as_compared(host: str) -> str:
    """Normalize a host name or address, with or without a port, for comparison; "" for an invalid one.

    Lower case, without the dot that may end a full name (RFC 3986, 3.2.2), IDNA.
    """
    try:
        if host.count(":") > 1 and not host.startswith("["):  # an IPv6 address without brackets, as in a setting
            return str(ip_address(host))
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
        return str(ip_address(name)) if ":" in name else name.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError too
        return ""


def client_network() -> str:
    """Key of the rate limits: the client's IPv4 address, or its IPv6 /64, which one subscriber controls as a whole."""
    return network_of(request.remote_addr or "")


def split_setting(value: Any) -> list[str]:
    """The items of a setting: a list, or text separated by commas or blanks."""
    parts = re.split(r"[\s,]+", value) if isinstance(value, str) else value or ()
    return [str(part) for part in parts if part]


def networks_of(setting: str, value: Any) -> list[IPv4Network | IPv6Network]:
    """The addresses and networks of a setting; raises click.ClickException for an invalid one."""
    try:
        return [parse_network(word) for word in split_setting(value)]
    except ValueError as wrong:
        raise click.ClickException(
            _("FILING_%(name)s 须为 IP 地址或网段（%(why)s），请改正后再启动。", name=setting, why=wrong)
        ) from None


def trusted_hosts(value: Any, base_url: str) -> list[str]:
    """The accepted host names: the setting, or LOCAL if it is empty and BASE_URL is an address of this machine.

    Raises click.ClickException if it is empty and BASE_URL is any other address.
    """
    names, host = split_setting(value), urlsplit(base_url).hostname or ""
    if not names and not is_local(host):
        sentence = _(
            "请设置 FILING_TRUSTED_HOSTS（本系统的主机名，多个用逗号分隔），例如 FILING_TRUSTED_HOSTS=%(host)s。",
            host=host,
        )
        raise click.ClickException(sentence)
    return names or LOCAL


def is_local(host: str) -> bool:
    """Whether a host name is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
