"""Whose address a request comes from, and by which host name it may ask: proxies and names that the settings trust."""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask
from flask_babel import gettext as _
from werkzeug.middleware.proxy_fix import ProxyFix

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
LOCAL = ["127.0.0.1", "localhost"]  # Werkzeug compares no IPv6 address; `make run` serves none


class TrustedProxies:
    """X-Forwarded-For, -Proto and -Host are read when they come from one of `networks`, and else ignored.

    `hops`: proxies in a row; each adds one value to the end of a header, and those before it may be forged.
    """

    def __init__(self, app: Wsgi, hops: int, networks: list[IPv4Network | IPv6Network]) -> None:
        self.plain, self.networks = app, networks
        self.behind_proxy: Wsgi = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        trusted = self._is_trusted(environ.get("REMOTE_ADDR", ""))
        return (self.behind_proxy if trusted else self.plain)(environ, start_response)

    def _is_trusted(self, address: str) -> bool:
        """A socket of this machine has no address: whoever reaches it was let in by its file's permissions."""
        try:
            return not address or any(ip_address(address) in network for network in self.networks)
        except ValueError:
            return False


def init_app(app: Flask) -> None:
    """Trust what the settings PROXIES, PROXY_ADDRESSES, TRUSTED_HOSTS and BASE_URL say; stop the start if they err."""
    app.config["TRUSTED_HOSTS"] = trusted_hosts(app.config["TRUSTED_HOSTS"], app.config["BASE_URL"])
    if hops := int(app.config["PROXIES"]):
        networks = proxy_networks(app.config["PROXY_ADDRESSES"])
        app.wsgi_app = TrustedProxies(app.wsgi_app, hops, networks)  # type: ignore[method-assign]


def words_of(value: Any) -> list[str]:
    """A setting that is a list, or text with commas or blanks between."""
    parts = re.split(r"[\s,]+", value) if isinstance(value, str) else value or ()
    return [str(part) for part in parts if part]


def proxy_networks(value: Any) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks of proxies; a click.ClickException names what is none."""
    try:
        return [ip_network(word) for word in words_of(value)]
    except ValueError as wrong:
        raise click.ClickException(
            _("FILING_PROXY_ADDRESSES 须为反向代理的 IP 地址或网段（%(why)s），请改正后再启动。", why=wrong)
        ) from None


def trusted_hosts(value: Any, base_url: str) -> list[str]:
    """The host names that are answered; a click.ClickException when others than this machine use us and none is named.

    Without a setting, and while BASE_URL is an address of this machine, its own names.
    """
    names, host = words_of(value), urlsplit(base_url).hostname or ""
    if not names and not is_local(host):
        sentence = _(
            "请设置 FILING_TRUSTED_HOSTS（本系统的主机名，多个用逗号分隔），例如 FILING_TRUSTED_HOSTS=%(host)s。",
            host=host,
        )
        raise click.ClickException(sentence)
    return names or LOCAL


def is_local(host: str) -> bool:
    """Whether a host name means this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
