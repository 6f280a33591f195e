"""A real S3 server, and how a test makes stored bytes older."""

import os
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from models import clock

BUCKET = "filing"


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of an empty bucket on this machine; endpoint and keys are in the environment."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "filing",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(),
    }
    begin = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
    with patch.dict(os.environ, settings), urllib.request.urlopen(begin):  # longer than a test, so no MonkeyPatch
        yield f"s3://{BUCKET}"
    server.stop()


def grow_old(address: str, digest: str, by: timedelta = timedelta(days=2)) -> None:
    """Make stored bytes older by `by`, in the memory of the S3 server, because no request can do it."""
    moment, key = clock.now() - by, f"{digest[:2]}/{digest}"
    if address.startswith("s3://"):
        prefix = address.removeprefix(f"s3://{BUCKET}/")
        keys = s3_backends[DEFAULT_ACCOUNT_ID]["global"].buckets[BUCKET].keys
        keys[f"{prefix}/{key}"].last_modified = moment
    else:
        os.utime(Path(address) / key, (moment.timestamp(), moment.timestamp()))


@contextmanager
def small_disk(folder: Path, size: str = "256k") -> Iterator[None]:
    """A file system of this size at `folder`; without the right to mount one the test is skipped."""
    folder.mkdir(exist_ok=True)
    if not mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        pytest.skip("no disk may be mounted here: the tests with a full or read-only one are left out")
    try:
        yield
    finally:
        with suppress(OSError):
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)


def mounted(*words: str) -> bool:
    """Whether `mount` has done this."""
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


def remount(folder: Path, how: str) -> None:
    """Change a small disk: `ro`, `rw`, `size=64m`."""
    assert mounted("-o", f"remount,{how}", str(folder))
