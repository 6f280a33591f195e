"""PostgreSQL with a replica, PgBouncer, Redis, a bucket, nginx; each a process of the test (with Patroni: patroni.py).

All of it lies in one folder and listens on this machine alone. The configuration files are those of a real cluster but
for addresses, passwords and TLS.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
PATIENCE = 60  # seconds
AS_POSTGRES = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.getuid() == 0 else []
POSTGRESQL = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 60
wal_level = replica
hot_standby = on
max_standby_streaming_delay = 5s    # a page of the replica is given up rather than let it lag
cluster_name = '{name}'
"""
PGBOUNCER = """
[databases]
filing = host=127.0.0.1 port={port} dbname=filing user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
; seconds: soon after a failover
server_login_retry = 1
server_check_delay = 5
unix_socket_dir =
admin_users = postgres
"""
NGINX = """
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream filing {{                                   # a node that does not answer is left out for five seconds
{servers}
    }}
    server {{
        listen 127.0.0.1:{own};
        client_max_body_size 32m;
        proxy_connect_timeout 2s;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        location / {{
            proxy_pass http://filing;
            proxy_next_upstream error timeout;           # a GET goes to the other node; a POST is never sent twice
        }}
        location /assets/ {{                             # a file of the other node's release is asked of that node
            proxy_pass http://filing;
            proxy_next_upstream error timeout http_404;
        }}
    }}
}}
"""


class Service:
    """One process and its log; those that refuse to run as root run as `postgres`."""

    def __init__(
        self, folder: Path, name: str, command: list[str], unprivileged: bool = False, orphaned: str = "KILL"
    ) -> None:
        """`orphaned`: the signal that the process gets when this program dies."""
        self.folder, self.name = folder, name
        self.command = ["setpriv", "--pdeathsig", orphaned, *(AS_POSTGRES if unprivileged else ()), *command]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Service":
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        return self

    def kill(self, how: int = signal.SIGKILL) -> None:
        """Kill the process and its children."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def until(what: str, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; raises TimeoutError with `what`."""
    ended = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ended:
            raise TimeoutError(what)
        time.sleep(0.1)


def ask(port: int, question: str) -> object:
    """The first value of the answer of the server on this port; None without one."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


class Database(Service):
    """A server of PostgreSQL, a primary or a standby that replicates another one."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.port, self.data = port, folder / name
        super().__init__(folder, name, [str(BIN[0] / "postgres"), "-D", str(self.data)], unprivileged=True)

    def create(self, standby_of: "Database | None" = None) -> None:
        data = ["-D", str(self.data), "-U", "postgres"]
        if standby_of is None:
            self._run("initdb", *data, "-A", "trust", "--locale", "C.UTF-8")
        else:
            source = ["-h", "127.0.0.1", "-p", str(standby_of.port)]
            self._run("pg_basebackup", *data, *source, "--checkpoint", "fast", "--write-recovery-conf")
        self._configure()

    def _configure(self) -> None:
        """Append our settings: a copy has those of the other server, and of repeated lines PostgreSQL uses the last."""
        configuration = POSTGRESQL.format(port=self.port, folder=self.folder, name=self.name)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(configuration)

    def _run(self, program: str, *words: str) -> None:
        command = ["setpriv", *AS_POSTGRES] if AS_POSTGRES else []
        subprocess.run([*command, str(BIN[0] / program), *words], check=True, stdout=subprocess.DEVNULL)

    def ask(self, question: str) -> object:
        return ask(self.port, question)

    def stop(self) -> None:
        """Immediate shutdown (SIGQUIT): SIGKILL would leave shared memory behind."""
        self.kill(signal.SIGQUIT)

    def begin(self) -> None:
        self.start()
        until(self.name, self.answers)

    def answers(self) -> bool:
        try:
            return self.ask("SELECT 1") == 1
        except psycopg.OperationalError:  # it is starting up
            return False


def pooled(folder: Path, own: int, port: int) -> Service:
    """PgBouncer in transaction mode, on a server's port."""
    (folder / "pgbouncer.ini").write_text(PGBOUNCER.format(own=own, port=port))
    return Service(folder, "pgbouncer", ["/usr/sbin/pgbouncer", str(folder / "pgbouncer.ini")], unprivileged=True)


def redis(folder: Path, port: int) -> Service:
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    return Service(folder, "redis", [shutil.which("redis-server") or "redis-server", *words])


def bucket(folder: Path, port: int) -> Service:
    """moto's server, which stores the bucket in memory."""
    program = Path(sys.executable).with_name("moto_server")
    return Service(folder, "bucket", [str(program), "-H", "127.0.0.1", "-p", str(port)])


def nginx(folder: Path, own: int, nodes: list[int]) -> Service:
    each = "\n".join(f"        server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;" for port in nodes)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, own=own, servers=each))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    return Service(folder, "nginx", [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"])
