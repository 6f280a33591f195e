"""The nginx configuration of the README, word for word but for addresses and names, in front of the real gunicorn."""

import http.client
import socket
import ssl
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from models.database import db
from models.people.signin_failures import SigninFailure, hashed
from tests.served.nginx_front import (
    NAME,
    Front,
)
from tests.serving import PATIENCE

BEGINNINGS = {
    "silence": "",
    "half a header": "GET /login HTTP/1.1\r\nHost: {host}\r\nX-",
    "half a form": "POST /verify/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\ncsrf",
    "half a file": "POST /applications/upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 20000000\r\n\r\n--",
}


@pytest.mark.parametrize("count", [40, 200])
def test_half_sent_requests_and_slow_bodies_block_no_other_client(front: Front, count: int) -> None:
    """24: forty half-sent headers stopped the server. While they are open, health and a page of the panel answer."""
    client = front.client("publisher")
    with ExitStack() as open_now:
        slow = []
        for number in range(count):
            slow.append(open_now.enter_context(front.connect(f"127.0.2.{number % 10 + 1}")))
            begin = list(BEGINNINGS.values())[number % len(BEGINNINGS)]
            slow[-1].sendall(begin.format(host=client.host).encode())
        for round_ in range(4):
            for connection in slow[2 + round_ :: 8]:
                connection.sendall(b"x")  # a body that dribbles
            assert client.get("/healthz").status == 200
            assert client.get("/applications/").status == 200
        assert sum(map(is_open, slow)) > count // 2


def is_open(connection: ssl.SSLSocket) -> bool:
    """Whether the connection is open and has no answer yet."""
    connection.settimeout(0)
    try:
        connection.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    return False


def test_the_rate_limit_counts_the_real_client_address(front: Front) -> None:
    """Wrong passwords are counted by the real address; client headers are ignored."""
    client = front.client()
    for number in range(3):
        client.get("/login")
        client.get("/captcha.png")
        code = client.server.code(client.cookies["filing"])
        client.find_token()
        form = {"username": "nobody-at-all", "password": "wrong", "code": code}
        forged = f"198.51.100.{number}"
        answer = client.post("/login", form, X_Forwarded_For=forged, Forwarded=f"for={forged}", X_Real_IP=forged)
        assert (answer.status, "用户名或密码不正确" in answer.text) == (401, True)
    with front.server.app.app_context():
        rows = select(SigninFailure.address).where(SigninFailure.name_hash == hashed("nobody-at-all"))
        assert db.session.scalars(rows).all() == [client.source] * 3


def test_a_forged_host_name_or_scheme_is_ignored(front: Front) -> None:
    answer = front.client().get("/applications/", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http")
    assert (answer.status, "evil" in str(answer.headers)) == (302, False)
    assert answer.headers["Strict-Transport-Security"]
    plain = socket.create_connection(("127.0.0.1", front.secure), PATIENCE)
    with pytest.raises(ssl.SSLError):
        front.context.wrap_socket(plain, server_hostname="evil.example")
    with front.connect() as connection:  # the right name within TLS, another one in the request
        connection.sendall(b"GET /login HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(1000) == b""


def test_responses_have_each_security_header_once(front: Front) -> None:
    client = front.client("publisher")
    for path in ("/login", "/applications/", "/assets/panel.css", "/nowhere"):
        headers = client.get(path).headers
        for name in (
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "X-Frame-Options",
            "Strict-Transport-Security",
        ):
            assert len(headers.get_all(name) or ()) == 1, (path, name)
        assert headers["Server"] == "nginx"
        assert "Content-Encoding" not in headers
    cookies = front.client().get("/login").headers.get_all("Set-Cookie") or []
    assert cookies and all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)


def test_the_secret_address_of_a_calendar_is_in_no_log(front: Front) -> None:
    client = front.client()
    for path in ("/feed/a-secret-token.ics", "/login?logged=1"):
        client.get(path)
    deadline = time.monotonic() + PATIENCE
    log = front.folder / "access.log"
    while "/login?logged=1" not in log.read_text(encoding="utf-8") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "/login?logged=1" in log.read_text(encoding="utf-8")
    assert "a-secret-token" not in log.read_text(encoding="utf-8")


def test_plain_http_redirects_to_https(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.plain, timeout=PATIENCE)
    connection.request("GET", "/verify/?number=Z")
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/verify/?number=Z")
