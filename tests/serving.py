"""The real application behind gunicorn, as `make run` serves it, and a client that speaks HTTP to it.

How to use it: the fixture `served` (tests/conftest.py) runs a test twice, on SQLite and on PostgreSQL; the servers live
as long as the test session, so a test makes rows of its own.

    def test_something(served: Server) -> None:
        key = create_application(served.app, "publisher", "filed")  # tests.cast: from this process, the same database
        answer = served.client("publisher").get(f"/applications/details/?id={key}")

In a browser: `browse_server_as("publisher")` (tests/browser/conftest.py) is a signed-in Person. The 验证码 is on: a
test that signs in by itself computes it with `served.code(cookie)` from the cookie that /login has set, as Person does.
"""

import http.client
import io
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.http import parse_options_header
from werkzeug.test import encode_multipart
from werkzeug.urls import iri_to_uri

from tests import ROOT, free_port
from tests.cast import PASSWORD
from views.entrance import captcha

SHARED = ("SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
NUMBER = count()  # of the clients of this process
PATIENCE = 60  # seconds; the machine may be busy with other tests


@dataclass
class Answer:
    """A complete response: http.client has parsed its headers, and its body is as long as Content-Length says."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        """Path and query of the address that a redirect leads to."""
        parts = urlsplit(self.headers["Location"] or "")
        return parts._replace(scheme="", netloc="").geturl()

    @property
    def filename(self) -> str:
        """The name under which a browser saves this, from filename*=UTF-8''… (RFC 6266) or filename=."""
        return parse_options_header(self.headers["Content-Disposition"])[1]["filename"]


@dataclass(eq=False)
class Server:
    """A running gunicorn; `app` is the same application in this process, with the same settings and database."""

    app: Flask
    address: str
    log: Path
    process: "subprocess.Popen[bytes]"
    noticed: int = 0
    clients: dict[str, "Client"] = field(default_factory=dict)

    def client(self, username: str | None = None) -> "Client":
        """A client signed in by name, password and 验证码, one for each user name; None: a new one, not signed in."""
        if username is None:
            return Client(self)
        if username not in self.clients:
            client = Client(self)
            client.sign_in(username)
            self.clients[username] = client
        return self.clients[username]

    def code(self, cookie: str) -> str:
        """The 验证码 of a session cookie, computed with the secret that only the server has."""
        serializer: Any = self.app.session_interface.get_signing_serializer(self.app)
        with self.app.app_context():
            return captcha.digits_of(serializer.loads(cookie)["challenge"][0])

    def complaints(self) -> str:
        """New lines of the server's error log since the last call."""
        whole = self.log.read_text(encoding="utf-8")
        new, self.noticed = whole[self.noticed :], len(whole)
        return new


class Client:
    """Speaks HTTP/1.1 to a server with cookies, as a browser does; follows no redirect; one connection a request."""

    def __init__(self, server: Server) -> None:
        self.source = f"127.0.1.{next(NUMBER) % 250 + 1}"  # each client has its own rate limits
        self.server, self.cookies, self.token = server, dict[str, str](), ""
        self.host = server.address.removeprefix("http://")

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request; `headers` are named with underscores. An incomplete answer raises http.client.HTTPException."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = self.connection()
        try:
            connection.request(method, iri_to_uri(path), body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer

    def connection(self) -> http.client.HTTPConnection:
        """A new connection from the address of this client."""
        return http.client.HTTPConnection(self.host, timeout=PATIENCE, source_address=(self.source, 0))

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, fields: Any = (), **headers: str) -> Answer:
        """A form with the CSRF token of this session, multipart when it has a file: (bytes, name)."""
        items = [
            ("csrf_token", self.token or self.find_token()),
            *(fields.items() if isinstance(fields, dict) else fields),
        ]
        values = MultiDict([(name, _uploaded(value)) for name, value in items])
        headers = {"Referer": f"{self.server.address}/", "Origin": self.server.address} | headers
        if any(isinstance(value, FileStorage) for _name, value in values.items(multi=True)):
            boundary, body = encode_multipart(values)
            return self.send("POST", path, body, Content_Type=f"multipart/form-data; boundary={boundary}", **headers)
        body = urlencode(list(values.items(multi=True))).encode()
        return self.send("POST", path, body, Content_Type="application/x-www-form-urlencoded", **headers)

    def find_token(self) -> str:
        """The CSRF token of this session, from the page /password if it is signed in, else from /login."""
        found = TOKEN.search(self.get("/password").text) or TOKEN.search(self.get("/login").text)
        assert found, "no page of this session has a form"
        self.token = found[1]
        return self.token

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """登录 with user name, password and 验证码."""
        self.get("/login")
        self.get("/captcha.png")
        code = self.server.code(self.cookies["filing"])
        answer = self.post("/login", {"username": username, "password": password, "code": code})
        assert answer.status == 303, answer.text
        self.token = ""  # signing in begins another session


def _uploaded(value: Any) -> Any:
    """A value of a form: text, or a file given as (bytes, name)."""
    return FileStorage(io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else str(value)


@contextmanager
def serving(app: Flask, folder: Path, unix: Path | None = None, **settings: Any) -> Iterator[Server]:
    """Run gunicorn on a free port, on the database, store and keys of `app`; `settings` differ from the defaults.

    `unix`: a Unix socket on which it listens, too.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    named = {"BASE_URL": f"http://localhost:{port}"} | settings  # a name: keys answer for no address without one
    app.config.update(CAPTCHA=True, **named)
    settings_of_server = {name: app.config[name] for name in SHARED} | named
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FILING_")}
    environment = outside | {f"FILING_{name}": json.dumps(value) for name, value in settings_of_server.items()}
    program = str(Path(sys.executable).with_name("gunicorn"))
    command = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        program,
        "--config",
        "python:views.entrance.server",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    command += ["--bind", f"unix:{unix}"] if unix else []
    log = folder / f"server-{secrets.token_hex(4)}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
    server = Server(app, address, log, process)
    try:
        _wait_until_it_answers(server)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # a graceful stop takes seconds, and nothing of the server is used again
        process.wait()


def _wait_until_it_answers(server: Server) -> None:
    ended = time.monotonic() + PATIENCE
    while True:
        try:
            server.client().get("/login")
            return
        except OSError:
            if server.process.poll() is not None or time.monotonic() > ended:
                raise RuntimeError(f"gunicorn did not start: {server.log.read_text()}") from None
            time.sleep(0.1)
