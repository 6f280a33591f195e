"""Proof, as a text file, that an entry of the trail or the log is covered by a checkpoint (c2sp.org/tlog-proof).

It contains the entry itself and is verified with the public key alone, without the database.
"""

import base64
import re
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.checkpoint import merkle
from models.checkpoint.chains import Chain, chain_of
from models.checkpoint.folder import CheckpointFolder, Missing
from models.checkpoint.note import Checkpoint, Unverified, Verifier
from models.workflow import Refused

HEAD = "c2sp.org/tlog-proof@v1"
FORM = re.compile(
    rf"{HEAD}\nextra (\S+)\nindex (0|[1-9][0-9]{{0,15}})\n((?:[A-Za-z0-9+/]{{43}}=\n)*)\n(.+)", re.S | re.A
)


class Proven(NamedTuple):
    """Content of a valid proof: the entry as `id JSON`, its position (from 1), and the checkpoint that covers it.

    `note`: its signed text.
    """

    entry: str
    place: int
    checkpoint: Checkpoint
    note: str


def prove(
    session: Session, chain: Chain, folder: CheckpointFolder, note: str, checkpoint: Checkpoint, number: int
) -> str:
    """The proof for the entry of `chain` with this id; raises Refused if it is missing or newer than the checkpoint.

    `note`: the signed text of `checkpoint`.
    """
    model = chain.model
    entry = session.get(model, number)
    if entry is None:
        raise Refused(_("没有编号为 %(id)s 的%(what)s，请核对编号。", id=number, what=chain.label))
    index = session.scalar(select(func.count(model.id)).where(model.id < number)) or 0
    if index >= checkpoint.size:
        raise Refused(_("这条%(what)s晚于最新的检查点，请先运行 trail checkpoint。", what=chain.label))
    try:
        leaves = list(folder.leaves(checkpoint.size))
    except Missing:
        raise Refused(_("检查点文件夹不完整，请换用另存的文件夹。")) from None
    hashes = merkle.proof(leaves, index)
    data = chain.leaf_data(entry)
    if merkle.root_by_proof(merkle.leaf(data), index, checkpoint.size, hashes) != checkpoint.root:
        words = _("这条%(what)s与检查点不符，请先运行 trail verify --checkpoint 查明。", what=chain.label)
        raise Refused(words)
    lines = [HEAD, f"extra {_text(data)}", f"index {index}", *(_text(each) for each in hashes)]
    return "\n".join([*lines, "", note])


def chain_named_in(text: str) -> Chain:
    """The chain that a proof claims to be about; the trail for any other text. Unverified: check() decides."""
    return chain_of(text.partition("\n\n")[2])


def check(text: str, verifier: Verifier) -> Proven:
    """Verify a proof and return its content; raises Unverified for an invalid one."""
    found = FORM.fullmatch(text)
    if found is None:
        raise Unverified(text)
    checkpoint = verifier.read(found[4])
    try:
        data = base64.b64decode(found[1], validate=True)
        entry = data.decode()
    except ValueError:
        raise Unverified(text) from None
    hashes = [base64.b64decode(line) for line in found[3].splitlines()]
    if merkle.root_by_proof(merkle.leaf(data), int(found[2]), checkpoint.size, hashes) != checkpoint.root:
        raise Unverified(text)
    return Proven(entry, int(found[2]) + 1, checkpoint, found[4])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
