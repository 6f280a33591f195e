"""One HTTP request to the portal, limited in time, length and number; redirects are not followed."""

from collections.abc import Mapping
from http.client import HTTPException
from ipaddress import ip_address
from threading import BoundedSemaphore
from urllib.parse import urlsplit

from flask_babel import gettext as _

from models.exchange.transports import timed_connection
from models.exchange.transports.timed_connection import Limits
from models.sign_on import Portal, PortalAway, context_of

WITHIN = 5.0  # seconds for one request and its whole answer
MOST = 256 << 10  # bytes of an answer
AT_ONCE = BoundedSemaphore(4)  # requests of this process: a portal that hangs must not block every thread


def away() -> PortalAway:
    return PortalAway(_("单一窗口暂时没有应答，请稍后再试，或用其他方式登录；持续不能使用的，请告知系统管理员。"))


def is_local(address: str) -> bool:
    """Whether an address names this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(address: object, issuer: str) -> bool:
    """Whether we may send a request to this address: https, and not this machine unless the portal runs here.

    The addresses come from the portal's metadata; without this check it could make us call internal servers (SSRF).
    """
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
        if parts is None or not parts.hostname or parts.username or parts.port == 0:
            return False
    except ValueError:
        return False
    if is_local(issuer):
        return parts.scheme == "https" or (parts.scheme == "http" and is_local(str(address)))
    return parts.scheme == "https" and not is_local(str(address))


def ask(portal: Portal, address: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Send a request (POST if there is a `body`); the body of a 200 or 400. Raises PortalAway for anything else."""
    if not is_allowed(address, portal.issuer) or not AT_ONCE.acquire(blocking=False):
        raise away()
    try:
        return _ask(portal, address, body, headers or {})
    except (OSError, HTTPException, ValueError) as failed:
        raise away() from failed
    finally:
        AT_ONCE.release()


def _ask(portal: Portal, address: str, body: str | None, headers: Mapping[str, str]) -> bytes:
    limits = Limits(WITHIN, MOST, context_of(portal.ca) if urlsplit(address).scheme == "https" else None)
    content = body.encode() if body is not None else None
    accepted = {"Accept": "application/json", **headers}
    status, answer = timed_connection.ask("GET" if body is None else "POST", address, content, limits, accepted)
    if status not in (200, 400):
        raise HTTPException(f"status {status}")
    return answer
