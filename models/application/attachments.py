"""上传附件: the row of a file, and the store of its bytes."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from obstore.exceptions import BaseError
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.application import Application
from models.application.accepted_files import assert_clean, kind_of
from models.application.child import Child
from models.application.file_names import clean_name
from models.clock import Moment
from models.database import Base
from models.files.store import place_of
from models.files.store_errors import store_missing, unreadable, unusable
from models.files.virus import Scanner
from models.vocabulary import AttachmentKind, WordColumn
from models.workflow import Refused

SHOWN_IN_BROWSER = {"application/pdf", "image/jpeg", "image/png"}
ENDINGS = {  # by media type; the first one is given to a file that has none of them
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png", ".apng"),
    "image/tiff": (".tif", ".tiff"),
}
CHUNK = 1 << 20
DIGEST = re.compile("[0-9a-f]{64}")


class Attachment(Child, Base):
    """One file of one kind. Replaced and removed files are only marked: a decision may have been based on them."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AttachmentKind] = mapped_column(WordColumn(AttachmentKind), info={"label": _l("附件种类")})
    name: Mapped[str] = mapped_column(String(255), info={"label": _l("文件名")})
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(info={"label": _l("大小")})
    digest: Mapped[str] = mapped_column(String(64), index=True)
    uploaded_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("上传时间")})
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    removed_at: Mapped[datetime | None] = mapped_column(Moment)
    scanned_at: Mapped[datetime | None] = mapped_column(Moment)  # for viruses; None: 未查毒
    virus: Mapped[str | None] = mapped_column(String(60))  # found when it was scanned later (scanning.py)

    application: Mapped[Application] = relationship(back_populates="attachments")


for _name, _rule in (
    ("unscanned", Attachment.scanned_at.is_(None)),
    ("infected", Attachment.virus.is_not(None)),
):
    Index(f"ix_attachment_{_name}", Attachment.id, sqlite_where=_rule, postgresql_where=_rule)


class Damaged(FileNotFoundError):
    """The stored bytes do not have this digest: the original bytes are lost."""


@dataclass(frozen=True)
class Stored:
    """Stored bytes: SHA-256, size, media type as detected from the content, whether they were scanned for viruses."""

    digest: str
    size: int
    media_type: str
    scanned: bool = False


def reread_files(session: Session, application: Application) -> None:
    """Expire the loaded files once the row is locked, because they change without making a new version."""
    for file in application.__dict__.get("attachments", ()):
        session.expire(file)
    session.expire(application, ["attachments"])


