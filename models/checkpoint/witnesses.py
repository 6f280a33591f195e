"""Witnesses: each receives every checkpoint and stores it out of reach of the owner of the database.

A witness is a folder (best on another machine), with a file `CHAIN/SIZE` for each checkpoint, never overwritten; a
mail address (`mailto:`); or another system, which cosigns (remote_witness.py). The log records each handover. The owner
of the folder creates an empty file MARKER in it: if that is missing, the disk of the other machine is not mounted, and
nothing is written.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import clock, log
from models.checkpoint import differing
from models.checkpoint.chains import CHAINS, Chain
from models.checkpoint.folder import MARKER, write_whole
from models.checkpoint.note import Verifier
from models.log import Operation
from models.mail.smtp import MailServer, RecipientRefused, Unreachable, domain_of
from models.workflow import Refused

MAIL = "mailto:"
MARK = 64  # characters of LogEntry.about
LATE = timedelta(days=2)  # our rule: one of the daily handovers may fail


@dataclass(frozen=True)
class Handover:
    """The signed notes of one day: name of the chain → (number of its entries, note)."""

    notes: dict[str, tuple[int, str]]


def hand_over(witness: str, given: Handover, server: MailServer | None) -> None:
    """Hand over to a folder or mail address. Raises Refused if it is unreachable, or stores another note of the same
    size."""
    if witness.startswith(MAIL):
        _send(witness.removeprefix(MAIL), given, server)
        return
    if not Path(witness, MARKER).is_file():
        words = _("“%(path)s”中没有文件 %(marker)s，没有交存：请检查是否已挂载；新设的见证，请先放入该名称的空文件。")
        raise Refused(words % {"path": witness, "marker": MARKER})
    try:
        for chain, (size, note) in given.notes.items():
            _write(Path(witness) / chain / str(size), note)
    except OSError as broken:
        why = broken.strerror or str(broken)
        raise Refused(_("见证文件夹“%(path)s”不能写入：%(why)s。", path=witness, why=why)) from broken


def _write(file: Path, note: str) -> None:
    """Write a note. Raises Refused if the file has another hash: the database was rewritten between the two."""
    if not file.exists():
        write_whole(file, note.encode())
    elif _text_of(file.read_text(encoding="utf-8", errors="replace")) != _text_of(note):
        raise Refused(_("见证“%(file)s”留有条数相同而内容不同的检查点，请立即查明。", file=file))


def _text_of(note: str) -> str:
    """The signed text of a note, without signatures."""
    return note.partition("\n\n")[0]


def _send(address: str, given: Handover, server: MailServer | None) -> None:
    if server is None:
        raise Refused(_("没有设置邮件服务器（FILING_SMTP），检查点没有寄给 %(address)s。", address=address))
    letter = EmailMessage()
    letter["From"], letter["To"] = server.sender, address
    letter["Subject"] = _("办理记录检查点，请留存")
    letter["Date"], letter["Message-ID"] = format_datetime(clock.now()), make_msgid(domain=domain_of(server.sender))
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(
        _("以下检查点由系统自动寄出，请原样留存，不要改动；需要核对时，另存附件，交 trail verify 使用。")
    )
    for chain, (size, note) in given.notes.items():
        letter.add_attachment(note.encode(), "application", "octet-stream", filename=f"{chain}-{size}.txt")
    try:
        server.send(letter)
    except (RecipientRefused, Unreachable) as failed:
        raise Refused(_("检查点没有寄给 %(address)s：%(why)s", address=address, why=failed)) from None


def split_names(setting: object) -> list[str]:
    """The witnesses in a setting, separated by commas."""
    return [name.strip() for name in str(setting or "").split(",") if name.strip()]


def mark_of(witness: str) -> str:
    """对象 in the log: the witness, or its hash if it is longer than the column."""
    return witness if len(witness) <= MARK else hashlib.sha256(witness.encode()).hexdigest()


def last_given(session: Session, witness: str) -> datetime | None:
    """Time of the last handover to this witness; None: never."""
    entry = log.newest(session, Operation.WITNESSED, about=mark_of(witness))
    return entry.at if entry else None


def problems(session: Session, witnesses: list[str]) -> Iterator[str]:
    """Words of /healthz: `checkpoint` (none signed within LATE), `witness` (one received none within LATE)."""
    before = clock.now() - LATE
    last = log.newest(session, Operation.CHECKPOINT_SIGNED)
    if last is None or last.at < before:
        yield "checkpoint"
    given = [last_given(session, witness) for witness in witnesses]
    if any(at is None or at < before for at in given):
        yield "witness"


class Witness(Protocol):
    """A witness whose checkpoints can be read again."""

    @property
    def address(self) -> str: ...

    def notes(self, chain: Chain, origin: str) -> list[str]:
        """The stored notes of a chain, whose checkpoints are named `origin`. Raises Refused."""


@dataclass(frozen=True)
class FolderWitness:
    """`address`: the path of the folder."""

    address: str

    def notes(self, chain: Chain, origin: str) -> list[str]:
        """All notes of the chain, whoever signed them. Raises Refused if the folder is not there."""
        if not Path(self.address).is_dir():
            raise Refused(_("见证文件夹“%(path)s”不存在或不能读取。", path=self.address))
        files = [file for file in Path(self.address, chain.name).glob("*") if file.name.isdecimal()]
        return [file.read_text(encoding="utf-8", errors="replace") for file in files]


def contradictions(session: Session, witness: Witness, verifiers: dict[str, Verifier]) -> Iterator[str]:
    """Yield a sentence for each checkpoint of this witness that contradicts the database. Raises Refused, Unverified.

    `verifiers`: name of the chain → trusted signer.
    """
    for chain in CHAINS.values():
        verifier = verifiers[chain.name]
        checkpoints = [verifier.read(note) for note in witness.notes(chain, verifier.name)]
        if not checkpoints:
            yield _("见证“%(path)s”没有%(chain)s的检查点。", path=witness.address, chain=chain.name)
        for checkpoint in differing(session, chain, checkpoints):
            yield _(
                "见证“%(path)s”：最早的 %(size)s 条%(chain)s与所留检查点不符；用检查点文件夹核对可知是哪一条。",
                path=witness.address,
                size=checkpoint.size,
                chain=chain.name,
            )
