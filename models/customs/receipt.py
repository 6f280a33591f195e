"""回执: the bytes received from customs, stored as received, and their results (DxpRep, transport and business)."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import LargeBinary, String, Text, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from models import clock
from models.certificate.uses import LONGEST_REFERENCE
from models.clock import Moment
from models.customs import DXP, column_text
from models.database import Base
from models.queue import Pace
from models.vocabulary import Reply
from models.workflow import Refused

NS = f"{{{DXP}}}"  # as lxml writes it before a tag
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
ENCODING = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*['\"]([\w.-]+)")
BLANKS = "\ufeff\0\x1a \t\r\n"
USES = {Reply.NOTED, Reply.USED_UP}
FAILING = 3  # failed attempts after which a person should look: the first ones may be of a busy database
MOST = 4_000_000  # bytes stored of one receipt: far more than any real one
QUESTION = re.compile(r"(.*)-Q(\d{1,9})")  # the name of a status query: message id, and the attempt that sends it
NAMED = (  # file names by which the E-port client reports the fate of a letter
    (re.compile(r"Successed_(.+)_\w+\.xml"), Reply.WAITING),
    (re.compile(r"Failed_(.+)_\w+\.xml|FailBox/(.+)\.xml"), Reply.FAULT),
)


class CustomsReceipt(Base):
    """A receipt byte for byte, stored once; `read_at`: when all of its results were processed."""

    __tablename__ = "customs_receipt"

    id: Mapped[int] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("收到时间")})
    name: Mapped[str] = mapped_column(String(255), info={"label": _l("文件名")})
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    read_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    # Remarks on unusual content. Its results are notes on the messages.
    verdict: Mapped[str | None] = mapped_column(Text)
    # Failed attempts, the reason of the last, and the time of the next (None: at once).
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failure: Mapped[str | None] = mapped_column(Text)
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    next_place: Mapped[int] = mapped_column(default=0, server_default="0")  # the result with which it begins
    strange: Mapped[bool] = mapped_column(default=False, index=True, info={"label": _l("无法识别")})


_FAILING = (CustomsReceipt.read_at.is_(None), CustomsReceipt.failures >= FAILING)


class Unreadable(Refused):
    """Not a valid receipt; none of its content is used. It stays stored as received."""


class Foreign(Unreadable):
    """A receipt whose namespace is not the E-port's; its file name is ignored too."""


@dataclass(frozen=True)
class Result:
    """The result that a receipt gives for one message; `part`: its XML element.

    `query_attempt`: the attempt whose status query the receipt answers; 0 when it answers none. `reference`, `used_at`:
    customs' own number and time of a use of the certificate (USES).
    """

    message_id: str
    reply: Reply
    words: str
    part: str
    query_attempt: int = 0
    reference: str = ""
    used_at: datetime | None = None


def store(session: Session, name: str, raw: bytes, reply_to: str = "") -> CustomsReceipt:
    """Insert the row of these bytes, if new, and return it. Commits, so that they are safe before they are processed.

    `reply_to`: the attempt whose direct answer they are. The same readable bytes for another attempt are a new receipt;
    unreadable bytes are stored once.
    """
    answered = reply_to if interpret(name, raw)[0] else ""
    digest = hashlib.sha256(answered.encode() + (raw or column_text(name).encode())).hexdigest()
    row = CustomsReceipt(received_at=clock.now(), name=column_text(name)[:255], digest=digest, raw=raw[:MOST])
    session.add(row)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        row = session.scalars(select(CustomsReceipt).where(CustomsReceipt.digest == digest)).one()
    return row


def unread(session: Session, longest: float) -> list[int]:
    """Ids of receipts not completely processed and due now, oldest first. `longest`: longest pause, in seconds.

    A due time further ahead than twice that was written by a wrong clock, and counts as past. Rolls back.
    """
    now, far = clock.now(), clock.now() + timedelta(seconds=2 * longest)
    due = or_(CustomsReceipt.next_at.is_(None), ~CustomsReceipt.next_at.between(now, far))
    found = select(CustomsReceipt.id).where(CustomsReceipt.read_at.is_(None), due).order_by(CustomsReceipt.id)
    keys = list(session.scalars(found))
    session.rollback()  # ends the read transaction: receipts are fetched over the network next
    return keys


def postpone(session: Session, key: int, why: str, pace: Pace, soon: bool = False) -> None:
    """Count a failed attempt to process a receipt; the next is made after a pause that doubles. Commits.

    `soon`: after the shortest pause, because other results of the receipt may succeed.
    """
    row = session.get_one(CustomsReceipt, key, populate_existing=True)
    row.failures, row.failure = row.failures + 1, column_text(why)
    row.next_at = pace.after(1 if soon else row.failures)
    session.commit()


def failing(session: Session, most: int) -> list[CustomsReceipt]:
    """The oldest `most` receipts that cannot be processed: not read after FAILING attempts."""
    found = select(CustomsReceipt).options(defer(CustomsReceipt.raw)).where(*_FAILING).order_by(CustomsReceipt.id)
    return list(session.scalars(found.limit(most)))


