"""上传附件: what a file must be to be accepted, the store of its bytes, and the row that names them."""

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
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.application import Application
from models.application.child import Child
from models.application.file_names import clean_name
from models.clock import Moment
from models.database import Base
from models.files.flaws import Flaw, Flawed
from models.files.inspection import inspect_file
from models.files.store import place_of
from models.files.store_errors import store_missing, unusable
from models.vocabulary import AttachmentKind, WordColumn
from models.workflow import Refused

SHOWN_IN_BROWSER = {"application/pdf", "image/jpeg", "image/png"}
ENDINGS = {  # by media type; the first one is given to a file that has none of them
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png", ".apng"),
    "image/tiff": (".tif", ".tiff"),
}
FLAWS = {
    Flaw.EMPTY: _l("文件“%(name)s”是空的，请选择有内容的文件。"),
    Flaw.KIND: _l("文件“%(name)s”不是 PDF、JPEG、PNG 或 TIFF，不能作为附件，请转换格式后上传。"),
    Flaw.CUT: _l("文件“%(name)s”不完整，后面的内容缺失，请重新复制或重新生成后上传。"),
    Flaw.BROKEN: _l("文件“%(name)s”已损坏，无法打开，请用原来的软件重新导出，或重新扫描后上传。"),
    Flaw.COMPLEX: _l("文件“%(name)s”的内容过于庞大复杂，无法检查，请拆分，或打印为新的 PDF 后上传。"),
    Flaw.ACTIVE: _l("文件“%(name)s”含有脚本或会自动执行的操作，请打印为新的 PDF 后上传。"),
    Flaw.AMBIGUOUS: _l("文件“%(name)s”的内部结构前后矛盾，不同软件显示的内容会不一样，请打印为新的 PDF 后上传。"),
    Flaw.EMBEDDED: _l("文件“%(name)s”中嵌有其他文件，请将其取出单独上传，并把原文件打印为新的 PDF 后上传。"),
    Flaw.LOCKED: _l("文件“%(name)s”已加密，审核人员无法阅读，请去除密码或权限保护后上传。"),
    Flaw.LARGE: _l("文件“%(name)s”的像素过大，请缩小后上传。"),
    Flaw.BUSY: _l("系统繁忙，请稍后重试。"),
    Flaw.TOO_MANY: _l("您上传的其他文件还在检查，请稍候，待其完成后重试。"),
}
CHUNK = 1 << 20
DIGEST = re.compile("[0-9a-f]{64}")


class Attachment(Child, Base):
    """One file of one kind. Replaced or removed, it is marked, not erased: its bytes may have been decided upon."""

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

    application: Mapped[Application] = relationship(back_populates="attachments")


class Damaged(FileNotFoundError):
    """The store holds other bytes than those of this digest: the right ones are lost."""


class TryAgain(Refused):
    """The server had no time to look at a file: the same file may be sent again."""


@dataclass(frozen=True)
class Stored:
    """Stored bytes: SHA-256, size, and media type as detected from the content."""

    digest: str
    size: int
    media_type: str


def reread_files(session: Session, application: Application) -> None:
    """Read the files again once the row is locked: they change without making a new version."""
    for file in application.attachments:
        session.expire(file)
    session.expire(application, ["attachments"])


