"""gunicorn's configuration and worker: `--config python:views.entrance.server`, in `make run`, tests and production.

gunicorn's threads wait for slow clients without a limit: as many unfinished requests as threads block the server. Our
worker limits how long a request may take to arrive, and how many threads may wait for clients.
"""

import errno
import os
import select
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from threading import Semaphore
from time import monotonic
from typing import Any

import click
from flask import Flask
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import TConn, ThreadWorker
from sqlalchemy.exc import SQLAlchemyError

from models import access
from models.backup import registered_store, unfinished_restore
from models.workflow import Refused
from views.entrance import metrics
from views.resources import store

wsgi_app = "app:create_app()"
worker_class = "views.entrance.server.Worker"
workers = 2
threads = 14  # fewer than the connections to the database that a process may have (SQLAlchemy: 15)
graceful_timeout = 5  # seconds
loglevel = "warning"
control_socket_disable = True
# Only PROXIES and PROXY_ADDRESSES (addresses.py) decide which proxies are trusted; gunicorn would trust this machine.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}

if os.environ.get("FILING_METRICS_TOKEN") and metrics.FOLDER not in os.environ:
    # All processes count in files of one folder (metrics.py): the first one creates it, the others inherit its name.
    os.environ[metrics.FOLDER] = tempfile.mkdtemp(prefix="filing-metrics-")

WAITING = 8  # threads of a process that may wait for slow clients at a time
BRIEFLY = 0.2  # seconds that all other threads wait for theirs
SLOWEST = 16 << 10  # bytes a second: received bytes extend the deadline of a request at this rate
LINGER, LINGER_IDLE = 30, 5  # seconds, total and idle, to read the rest of a request that was answered early


def post_worker_init(worker: Any) -> None:
    """gunicorn hook: stop the server while a restore is unfinished; register the store at the first start.

    An unreachable database or store does not stop the server: /healthz reports it.
    """
    app: Flask = worker.wsgi
    with app.app_context():
        if unfinished_restore.is_unfinished():
            if unfinished_restore.is_running():  # pages answer 503 until it is done
                return
            worker.log.error(unfinished_restore.sentence())
            sys.exit(exit_code(worker.age))
        try:
            with access.everything() as session:
                registered_store.register(session, store())
        except (SQLAlchemyError, Refused) as why:
            worker.log.error(str(why))


def exit_code(age: int) -> int:
    """Exit code of a worker that cannot start. Only the first (age 1) stops the server, without a traceback."""
    return Arbiter.APP_LOAD_ERROR if age == 1 else 0


def child_exit(_server: Any, worker: Any) -> None:
    """gunicorn hook: drop the live gauges of a dead process; its counters stay."""
    if metrics.FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """gunicorn hook in the first process: remove the folder of the counters."""
    if metrics.FOLDER in os.environ:
        shutil.rmtree(os.environ[metrics.FOLDER], ignore_errors=True)


def pre_request(_worker: Any, request: Any) -> None:
    """gunicorn hook before each request: lets a request that times out close its connection."""
    if isinstance(request.unreader.sock, ClientSocket):
        request.unreader.sock.end_connection = request.force_close


class ClientSocket(socket.socket):
    """A client connection; its request must have arrived by `deadline` (time.monotonic())."""

    deadline = 0.0
    slots: Semaphore  # counts the threads that may wait long
    end_connection: Callable[[], None] = staticmethod(lambda: None)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As socket.recv. Raises ConnectionResetError when nothing arrives in time; without a free slot, in BRIEFLY."""
        limit, has_slot = self.gettimeout(), self.slots.acquire(blocking=False)
        wait = min(self.deadline - monotonic(), LINGER if limit is None else limit, LINGER if has_slot else BRIEFLY)
        try:
            arrived = self._wait(wait)
        finally:
            if has_slot:
                self.slots.release()
        if not arrived:
            self.deadline = 0
            self.end_connection()
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow")
        data = super().recv(size, flags)
        self.deadline += len(data) / SLOWEST
        return data

    def _wait(self, seconds: float) -> bool:
        """Whether there is something to read within `seconds`."""
        poll = select.poll()
        poll.register(self, select.POLLIN)
        return bool(poll.poll(max(0, seconds) * 1000))

    def linger(self) -> None:
        """Read what the client still sends: closing at once would reset the connection and lose the answer.

        RFC 9112, section 9.6.
        """
        end = monotonic() + LINGER
        with suppress(OSError, ValueError):  # already closed
            self.shutdown(socket.SHUT_WR)
            self.settimeout(LINGER_IDLE)
            while monotonic() < end and self.recv(1 << 16):
                pass
        self.deadline = 0  # gunicorn would linger again, in the accepting thread, and block it


class Worker(ThreadWorker):
    """Gives a thread to a connection once it has data, and limits the time for a request to arrive."""

    def init_process(self) -> None:
        self.slots = Semaphore(WAITING)
        super().init_process()

    def load_wsgi(self) -> None:
        """Print the sentence of a wrong setting in place of a traceback, and exit."""
        try:
            super().load_wsgi()
        except click.ClickException as wrong:
            click.echo(wrong.format_message(), err=True)
            sys.exit(exit_code(self.age))

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread once it has data; gunicorn's own worker would wait 5 seconds in the thread."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock = ClientSocket(fileno=conn.sock.detach())
        conn.sock.slots = self.slots
        conn.sock.setblocking(False)
        conn.timeout = monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        """Serve one request; whether the connection stays open (keep-alive)."""
        conn.sock.deadline = monotonic() + self.wsgi.config["REQUEST_SECONDS"]
        keep_alive = super().handle(conn)
        if not keep_alive and isinstance(conn.sock, ClientSocket):  # with gunicorn's own TLS it is an SSLSocket
            conn.sock.linger()
        return keep_alive
