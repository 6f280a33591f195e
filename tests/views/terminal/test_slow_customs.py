"""A customs gateway that answers byte by byte or endlessly: requests end at their deadline or limit."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from models.customs import receipt
from models.customs.outbox import Pace
from models.exchange import transports
from models.exchange.transports import Http, NoAnswer
from tests.conftest import MakeApplication, StoredRows
from tests.views.conftest import Invoke

ENOUGH = 2000  # bytes that it would dribble: 100 seconds, a hundred times what is waited for
EVERY = 0.05  # seconds
WITHIN = 1.0


class SlowCustoms:
    """A server that sends `head` at once, then a byte now and then, until the client closes the connection."""

    def __init__(self, head: bytes) -> None:
        self.listener, self.head, self.dribbled, self.done = socket.create_server(("127.0.0.1", 0)), head, 0, Event()
        self.address = "http://127.0.0.1:{1}".format(*self.listener.getsockname())
        Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while not self.done.is_set():
            with suppress(OSError):
                client, _address = self.listener.accept()
                with client:
                    client.recv(1 << 16)
                    client.sendall(self.head)
                    while self.dribbled < ENOUGH and not self.done.wait(EVERY):
                        client.sendall(b" ")
                        self.dribbled += 1


HEADS = {
    "the status line": b"HTTP/1.1 2",
    "a header": b"HTTP/1.1 200 OK\r\nX: ",
    "the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "a body without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n",
    "the length of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
}


@pytest.fixture
def slow_customs(request: pytest.FixtureRequest) -> Iterator[SlowCustoms]:
    server = SlowCustoms(HEADS[request.param])
    yield server
    server.done.set()
    server.listener.close()


@pytest.mark.parametrize("slow_customs", HEADS, indirect=True)
def test_a_slow_answer_times_out_and_the_message_counts_as_sent(slow_customs: SlowCustoms) -> None:
    """Each byte arrives within the socket timeout; the whole answer does not arrive by the deadline."""
    with pytest.raises(NoAnswer) as silence:
        Http(slow_customs.address, within=WITHIN).send("Z-1", b"<x/>")
    assert (silence.value.sent, silence.value.fault) == (True, False)
    assert slow_customs.dribbled < ENOUGH / 2


@pytest.mark.parametrize("slow_customs", ["the body"], indirect=True)
def test_a_deliverer_releases_its_claim_and_continues(
    app: Flask,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    invoke: Invoke,
    slow_customs: SlowCustoms,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = make_application(status="filed")
    app.config["CUSTOMS_GATEWAY"] = slow_customs.address
    monkeypatch.setattr(transports.Http.__init__, "__defaults__", (None, WITHIN))
    done = invoke("customs", "deliver")
    assert (done.exit_code, "没有得到应答，稍后先查询是否收到。" in done.output) == (0, True)
    assert slow_customs.dribbled < ENOUGH
    (message,) = stored_rows(key)["customs_message"]
    assert (message["claimed_until"], message["sent_in"], message["faults"]) == (None, 1, 0)


def test_the_request_timeout_is_less_than_half_a_lease() -> None:
    """The deliverer sends only while half of its lease is left (models/exchange/delivery.py)."""
    assert Pace().lease / 2 >= transports.TIMEOUT


class Endless(SlowCustoms):
    """A server that sends endlessly, as fast as it can."""

    def serve(self) -> None:
        with suppress(OSError):
            client, _address = self.listener.accept()
            with client:
                client.recv(1 << 16)
                client.sendall(self.head)
                while not self.done.is_set():
                    client.sendall(b" " * 65536)
                    self.dribbled += 65536


@pytest.mark.parametrize("head", ["the body", "a body without a length"])
def test_an_endless_answer_is_read_up_to_a_limit(head: str) -> None:
    """A real receipt is a few kilobytes long."""
    server: Any = Endless(HEADS[head].replace(b"100000", b"1000000000000"))
    with pytest.raises(NoAnswer, match="过长"):
        Http(server.address, within=60).send("Z-1", b"<x/>")
    server.done.set()
    assert server.dribbled < 10 * receipt.MOST
