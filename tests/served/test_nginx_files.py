"""Large files and an absent application, through the nginx of the README."""

import io
import json
import os
import re
import signal
from contextlib import ExitStack
from pathlib import Path

import pikepdf

from tests.cast import draft, small_pdf
from tests.served.nginx_front import Front, fronting
from tests.serving import Client


def large_pdf(size: int) -> bytes:
    """A PDF of about so many bytes, which no compression makes smaller."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Filler = pdf.make_stream(os.urandom(size))
        pdf.save(out := io.BytesIO())
    return out.getvalue()


def sent(front: Front, client: Client, content: bytes) -> tuple[int, str]:
    """Upload a file into a new draft; status, and the address of the last file on the answer."""
    key = draft(front.server.app, "publisher", 1, {}, small_pdf)
    answer = client.post("/applications/upload/", {"id": key, "kind": "other", "file": (content, "大.pdf")})
    found = re.findall(r'href="([^"]+attachment/\?id=\d+)"', json.loads(answer.body).get("html", ""))
    return answer.status, found[-1] if found else ""


def test_a_file_of_twenty_megabytes_is_uploaded_and_downloaded(front: Front) -> None:
    client, content = front.client("publisher"), large_pdf((20 << 20) - 10_000)
    status, address = sent(front, client, content)
    assert status == 200
    assert client.get(address).body == content


def test_unread_downloads_block_no_server_thread(front: Front) -> None:
    """Forty of them, more than gunicorn has threads; each more than the kernel would buffer on the way."""
    client = front.client("publisher")
    status, address = sent(front, client, large_pdf(19 << 20))
    assert status == 200
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    asked = f"GET {address} HTTP/1.1\r\nHost: {client.host}\r\nCookie: {cookies}\r\n\r\n".encode()
    with ExitStack() as open_now:
        for number in range(40):
            connection = open_now.enter_context(front.connect(f"127.0.3.{number % 4 + 1}", 8192))
            connection.sendall(asked)
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        for _time in range(4):
            assert client.get("/healthz").status == 200
            assert client.get("/applications/").status == 200


def test_a_too_large_upload_gets_a_message_from_the_application_or_nginx(front: Front) -> None:
    client = front.client("publisher")
    for size, words in ((22 << 20, "20 MB"), (40 << 20, "上传内容过大，没有保存")):
        answer = client.post("/verify/", {"file": (bytes(size), "a.pdf")})
        assert (answer.status, words in answer.text) == (413, True)


def test_nginx_shows_a_page_while_the_application_is_down(tmp_path: Path, needs_nginx: None) -> None:
    with fronting(tmp_path) as lonely:
        pid = lonely.server.process.pid
        os.killpg(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and left for `serving` to take away
        answer = lonely.client().get("/login")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert "系统正在启动或维护，请稍后再试。" in answer.text