class Store:
    """The bytes of the register, each named by its SHA-256; `address` is a folder, or s3://bucket/prefix.

    `expected()`: the identity registered for this store, None before registration (registered_store.py).
    Writing raises StoreUnusable, with a sentence, when the store is full, read-only, unreachable or another one.
    """

    def __init__(
        self, address: str, expected: Callable[[], str | None] = lambda: None, scanner: Scanner | None = None
    ) -> None:
        self.place, self.expected, self.scanner = place_of(address), expected, scanner

    def put(self, stream: BinaryIO, name: str, limit: int, owner: int | None = None) -> Stored:
        """Store an upload. Raises Refused when it is larger than `limit` bytes, empty, or of no accepted kind."""
        seal, size = hashlib.sha256(), 0
        with self._writing(), self.place.incoming() as file:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise Refused(_("文件“%(name)s”超过 %(most)s MB，请压缩后重新上传。", name=name, most=limit >> 20))
                seal.update(chunk)
                file.write(chunk)
            file.flush()
            media_type = kind_of(Path(file.name), name, owner)
            if self.scanner:
                assert_clean(self.scanner, Path(file.name), name)
            self.place.put(file, key_of(seal.hexdigest()))
        return Stored(seal.hexdigest(), size, media_type, self.scanner is not None)

    def put_bytes(self, content: bytes) -> str:
        """Store bytes made by the product itself, durably; returns their digest."""
        digest = hashlib.sha256(content).hexdigest()
        with self._writing(), self.place.incoming() as file:
            file.write(content)
            self.place.put(file, key_of(digest))
        return digest

    def put_copy(self, stream: BinaryIO, digest: str) -> bool:
        """Store bytes from a backup; False, and nothing is stored, when their digest is another one."""
        seal = hashlib.sha256()
        with self._writing(), self.place.incoming() as file:
            while chunk := stream.read(CHUNK):
                seal.update(chunk)
                file.write(chunk)
            if seal.hexdigest() != digest:
                return False
            self.place.put(file, key_of(digest))
        return True

    def open(self, digest: str) -> BinaryIO:
        """A seekable stream of the bytes, after comparing all of them with their digest.

        Raises Damaged when the digest differs, FileNotFoundError when they are missing.
        """
        file = self.open_unchecked(digest)
        if hashlib.file_digest(cast(Any, file), "sha256").hexdigest() != digest:
            file.close()
            raise Damaged(digest)
        file.seek(0)
        return file

    def open_unchecked(self, digest: str) -> BinaryIO:
        """The stored bytes, not compared with the digest; FileNotFoundError when there are none, or StoreUnusable."""
        try:
            return self.place.open(key_of(digest))
        except FileNotFoundError:
            self.check()  # an unreachable store raises StoreUnusable, not FileNotFoundError
            raise
        except (OSError, BaseError) as broken:
            raise unreadable(broken) from broken

    def is_intact(self, digest: str) -> bool:
        """Whether the bytes of this digest exist and are unchanged; reads all of them."""
        try:
            self.open(digest).close()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.check()
        with _store_errors():
            yield

    def check(self) -> None:
        """Raises StoreUnusable unless this is the registered store; before registration every store is accepted."""
        expected = self.expected()
        if expected is not None and self.identity() != expected:
            raise store_missing()

    def probe(self) -> None:
        """Write and read back a few bytes. Raises StoreUnusable."""
        with self._writing():
            self.place.probe()

    def identity(self) -> str | None:
        """The identity of the store; None: never registered. Raises StoreUnusable when it is unreachable."""
        with _store_errors():
            return self.place.identity()

    def set_identity(self, identity: str, replace: bool = False) -> str:
        """Write the identity of the store unless it has one, or replace it; returns the resulting identity."""
        with _store_errors():
            return self.place.set_identity(identity, replace)

    def digests(self, prefix: str = "") -> Iterator[str]:
        """Every stored digest; `prefix`: those that begin with these two hex digits."""
        return filter(DIGEST.fullmatch, (key.rpartition("/")[2] for key in self.place.keys(prefix)))

    def remove(self, digest: str, before: datetime) -> bool:
        """Delete bytes that were last stored before `before`; False when they are younger."""
        key = key_of(digest)
        old = self.place.touched(key) < before
        if old:
            self.place.delete(key)
        return old

    def delete_leftovers(self, before: datetime) -> int:
        """Delete interrupted uploads begun before that moment; returns their number."""
        return self.place.delete_leftovers(before)


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turn errors of the file system or the bucket into StoreUnusable."""
    try:
        yield
    except (OSError, BaseError) as broken:
        raise unusable(broken) from broken


def key_of(digest: str) -> str:
    """The key of `digest` in the store: ab/abcdef…; raises ValueError unless it is a SHA-256 in hex."""
    if not DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256")
    return f"{digest[:2]}/{digest}"


def with_ending(name: str, media_type: str) -> str:
    """The name with an ending of its media type, so that a PDF called 合同.hta is not opened as a program."""
    stem, dot, ending = name.rpartition(".")
    if stem and dot + ending.lower() in ENDINGS[media_type]:
        return name
    known = dot + ending.lower() in {each for endings in ENDINGS.values() for each in endings}
    return clean_name((stem if stem and known else name) + ENDINGS[media_type][0])
