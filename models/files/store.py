"""Where kept bytes lie, each under a key made of their SHA-256: in a folder, or in a bucket that speaks S3.

What is kept is never changed: whoever keeps the same bytes again makes them young, so that a sweep leaves them.
"""

import errno
import io
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import obstore
from flask_babel import gettext as _
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from models.workflow import Refused

INCOMING = "incoming-"
IDENTITY = "store-identity"  # the key of the object that tells whose store this is
PROBED = 64 << 10  # bytes that a probe writes
PROBES = "probe"  # the folder of a bucket in which probes lie


class Place(Protocol):
    """What a kind of store can do with a key; a key without bytes raises FileNotFoundError."""

    def incoming(self) -> IO[bytes]:
        """A file with a name, for bytes on their way in; gone when it is closed."""

    def take(self, file: IO[bytes], key: str) -> None:
        """Keep what was written into `file`: safe when this returns, and until then not there at all."""

    def open(self, key: str) -> BinaryIO:
        """The bytes from their beginning; the stream can seek."""

    def keys(self, shelf: str) -> Iterator[str]:
        """Every key on a shelf (the first two hex digits); on all of them when it is empty."""

    def touched(self, key: str) -> datetime:
        """When the bytes were last kept."""

    def delete(self, key: str) -> None:
        """Remove the bytes."""

    def clear(self, before: datetime) -> int:
        """Remove what broke off on its way in before that moment; tells how many."""

    def identity(self) -> str | None:
        """What was set by set_identity(); None where nothing was."""

    def set_identity(self, identity: str, replace: bool = False) -> str:
        """Write the identity, unless there is one that is not to be replaced; the one that is there then."""

    def probe(self) -> None:
        """Write some bytes, read them back and remove them; raises OSError or BaseError where that fails."""


def place_of(address: str) -> Place:
    """A folder, or a bucket where the address begins with s3://; Refused for any other kind of address."""
    if address.startswith("s3://"):
        return Bucket(address)
    if "://" in address:
        raise _unusable()
    return Folder(address)


def _unusable() -> Refused:
    """Without the address: it may hold a password."""
    return Refused(_("FILING_STORE 不能使用：请填写一个文件夹，或 s3://存储桶/前缀，再重新启动。"))


class Folder:
    """A folder on this machine; a key is a file in it."""

    def __init__(self, address: str) -> None:
        self.folder = Path(address)

    def incoming(self) -> IO[bytes]:
        """Makes the folder of a store that is not registered yet; Store.check() has refused a registered one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self.folder, prefix=INCOMING)

    def take(self, file: IO[bytes], key: str) -> None:
        """Flushed first, named then: a name never stands for half a file."""
        file.flush()
        os.fsync(file.fileno())
        kept = self.folder / key
        kept.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            os.link(file.name, kept)
        os.utime(kept)
        for folder in (kept.parent, self.folder):
            _flush(folder)

    def open(self, key: str) -> BinaryIO:
        return (self.folder / key).open("rb")

    def keys(self, shelf: str) -> Iterator[str]:
        return (f"{path.parent.name}/{path.name}" for path in self.folder.glob(f"{shelf or '??'}/*"))

    def touched(self, key: str) -> datetime:
        return _touched(self.folder / key)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()

    def clear(self, before: datetime) -> int:
        removed = 0
        for path in self.folder.glob(f"{INCOMING}*"):
            with suppress(FileNotFoundError):  # it has just come to its end
                if _touched(path) < before:
                    path.unlink()
                    removed += 1
        return removed

    def identity(self) -> str | None:
        try:
            return (self.folder / IDENTITY).read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def set_identity(self, identity: str, replace: bool = False) -> str:
        with self.incoming() as file:
            file.write(identity.encode())
            file.flush()
            os.fsync(file.fileno())
            if replace:
                (self.folder / IDENTITY).unlink(missing_ok=True)
            with suppress(FileExistsError):
                os.link(file.name, self.folder / IDENTITY)
        _flush(self.folder)
        return (self.folder / IDENTITY).read_text(encoding="ascii")

    def probe(self) -> None:
        content = secrets.token_bytes(PROBED)
        with self.incoming() as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _compare(content, Path(file.name).read_bytes())


def _compare(written: bytes, read: bytes) -> None:
    if written != read:
        raise OSError(errno.EIO, "the store does not give back what was written")


def _flush(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _touched(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


class Bucket:
    """A bucket, or the part of it under a prefix. Not for a process forked from one that has used it: it would hang."""

    def __init__(self, address: str) -> None:
        self.bucket = _opened(address)

    def incoming(self) -> IO[bytes]:
        return tempfile.NamedTemporaryFile(prefix=INCOMING)

    def take(self, file: IO[bytes], key: str) -> None:
        """One request, obeyed wholly or not at all.

        S3 has no touch: sending the same bytes again makes them young, and a key stands for one content only.
        """
        file.flush()
        obstore.put(self.bucket, key, Path(file.name), use_multipart=False)

    def open(self, key: str) -> BinaryIO:
        return io.BytesIO(obstore.get(self.bucket, key).bytes())

    def keys(self, shelf: str) -> Iterator[str]:
        return (found["path"] for some in obstore.list(self.bucket, shelf or None) for found in some)

    def touched(self, key: str) -> datetime:
        return obstore.head(self.bucket, key)["last_modified"]

    def delete(self, key: str) -> None:
        obstore.delete(self.bucket, key)

    def clear(self, before: datetime) -> int:
        """Probes of processes that were killed. Uploads lie in this machine's folder for temporary files."""
        left = [found for some in obstore.list(self.bucket, PROBES) for found in some]
        old = [found["path"] for found in left if found["last_modified"] < before]
        for key in old:
            obstore.delete(self.bucket, key)
        return len(old)

    def identity(self) -> str | None:
        try:
            return bytes(obstore.get(self.bucket, IDENTITY).bytes()).decode("ascii")
        except FileNotFoundError:
            return None

    def set_identity(self, identity: str, replace: bool = False) -> str:
        with suppress(AlreadyExistsError):
            obstore.put(self.bucket, IDENTITY, identity.encode(), mode="overwrite" if replace else "create")
        return bytes(obstore.get(self.bucket, IDENTITY).bytes()).decode("ascii")

    def probe(self) -> None:
        key, content = f"{PROBES}/{secrets.token_hex(8)}", secrets.token_bytes(PROBED)
        obstore.put(self.bucket, key, content)
        _compare(content, bytes(obstore.get(self.bucket, key).bytes()))
        obstore.delete(self.bucket, key)


@cache
def _opened(address: str) -> S3Store:
    """One client an address, for its connections stay open; keys and endpoint are AWS_… in the environment."""
    try:
        return S3Store.from_url(address, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)})
    except BaseError:
        raise _unusable() from None
