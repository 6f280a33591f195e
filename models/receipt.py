"""回执: the bytes that customs sent, kept as received, and what they say (DxpRep, domain: transport and business)."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from sqlalchemy import LargeBinary, String, Text, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.db import Base
from models.vocabulary import Reply
from models.workflow import Refused

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
ENCODING = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*['\"]([\w.-]+)")
BLANKS = "\ufeff\0\x1a \t\r\n"
QUESTION_MARK = re.compile(r"-Q\d+$")  # the name of a question is that of its message, and which time it is asked


class CustomsReceipt(Base):
    """What arrived, byte for byte, once; `read_at` when all it says has been noted."""

    __tablename__ = "customs_receipt"

    id: Mapped[int] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("收到时间")})
    name: Mapped[str] = mapped_column(String(255), info={"label": _l("文件名")})
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    read_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    verdict: Mapped[str | None] = mapped_column(Text, info={"label": _l("处理结果")})
    strange: Mapped[bool] = mapped_column(default=False, index=True, info={"label": _l("无法识别")})


class Unreadable(Refused):
    """A receipt of which nothing can be believed; it stays as it was received."""


@dataclass(frozen=True)
class Result:
    """What a receipt says of one message; `part` is where it says so."""

    message_id: str
    says: Reply
    words: str
    part: str


def kept(session: Session, name: str, raw: bytes, reply_to: str = "") -> CustomsReceipt:
    """The row of these bytes, made when they are new; commits: they are safe before anything is made of them.

    `reply_to` names the attempt that they answer at once: the same words said to another attempt are new.
    """
    digest = hashlib.sha256(reply_to.encode() + raw).hexdigest()
    row = CustomsReceipt(received_at=clock.now(), name=name[:255], digest=digest, raw=raw)
    session.add(row)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        row = session.scalars(select(CustomsReceipt).where(CustomsReceipt.digest == digest)).one()
    return row


def results(raw: bytes) -> tuple[list[Result], list[str]]:
    """(what it says of each message, what is odd about it); raises Unreadable when it is no whole receipt."""
    root = _root(raw)
    head = (root.findtext("{*}OriHead/{*}CopMsgId") or "").strip()
    code = (root.findtext("{*}Response/{*}ResponseCode") or "").strip()
    info = (root.findtext("{*}Response/{*}ResponseInfo") or "").strip()
    if etree.QName(root).localname != "DxpRep" or not re.fullmatch(r"-?\d{1,10}", code):
        raise Unreadable(_("不是回执"))
    batch = root.find("{*}Response/{*}Results")
    if code != "0" or batch is None:
        says = Reply.WAITING if code == "0" else Reply.FAULT
        words = info if says is Reply.WAITING else f"{code} {info}".strip()
        return [Result(QUESTION_MARK.sub("", head), says, words, _text(root))], []
    found = [_result(element) for element in batch]
    told = [result for result in found if result is not None]
    odd = [_("%(count)s 项无法识别", count=len(found) - len(told))] if len(told) < len(found) else []
    if batch.get("count") not in (None, str(len(found))):
        odd.append(_("应有 %(told)s 项，实有 %(count)s 项", told=batch.get("count"), count=len(found)))
    return told, odd


def _result(element: Any) -> Result | None:
    told = {name: (element.findtext(f"{{*}}{name}") or "").strip() for name in ("CopMsgId", "State", "Code", "Info")}
    if told["State"] not in set(Reply) - {Reply.FAULT} or not told["CopMsgId"]:
        return None
    return Result(told["CopMsgId"], Reply(told["State"]), f"{told['Code']} {told['Info']}".strip(), _text(element))


def _text(element: Any) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _root(raw: bytes) -> Any:
    """UTF-8, UTF-16 or GB 18030 (also under its older names), with or without BOM, blanks and line ends around it."""
    text = DECLARATION.sub("", decoded(raw).strip(BLANKS))
    if not text:
        raise Unreadable(_("空文件"))
    try:
        return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.LxmlError, ValueError):
        raise Unreadable(_("内容残缺或不是 XML")) from None


def decoded(raw: bytes) -> str:
    """The text of what was received; what cannot be decoded shows as «�»."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    stated = ENCODING.match(raw)
    if stated and stated[1].lower().startswith(b"gb"):
        return raw.decode("gb18030", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")
