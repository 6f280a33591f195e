"""Storage of files in a folder or an S3 bucket, each under a key made of its SHA-256.

Files are never changed. Storing the same bytes again renews their modification time, so that a sweep spares them, and
replaces a damaged file.
"""

import errno
import hashlib
import io
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

import obstore
from flask_babel import gettext as _
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from models.files.durable import flush_folder
from models.files.plain_file import open_regular
from models.workflow import Refused

INCOMING = "incoming-"
IDENTITY = "store-identity"  # key of the object with the store's identity
PROBED = 64 << 10  # bytes that a probe writes
PROBES = "probe"  # key prefix of probes in a bucket
DURABLE: set[tuple[Path, int]] = set()  # folders, and their inodes, whose own entry this process has flushed


class Place(Protocol):
    """Backend of the store; a missing key raises FileNotFoundError."""

    def incoming(self) -> IO[bytes]:
        """A named temporary file for an upload; deleted when it is closed."""

    def put(self, file: IO[bytes], key: str) -> None:
        """Store the content of `file` under `key`: durable when this returns, and never partially visible."""

    def open(self, key: str) -> BinaryIO:
        """A seekable stream of the content."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with `prefix`: two hex digits, or "" for all."""

    def touched(self, key: str) -> datetime:
        """When the content was last stored."""

    def delete(self, key: str) -> None:
        """Delete the content."""

    def delete_leftovers(self, before: datetime) -> int:
        """Delete interrupted uploads and probes begun before that moment; returns their number."""

    def identity(self) -> str | None:
        """The identity written by set_identity(), or None."""

    def set_identity(self, identity: str, replace: bool = False) -> str:
        """Write the identity; an existing one is kept unless `replace`. Returns the resulting one."""

    def probe(self) -> None:
        """Write some bytes, read them back and delete them; raises OSError or BaseError on failure."""


def place_of(address: str) -> Place:
    """The backend for a folder or an s3:// address; raises Refused for any other address. Does not connect."""
    if address.startswith("s3://"):
        return Bucket(address)
    if "://" in address:
        raise _unusable()
    return Folder(address)


def _unusable() -> Refused:
    """The sentence leaves out the address, which may contain a password."""
    return Refused(_("FILING_STORE 不能使用：请填写一个文件夹，或 s3://存储桶/前缀，再重新启动。"))


class Folder:
    """A folder on this machine; a key is a file in it."""

    def __init__(self, address: str) -> None:
        self.folder = Path(address)

    def incoming(self) -> IO[bytes]:
        """Creates a missing folder before registration; once registered, Store.check() refuses a missing one first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self.folder, prefix=INCOMING)

    def put(self, file: IO[bytes], key: str) -> None:
        """Write through to disk, then link to the final name: no name refers to a partial file."""
        file.flush()
        os.fsync(file.fileno())
        target = self.folder / key
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(file.name, target)
        except FileExistsError:
            if not _has_content(target, file):  # damaged: replace it at once, whoever reads it keeps the old file
                os.link(file.name, f"{file.name}-healthy")
                os.replace(f"{file.name}-healthy", target)
        os.utime(target)
        flush_folder(target.parent)
        made = (target.parent, target.parent.stat().st_ino)
        if made not in DURABLE:  # also if another process has just created the folder
            flush_folder(self.folder)
            DURABLE.add(made)

    def open(self, key: str) -> BinaryIO:
        """Links and other special files count as missing: the store never creates one."""
        return open_regular(self.folder / key)

    def keys(self, prefix: str) -> Iterator[str]:
        return (f"{path.parent.name}/{path.name}" for path in self.folder.glob(f"{prefix or '??'}/*"))

    def touched(self, key: str) -> datetime:
        return _touched(self.folder / key)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()

    def delete_leftovers(self, before: datetime) -> int:
        removed = 0
        for path in self.folder.glob(f"{INCOMING}*"):
            with suppress(FileNotFoundError):  # the upload has just finished
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
        flush_folder(self.folder)
        return (self.folder / IDENTITY).read_text(encoding="ascii")

    def probe(self) -> None:
        content = secrets.token_bytes(PROBED)
        with self.incoming() as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _compare(content, Path(file.name).read_bytes())


def _has_content(target: Path, file: IO[bytes]) -> bool:
    """Whether `target` is a regular file with the same bytes; False also when it cannot be read."""
    file.seek(0)
    expected = hashlib.file_digest(cast(Any, file), "sha256").digest()
    try:
        with open_regular(target) as present:
            return hashlib.file_digest(present, "sha256").digest() == expected
    except OSError:
        return False


def _compare(written: bytes, read: bytes) -> None:
    if written != read:
        raise OSError(errno.EIO, "the store does not give back what was written")


def _touched(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


class Bucket:
    """An S3 bucket, or a prefix in it. Hangs in a process forked from one that has used it: do not fork."""

    def __init__(self, address: str) -> None:
        self.bucket = _opened(address)

    def incoming(self) -> IO[bytes]:
        return tempfile.NamedTemporaryFile(prefix=INCOMING)

    def put(self, file: IO[bytes], key: str) -> None:
        """One atomic request. S3 cannot touch an object: uploading the same bytes again renews its time."""
        file.flush()
        obstore.put(self.bucket, key, Path(file.name), use_multipart=False)

    def open(self, key: str) -> BinaryIO:
        return io.BytesIO(obstore.get(self.bucket, key).bytes())

    def keys(self, prefix: str) -> Iterator[str]:
        return (found["path"] for some in obstore.list(self.bucket, prefix or None) for found in some)

    def touched(self, key: str) -> datetime:
        return obstore.head(self.bucket, key)["last_modified"]

    def delete(self, key: str) -> None:
        obstore.delete(self.bucket, key)

    def delete_leftovers(self, before: datetime) -> int:
        """Deletes probes of killed processes. Interrupted uploads are local temporary files, not in the bucket."""
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
    """One client per address, which keeps its connections open; keys and endpoint: AWS_… in the environment."""
    try:
        return S3Store.from_url(address, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)})
    except BaseError:
        raise _unusable() from None
