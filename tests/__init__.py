"""The tests, in folders named like those of the code they test."""

import socket
from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the checkout


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
