"""The nginx configuration of the README, word for word but for addresses and names, in front of the real gunicorn."""

import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from models import clock
from models.database import db
from models.people.signin_failures import SigninFailure, hashed
from tests.cast import draft, small_pdf
from tests.conftest import settled
from tests.serving import PATIENCE, Client, Server, serving

ROOT = Path(__file__).parents[2]
NAME = "filing.example.cn"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off; user root; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site;
}}
"""


@dataclass
class Front:
    """nginx with our application behind it; `plain` and `secure` are its ports."""

    server: Server
    folder: Path
    plain: int
    secure: int
    context: ssl.SSLContext

    def client(self, username: str = "") -> "TlsClient":
        client = TlsClient(self)
        if username:
            client.sign_in(username)
        return client

    def connect(self, source: str = "127.0.0.1", buffer: int = 0) -> ssl.SSLSocket:
        """A connection with TLS, and nothing sent yet. `buffer`: bytes that arrive without being read; 0: as usual."""
        plain = socket.socket()
        plain.settimeout(PATIENCE)
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.bind((source, 0))
        plain.connect(("127.0.0.1", self.secure))
        return self.context.wrap_socket(plain, server_hostname=NAME)


class TlsClient(Client):
    """Speaks HTTPS to nginx, under the name of the certificate."""

    def __init__(self, front: Front) -> None:
        super().__init__(front.server)
        self.front, self.host = front, f"{NAME}:{front.secure}"
        self.server = Server(front.server.app, f"https://{self.host}", front.server.log, front.server.process)

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(NAME, self.front.secure, timeout=PATIENCE)
        connection.sock = self.front.connect(self.source)
        return connection


def configured(folder: Path, backend: str, plain: int, secure: int, cards: dict[str, str]) -> str:
    """The configuration of the README; every word that is replaced stands in it. `cards`: of its second part, too."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```nginx\n(.*?)```", readme, re.S)
    found = first + second if cards else first
    words = {
        "http://127.0.0.1:8000": backend,
        "listen 80": f"listen 127.0.0.1:{plain}",
        "listen 443": f"listen 127.0.0.1:{secure}",
        "listen [::]:80": f"listen 127.0.0.2:{plain}",
        "listen [::]:443": f"listen 127.0.0.2:{secure}",
        "/etc/ssl/certs/filing.pem": f"{folder}/certificate.pem",
        "/etc/ssl/private/filing.key": f"{folder}/key.pem",
        "/var/log/nginx/access.log": f"{folder}/access.log",
    }
    for word, ours in (words | cards).items():
        assert word in found, word
        found = found.replace(word, ours)
    return found


def certify(folder: Path) -> None:
    """A self-signed certificate for NAME."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(clock.now() - timedelta(days=1)).not_valid_after(clock.now() + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    (folder / "certificate.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def fronting(folder: Path, cards: dict[str, str] | None = None, **more: str) -> Iterator[Front]:
    """gunicorn with the settings that the README asks for, and nginx before it; `cards`: as configured() takes it."""
    settings = {"PROXIES": 1, "TRUSTED_HOSTS": NAME, "SESSION_COOKIE_SECURE": True} | more
    app = settled(f"sqlite:///{folder}/filing.sqlite", folder)
    with serving(app, folder, **settings) as server:
        plain, secure = free_port(), free_port()
        certify(folder)
        (folder / "site").write_text(configured(folder, server.address, plain, secure, cards or {}), encoding="utf-8")
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder), encoding="utf-8")
        command = ["setpriv", "--pdeathsig", "TERM", str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen([*command, "-e", str(folder / "error.log")], start_new_session=True)
        context = ssl.create_default_context(cafile=folder / "certificate.pem")
        try:
            front = Front(server, folder, plain, secure, context)
            until(lambda: answers(front), process)
            yield front
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(front: Front) -> bool:
    try:
        return front.client().get("/healthz").status == 200
    except OSError:
        return False


def until(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    ended = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < ended
        time.sleep(0.1)


@pytest.fixture(scope="module")
def needs_nginx() -> None:
    if NGINX is None:
        assert not os.environ.get("CI"), "nginx is not installed"
        pytest.skip("nginx is not installed (make test does it): the configuration of the README is not tried")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, needs_nginx: None) -> Iterator[Front]:
    with fronting(tmp_path_factory.mktemp("nginx")) as behind:
        yield behind


BEGINNINGS = {
    "silence": "",
    "half a header": "GET /login HTTP/1.1\r\nHost: {host}\r\nX-",
    "half a form": "POST /verify/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\ncsrf",
    "half a file": "POST /applications/upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 20000000\r\n\r\n--",
}


@pytest.mark.parametrize("count", [40, 200])
def test_half_sent_requests_and_dribbled_bodies_stop_nobody(front: Front, count: int) -> None:
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
    """Whether neither an answer nor an end has come."""
    connection.settimeout(0)
    try:
        connection.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    return False


def test_the_address_that_is_counted_is_the_clients_and_cannot_be_forged(front: Front) -> None:
    """Wrong passwords are counted by it, whatever the client writes into its headers."""
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


def test_a_forged_host_name_or_scheme_is_not_believed(front: Front) -> None:
    answer = front.client().get("/applications/", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http")
    assert (answer.status, "evil" in str(answer.headers)) == (302, False)
    assert answer.headers["Strict-Transport-Security"]
    plain = socket.create_connection(("127.0.0.1", front.secure), PATIENCE)
    with pytest.raises(ssl.SSLError):
        front.context.wrap_socket(plain, server_hostname="evil.example")
    with front.connect() as connection:  # the right name within TLS, another one in the request
        connection.sendall(b"GET /login HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(1000) == b""


def test_answers_keep_their_security_headers_and_say_them_once(front: Front) -> None:
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
    for path in ("/feed/a-secret-token.ics", "/login?told=1"):
        client.get(path)
    deadline = time.monotonic() + PATIENCE
    log = front.folder / "access.log"
    while "/login?told=1" not in log.read_text(encoding="utf-8") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "/login?told=1" in log.read_text(encoding="utf-8")
    assert "a-secret-token" not in log.read_text(encoding="utf-8")


def test_plain_http_leads_to_https(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.plain, timeout=PATIENCE)
    connection.request("GET", "/verify/?number=Z")
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/verify/?number=Z")


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


def test_a_file_of_twenty_megabytes_goes_up_and_comes_back(front: Front) -> None:
    client, content = front.client("publisher"), large_pdf((20 << 20) - 10_000)
    status, address = sent(front, client, content)
    assert status == 200
    assert client.get(address).body == content


def test_downloads_that_are_not_read_keep_no_thread_of_the_server(front: Front) -> None:
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


def test_what_is_too_large_is_a_sentence_of_ours_or_of_nginx(front: Front) -> None:
    client = front.client("publisher")
    for size, words in ((22 << 20, "20 MB"), (40 << 20, "上传内容过大，没有保存")):
        answer = client.post("/verify/", {"file": (bytes(size), "a.pdf")})
        assert (answer.status, words in answer.text) == (413, True)


def test_while_the_application_is_away_a_page_says_so(tmp_path: Path, needs_nginx: None) -> None:
    with fronting(tmp_path) as lonely:
        pid = lonely.server.process.pid
        os.killpg(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and left for `serving` to take away
        answer = lonely.client().get("/login")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert "系统正在启动或维护，请稍后再试。" in answer.text