def any_failing(session: Session) -> bool:
    """Whether a receipt cannot be processed, as failing()."""
    return bool(session.scalar(select(select(CustomsReceipt.id).where(*_FAILING).exists())))


def interpret(name: str, raw: bytes) -> tuple[list[Result], list[str]]:
    """(results by message, remarks on unusual content); for bytes that are no receipt, by the file name."""
    try:
        return results(raw)
    except Foreign as why:
        return [], [_("%(why)s，已原样留存。", why=why)]
    except Unreadable as why:
        for pattern, reply in NAMED:
            if found := pattern.fullmatch(name):
                about, query_attempt = parse_letter_name(next(filter(None, found.groups())))
                return [Result(about, reply, "", "", query_attempt)], []
        return [], [_("%(why)s，已原样留存。", why=why)]


def parse_letter_name(name: str) -> tuple[str, int]:
    """(message id, attempt) from the name of a letter; attempt 0 unless the letter is a status query."""
    found = QUESTION.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, 0)


def results(raw: bytes) -> tuple[list[Result], list[str]]:
    """(results by message, remarks on unusual content); raises Unreadable when it is not a complete receipt."""
    root = _root(raw)
    about, query_attempt = parse_letter_name(_text_at(root, f"OriHead/{NS}CopMsgId"))
    code, info = _text_at(root, f"Response/{NS}ResponseCode"), _text_at(root, f"Response/{NS}ResponseInfo")
    is_named = root.tag.rpartition("}")[2] == "DxpRep"
    if is_named and not root.tag.startswith(NS):
        raise Foreign(_("命名空间不是电子口岸的"))
    if not is_named or not re.fullmatch(r"-?\d{1,10}", code):
        raise Unreadable(_("不是回执"))
    batch = root.find(f"{NS}Response/{NS}Results")
    items = [] if batch is None else list(batch)
    odd = []
    if items and (wrong := sum(_result(item) is None for item in items)):
        odd.append(_("%(count)s 项无法识别", count=wrong))
    if batch is not None and batch.get("count") not in (None, str(len(items))):
        odd.append(_("应有 %(stated)s 项，实有 %(count)s 项", stated=batch.get("count"), count=len(items)))
    if code != "0" or not items:
        reply = Reply.WAITING if code == "0" else Reply.FAULT
        words = info if reply is Reply.WAITING else f"{code} {info}".strip()
        return [Result(about, reply, words, _text(root), query_attempt)], odd
    found = [result for item in items if (result := _result(item, about, query_attempt))]
    return found, odd


def _result(element: Any, about: str = "", query_attempt: int = 0) -> Result | None:
    name, state, code, info = (_text_at(element, part) for part in ("CopMsgId", "State", "Code", "Info"))
    if element.tag != f"{NS}Result" or state not in set(Reply) - {Reply.FAULT} or not name:
        return None
    found = Result(name, Reply(state), f"{code} {info}".strip(), _text(element), query_attempt if name == about else 0)
    return _with_use(found, element) if found.reply in USES else found


def _with_use(found: Result, element: Any) -> Result | None:
    """The result with number and time of the use (Beijing, if it names no zone); None if one is missing or invalid."""
    reference, at = (_text_at(element, part) for part in ("Reference", "UsedAt"))
    try:
        moment = datetime.fromisoformat(at)
        moment = moment.replace(tzinfo=moment.tzinfo or clock.SHANGHAI, microsecond=0).astimezone(clock.SHANGHAI)
    except (ValueError, OverflowError):
        return None
    whole = 0 < len(reference) <= LONGEST_REFERENCE and column_text(reference) == reference
    return replace(found, reference=reference, used_at=moment) if whole else None


def _text_at(element: Any, path: str) -> str:
    """The text of the element at `path`; "" when it is missing or has children."""
    found = element.find(f"{NS}{path}")
    return "" if found is None or len(found) else (found.text or "").strip()


def _text(element: Any) -> str:
    """The element as XML."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    return etree.tostring(element, encoding="unicode", with_tail=False)


def _root(raw: bytes) -> Any:
    """The root element of UTF-8, UTF-16 or GB 18030 (also by its older names), BOM and blanks removed.

    Raises Unreadable.
    """
    from lxml import etree

    if len(raw) >= MOST:
        raise Unreadable(_("内容过长"))
    text = DECLARATION.sub("", decoded(raw).strip(BLANKS))
    if not text:
        raise Unreadable(_("空文件，或无法读取"))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text, parser)
    except (etree.LxmlError, ValueError):
        raise Unreadable(_("内容残缺或不是 XML")) from None
    if root.getroottree().docinfo.doctype:
        raise Unreadable(_("含有不允许的 DOCTYPE"))
    return root


def decoded(raw: bytes) -> str:
    """The received bytes as text; undecodable bytes become «�»."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    stated = ENCODING.match(raw)
    if stated and stated[1].lower().startswith(b"gb"):
        return raw.decode("gb18030", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")