class Store:
    """The bytes of the register, each named by its SHA-256; `address` is a folder, or s3://bucket/prefix.

    `expected` tells the identity that is registered for this store, None as long as none is (registered_store.py).
    Writing raises StoreUnusable, with a sentence, when the store is full, read-only, away or another one.
    """

    def __init__(self, address: str, expected: Callable[[], str | None] = lambda: None) -> None:
        self.place, self.expected = place_of(address), expected

    def put(self, stream: BinaryIO, name: str, limit: int, owner: int | None = None) -> Stored:
        """Keep what an account sends. Raises Refused when larger than `limit` bytes, empty, or of no accepted kind."""
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
            self.place.take(file, key_of(seal.hexdigest()))
        return Stored(seal.hexdigest(), size, media_type)

    def keep(self, content: bytes) -> str:
        """Keep what we have made ourselves, and tell its digest; the bytes are safe when this returns."""
        digest = hashlib.sha256(content).hexdigest()
        with self._writing(), self.place.incoming() as file:
            file.write(content)
            self.place.take(file, key_of(digest))
        return digest

    def keep_copy(self, stream: BinaryIO, digest: str) -> bool:
        """Keep bytes that were kept elsewhere under this digest; False, and nothing kept, when they are others."""
        seal = hashlib.sha256()
        with self._writing(), self.place.incoming() as file:
            while chunk := stream.read(CHUNK):
                seal.update(chunk)
                file.write(chunk)
            if seal.hexdigest() != digest:
                return False
            self.place.take(file, key_of(digest))
        return True

    def open(self, digest: str) -> BinaryIO:
        """The bytes from their beginning, in a stream that can seek, once they have been compared with their digest.

        Raises Damaged when they are others, FileNotFoundError when they are lost.
        """
        file = self.open_unchecked(digest)
        if hashlib.file_digest(cast(Any, file), "sha256").hexdigest() != digest:
            file.close()
            raise Damaged(digest)
        file.seek(0)
        return file

    def open_unchecked(self, digest: str) -> BinaryIO:
        """What lies under this digest, whatever it is; FileNotFoundError when nothing does."""
        try:
            return self.place.open(key_of(digest))
        except FileNotFoundError:
            self.check()  # not lost, when the whole store is away
            raise

    def is_intact(self, digest: str) -> bool:
        """Whether the bytes of this digest are there and unchanged; reads them all."""
        try:
            self.open(digest).close()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.check()
        with _plainly():
            yield

    def check(self) -> None:
        """Raises StoreUnusable unless this is the store that is registered; any will do as long as none is."""
        expected = self.expected()
        if expected is not None and self.identity() != expected:
            raise store_missing()

    def probe(self) -> None:
        """Write and read back a few bytes. Raises StoreUnusable."""
        with self._writing():
            self.place.probe()

    def identity(self) -> str | None:
        """Whose store this is; None when nobody has said so yet. Raises StoreUnusable when it does not answer."""
        with _plainly():
            return self.place.identity()

    def set_identity(self, identity: str, replace: bool = False) -> str:
        """Say whose store this is, unless that was said and is not to be replaced; the identity it has then."""
        with _plainly():
            return self.place.set_identity(identity, replace)

    def digests(self, shelf: str = "") -> Iterator[str]:
        """Every digest that is kept; of those that begin with two hex digits, when these are given as `shelf`."""
        return filter(DIGEST.fullmatch, (key.rpartition("/")[2] for key in self.place.keys(shelf)))

    def remove(self, digest: str, before: datetime) -> bool:
        """Remove bytes that nobody has kept, or kept again, since `before`; tells whether they were so old."""
        key = key_of(digest)
        old = self.place.touched(key) < before
        if old:
            self.place.delete(key)
        return old

    def clear(self, before: datetime) -> int:
        """Remove what broke off on its way in before that moment; tells how many."""
        return self.place.clear(before)


@contextmanager
def _plainly() -> Iterator[None]:
    """Errors of the file system or the bucket become a sentence."""
    try:
        yield
    except (OSError, BaseError) as broken:
        raise unusable(broken) from broken


def key_of(digest: str) -> str:
    """ab/abcdef…: under which key the bytes of `digest` lie; raises ValueError for what is no SHA-256 in hex."""
    if not DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256")
    return f"{digest[:2]}/{digest}"


def kind_of(path: Path, name: str, owner: int | None = None) -> str:
    """The media type by content, not by name; raises Refused with a sentence for anything else, or a broken file."""
    try:
        return inspect_file(path, owner)
    except Flawed as flawed:
        refused = TryAgain if flawed.args[0] in (Flaw.BUSY, Flaw.TOO_MANY) else Refused
        raise refused(str(FLAWS[flawed.args[0]]) % {"name": name}) from None


def named(name: str, media_type: str) -> str:
    """A clean name with an ending of its kind: no other program may open a PDF that is called 合同.hta."""
    stem, dot, ending = name.rpartition(".")
    if stem and dot + ending.lower() in ENDINGS[media_type]:
        return name
    known = dot + ending.lower() in {each for endings in ENDINGS.values() for each in endings}
    return clean_name((stem if stem and known else name) + ENDINGS[media_type][0])
