"""检查点: signed number of entries of a chain (chains.py), with a hash over all of them, stored outside the database.

The owner of the database can rewrite everything that `trail verify` compares, but not a checkpoint stored elsewhere. A
contradiction names the position of the first entry that was changed, removed, inserted or moved.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.checkpoint import merkle
from models.checkpoint.chains import Chain
from models.checkpoint.folder import HASH, WIDTH, CheckpointFolder, Missing
from models.checkpoint.note import Checkpoint, Unverified, Verifier, signed
from models.database import read_one_moment
from models.database.settled_keys import settled_key
from models.workflow import Refused

__all__ = ["Checkpoint", "CheckpointFolder", "Unverified", "Verifier", "contradictions", "differing", "differs", "take"]
SETTLING = 30.0  # seconds to wait for transactions that are writing to the chain


def take(session: Session, chain: Chain, folder: CheckpointFolder, key: Ed25519PrivateKey, origin: str) -> Checkpoint:
    """Sign the current chain into the folder. Rolls back.

    Raises Refused if it contradicts the former checkpoint, or a transaction that writes to it does not end.
    """
    try:
        former = folder.newest(Verifier(origin, key.public_key()))
    except Unverified:
        raise Refused(_("文件夹中的检查点不是由这把密钥签署的，请核对文件夹和密钥。")) from None
    if (last := settled_key(session, chain.model, SETTLING)) is None:
        raise Refused(_("有事务还没有结束，没有签署新的检查点，请稍后再试。"))
    read_one_moment(session)
    if former and (sentence := next(contradictions(session, chain, folder, former), "")):
        raise Refused(_("没有签署新的检查点。%(why)s", why=sentence))
    checkpoint = Checkpoint(origin, *_write_tiles(folder, (found for _entry, found in _entries(session, chain, last))))
    session.rollback()
    note = signed(checkpoint, key)
    Verifier(origin, key.public_key()).read(note)  # never publish a note that cannot be verified
    folder.publish(checkpoint, note)
    return checkpoint


def _write_tiles(folder: CheckpointFolder, leaves: Iterator[bytes]) -> tuple[int, bytes]:
    """Write these leaf hashes into the tiles; (their number, their root hash)."""
    size = 0

    def stored() -> Iterator[bytes]:
        nonlocal size
        tile = b""
        for found in leaves:
            tile, size = tile + found, size + 1
            if len(tile) == WIDTH * HASH:
                folder.add_tile(size // WIDTH - 1, tile)
                tile = b""
            yield found
        if tile:
            folder.add_tile(size // WIDTH, tile)

    root = merkle.root(stored())
    return size, root


def contradictions(session: Session, chain: Chain, folder: CheckpointFolder, checkpoint: Checkpoint) -> Iterator[str]:
    """Yield a sentence on the first entry that has changed since the checkpoint, or on a fault of the folder."""
    try:
        if merkle.root(folder.leaves(checkpoint.size)) != checkpoint.root:
            yield _("检查点文件夹里的摘要与签署的检查点不符，请换用另存的文件夹，或只用检查点文件核对。")
            return
    except Missing:
        yield _("检查点文件夹不完整，请换用另存的文件夹，或只用检查点文件核对。")
        return
    entries = _entries(session, chain, None, checkpoint.size)
    for place, (found, expected) in enumerate(zip_longest(entries, folder.leaves(checkpoint.size)), 1):
        if found is None:
            missing = checkpoint.size - place + 1
            yield _("检查点有 %(size)s 条记录，现在最后 %(missing)s 条已不在。", size=checkpoint.size, missing=missing)
            return
        entry, leaf = found
        if leaf != expected:
            yield _(
                "从第 %(place)s 条起与检查点不符：编号 %(id)s，%(entry)s。这一条被改动或插入，或它前面的记录被删除。",
                place=place,
                id=entry.id,
                entry=chain.described(entry),
            )
            return


def differs(session: Session, chain: Chain, checkpoint: Checkpoint) -> str:
    """As contradictions(), from the checkpoint alone: the sentence names no entry; "" if they agree."""
    leaves = (found for _entry, found in _entries(session, chain, None, checkpoint.size))
    if merkle.root(leaves) == checkpoint.root:
        return ""
    return _("最早的 %(size)s 条记录与检查点不符；用检查点文件夹核对可知是哪一条。", size=checkpoint.size)


def differing(session: Session, chain: Chain, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The checkpoints that contradict the chain, the smallest first; the chain is read once."""
    most = max((each.size for each in checkpoints), default=0)
    leaves = (found for _entry, found in _entries(session, chain, None, most))
    roots = merkle.roots(leaves, [each.size for each in checkpoints])
    return sorted((each for each in checkpoints if roots.get(each.size) != each.root), key=lambda each: each.size)


def _entries(session: Session, chain: Chain, last: int | None, most: int | None = None) -> Iterator[tuple[Any, bytes]]:
    """Entries with their leaf hashes, oldest first: up to the id `last`, and `most` of them."""
    entries = select(chain.model).order_by(chain.model.id).limit(most)
    if last is not None:
        entries = entries.where(chain.model.id <= last)
    for entry in chain.in_batches(session, entries):
        yield entry, merkle.leaf(chain.leaf_data(entry))
