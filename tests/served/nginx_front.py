"""nginx as the README configures it, in front of the real gunicorn."""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from models import clock
from tests import free_port
from tests.apps import prepare_app
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
        """A TLS connection on which nothing is sent yet. `buffer`: size of the receive buffer; 0: the default."""
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
    """The configuration of the README with addresses of the test. `cards`: replacements in its second part."""
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
    for word, value in (words | cards).items():
        assert word in found, word
        found = found.replace(word, value)
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


@contextmanager
def fronting(folder: Path, cards: dict[str, str] | None = None, **more: str) -> Iterator[Front]:
    """gunicorn with the settings of the README behind nginx; `cards`: as in configured().

    With cards nginx reaches gunicorn through a Unix socket, so that nobody else can send its headers.
    """
    settings = {"PROXIES": 1, "TRUSTED_HOSTS": NAME, "SESSION_COOKIE_SECURE": True, "KEYS_REQUIRED": False}
    settings |= more
    app = prepare_app(f"sqlite:///{folder}/filing.sqlite", folder)
    unix = folder / "app.sock" if cards else None
    with serving(app, folder, unix, **settings) as server:
        backend = f"http://unix:{unix}" if unix else server.address
        plain, secure = free_port(), free_port()
        certify(folder)
        (folder / "site").write_text(configured(folder, backend, plain, secure, cards or {}), encoding="utf-8")
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
