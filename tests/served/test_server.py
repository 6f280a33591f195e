"""The server itself: files in parts, clients that stop half-way, bodies that are too large."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import pytest

from tests.apps import prepare_app
from tests.served.answers import ILL
from tests.served.rows import shared_rows
from tests.serving import PATIENCE, Client, Server, serving

FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n"


@pytest.fixture(scope="module")
def short_timeout_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for two seconds."""
    folder = tmp_path_factory.mktemp("short_timeout")
    with serving(prepare_app(f"sqlite:///{folder}/filing.sqlite", folder), folder, REQUEST_SECONDS=2) as server:
        yield server


@contextmanager
def half_sent(server: Server, count: int, begin: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have sent this much and no more."""
    host, _colon, port = server.address.removeprefix("http://").partition(":")
    with ExitStack() as open_now:
        found = []
        for _number in range(count):
            found.append(open_now.enter_context(socket.create_connection((host, int(port)), PATIENCE)))
            found[-1].sendall(begin)
        yield found


def unanswered(connections: list[socket.socket]) -> int:
    """How many of them are open and have no answer yet."""
    for connection in connections:
        connection.setblocking(False)
    count = 0
    for connection in connections:
        try:
            connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            count += 1
        finally:
            connection.settimeout(PATIENCE)
    return count


def whole(connection: socket.socket) -> bytes:
    """Everything that the server sends until it closes."""
    received = b""
    while piece := connection.recv(1 << 16):
        received += piece
    return received


def begun(client: Client, path: str, length: int = 1000) -> bytes:
    """The header of a form that is sent to `path`, with so many bytes to come."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    sent = f"Cookie: {cookies}\r\n" if cookies else ""
    return f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\n{sent}".encode() + FORM % length + b"\r\n"


def beginnings(client: Client) -> dict[str, bytes]:
    """Beginnings of requests whose client stops: nothing, half a header, half a body, at various addresses."""
    stranger = Client(client.server)
    return {
        "silence": b"",
        "half a header": b"GET /login HTTP/1.1\r\nHost: x\r\nX-",
        "half a body that is refused": begun(stranger, "/applications/new/") + b"title=",
        "half a public body": begun(stranger, "/verify/") + b"csrf_token=",
        "half a body": begun(client, "/applications/new/") + b"title=",
    }


KINDS = ["silence", "half a header", "half a body that is refused", "half a public body", "half a body"]


@pytest.mark.parametrize("kind", KINDS)
def test_half_sent_requests_do_not_block_other_clients(served_on_sqlite: Server, kind: str) -> None:
    """More of them than there are threads, and some are still being waited for when everybody else has been served."""
    client = served_on_sqlite.client("publisher")
    with half_sent(served_on_sqlite, 40, beginnings(client)[kind]) as connections:
        for _time in range(4):
            health = Client(served_on_sqlite).get("/healthz").text
            assert set(health.split()) <= ILL
        assert client.get("/applications/").status == 200
        assert unanswered(connections) or kind in ("silence", "half a body that is refused")  # closed, answered at once


@pytest.mark.parametrize("kind", ["half a public body", "half a body"])
def test_a_missing_body_gets_408_and_closes_the_connection(short_timeout_server: Server, kind: str) -> None:
    """408, a sentence that says what to do, and the end of the connection (RFC 9110, 15.5.9)."""
    with half_sent(short_timeout_server, 1, beginnings(short_timeout_server.client("publisher"))[kind]) as (
        connection,
    ):
        head, _blank, page = whole(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close" in head
    assert "提交的内容没有在限定时间内传完，没有保存，请检查网络后重新提交。" in page.decode()
    assert short_timeout_server.complaints() == ""


def test_a_slow_but_steady_body_is_accepted(short_timeout_server: Server) -> None:
    """What comes steadily is waited for, well beyond the two seconds in which a request has to come at all."""
    client = short_timeout_server.client("publisher")
    form = urlencode({"csrf_token": client.token or client.find_token(), "title": "茉莉花" * 40_000}).encode()
    with half_sent(short_timeout_server, 1, begun(client, "/applications/new/", len(form))) as (connection,):
        for place in range(0, len(form), len(form) // 10):
            connection.sendall(form[place : place + len(form) // 10])
            time.sleep(0.4)
        connection.shutdown(socket.SHUT_WR)
        assert whole(connection).startswith(b"HTTP/1.1 422 ")  # read to its end, and longer than what is kept


@pytest.mark.parametrize("username", ["publisher", None])
def test_a_client_that_sends_a_too_large_body_gets_the_answer(served: Server, username: str | None) -> None:
    """30 MB, none of it read: the client gets the message, and not a reset connection."""
    answer = served.client(username).post("/verify/", {"file": (b"%PDF-1.4" + bytes(30 << 20), "a.pdf")})
    assert (answer.status, "文件超过 20 MB" in answer.text) == (413, True)


RANGES = {  # Range: header → which bytes of the file, None: 416 (RFC 9110, 14.1.2, 14.2)
    "bytes=0-99": slice(0, 100),
    "bytes=100-": slice(100, None),
    "bytes=-100": slice(-100, None),
    "bytes=0-0": slice(0, 1),
    "bytes=0-99999999": slice(None),
    "bytes=-99999999": slice(None),
    "bytes=0-99,200-299": slice(None),
    "bytes=-1,0-9": slice(None),
    "bits=0-99": slice(None),
    "bytes": slice(None),
    "bytes=a-b": slice(None),
    "bytes=9-5": slice(None),
    "bytes=-0": slice(None),
    "": slice(None),
    "bytes=99999999-": None,
}

SOME = ("bytes=0-99", "bytes=0-99,200-299", "bits=0-99")


def test_a_request_for_other_than_one_range_gets_the_whole_file(served: Server) -> None:
    """Attachment, certificate, static file and our own scripts: one range is served, all others are the whole."""
    rows, client = shared_rows(served), served.client("publisher")
    file, key = rows.files[0], rows.applications["filed"]
    whole_of = [f"/applications/attachment/?id={file}", f"/applications/certificate/?id={key}", "/assets/panel.css"]
    for place, path in enumerate(whole_of):
        asks_of(client, path, SOME if place else tuple(RANGES))


def asks_of(client: Client, path: str, asked: tuple[str, ...]) -> None:
    """Ask for each of these ranges of a file, and compare with the file."""
    content = client.get(path).body
    for ranges in asked:
        answer, part = client.get(path, Range=ranges), RANGES[ranges]
        if part is None:
            assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(content)}"), path
            continue
        assert answer.body == content[part], (path, ranges)
        assert answer.status == (200 if part == slice(None) and ranges != "bytes=0-99999999" else 206), (path, ranges)


def test_a_forwarded_scheme_from_an_untrusted_process_is_ignored(served: Server) -> None:
    """PROXIES is 0: no proxy is in front, so no header says that this is https."""
    for name in ("X_Forwarded_Proto", "X_Forwarded_Protocol", "X_Forwarded_Ssl"):
        answer = served.client().get("/login", **{name: "on" if name.endswith("Ssl") else "https"})
        assert answer.status == 200
        assert "Strict-Transport-Security" not in answer.headers


def test_no_request_is_lost_after_a_refused_unread_body(served: Server) -> None:
    """The answer closes the connection; a client that believed it open lost every fourth next request."""
    body = b"x=" + b"y" * 70_000
    for _time in range(10):
        connection = served.client().connection()
        connection.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        connection.close()
