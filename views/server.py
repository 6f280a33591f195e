"""How gunicorn serves the application: `gunicorn --config python:views.server`, in `make run`, in tests and in use.

gunicorn's own threads wait for slow clients without end: as many requests that stop half-way as there are threads, and
nobody is answered any more. Ours wait for so long only, and never all of them.
"""

import errno
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from threading import Semaphore
from time import monotonic
from typing import Any

from flask import Flask
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import TConn, ThreadWorker
from sqlalchemy.exc import SQLAlchemyError

from models import access, registered_store, unfinished_restore
from models.workflow import Refused
from views.office import store

wsgi_app = "app:create_app()"
worker_class = "views.server.Worker"
workers = 2
threads = 14  # fewer than the connections to the database that a process may have (SQLAlchemy: 15)
graceful_timeout = 5  # seconds
loglevel = "warning"
control_socket_disable = True

WAITING = 8  # threads of a process that may wait for slow clients at the same time
BRIEFLY = 0.2  # seconds that the others wait
SLOWEST = 16 << 10  # bytes a second; as much as has come adds to the time that a request may take
LINGER, LINGER_IDLE = 30, 5  # seconds, in all and without a byte, that the rest of an answered request is taken in


def post_worker_init(worker: Any) -> None:
    """Hook of gunicorn: stop the server with a sentence where a restore broke off; register the store at the first
    start. A database or store that does not answer stops nothing: /healthz tells of it."""
    app: Flask = worker.wsgi
    with app.app_context():
        if unfinished_restore.is_there():
            worker.log.error(unfinished_restore.sentence())
            sys.exit(Arbiter.APP_LOAD_ERROR)  # the arbiter starts no other worker then
        try:
            with access.everything() as session:
                registered_store.establish(session, store())
        except (SQLAlchemyError, Refused) as why:
            worker.log.error(str(why))


def pre_request(_worker: Any, request: Any) -> None:
    """Hook of gunicorn, before each request: one that is given up ends its connection."""
    if isinstance(request.unreader.sock, ClientSocket):
        request.unreader.sock.end_connection = request.force_close


class ClientSocket(socket.socket):
    """The connection of a client, whose request must have arrived at `deadline` (of time.monotonic())."""

    deadline = 0.0
    seats: Semaphore
    end_connection: Callable[[], None] = staticmethod(lambda: None)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What has come. ConnectionResetError when nothing comes in time, or enough others are being waited for."""
        limit, seated = self.gettimeout(), self.seats.acquire(blocking=False)
        wait = min(self.deadline - monotonic(), LINGER if limit is None else limit, LINGER if seated else BRIEFLY)
        try:
            arrived = self._wait(wait)
        finally:
            if seated:
                self.seats.release()
        if not arrived:
            self.deadline = 0
            self.end_connection()
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow")
        data = super().recv(size, flags)
        self.deadline += len(data) / SLOWEST
        return data

    def _wait(self, seconds: float) -> bool:
        """Whether there is something to read within so many seconds."""
        poll = select.poll()
        poll.register(self, select.POLLIN)
        return bool(poll.poll(max(0, seconds) * 1000))

    def linger(self) -> None:
        """Take in what is still being sent, or the answer would be lost with the connection (RFC 9112, 9.6)."""
        ended = monotonic() + LINGER
        with suppress(OSError, ValueError):  # closed already
            self.shutdown(socket.SHUT_WR)
            self.settimeout(LINGER_IDLE)
            while monotonic() < ended and self.recv(1 << 16):
                pass
        self.deadline = 0  # gunicorn lingers again, in the thread that accepts: not there


class Worker(ThreadWorker):
    """Threads for requests that are there, or come in time."""

    def init_process(self) -> None:
        self.seats = Semaphore(WAITING)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, once it has sent something; gunicorn's would wait 5 seconds for a new one."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock = ClientSocket(fileno=conn.sock.detach())
        conn.sock.seats = self.seats
        conn.sock.setblocking(False)
        conn.timeout = monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        """One request, from its first byte to the end of its answer; whether the connection is kept."""
        conn.sock.deadline = monotonic() + self.wsgi.config["REQUEST_SECONDS"]
        kept = super().handle(conn)
        if not kept and isinstance(conn.sock, ClientSocket):  # with TLS of gunicorn's own it is another
            conn.sock.linger()
        return kept
