"""The key, card or link used at sign-in, and whether it still exists when the session begins."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Proof:
    """The row of a security key, a card, or a user of the portal."""

    model: type[Any]
    id: int


def lock(session: Session, proof: Proof) -> bool:
    """Lock the row until the transaction ends; False when it was deleted. Call it after begin_visit().

    Removing a key deletes its row and then ends the visits. The row lock orders the two transactions: either the
    removal finds the new visit, or this finds no row. On SQLite begin_visit() has made this the only writer.
    """
    still = select(proof.model.id).where(proof.model.id == proof.id).with_for_update()
    return session.scalar(still) is not None
