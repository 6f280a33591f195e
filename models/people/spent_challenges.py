"""Used nonces of 验证码, security keys and tokens, each accepted once."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base


class SpentChallenge(Base):
    """A nonce that cannot be used again."""

    __tablename__ = "spent_challenge"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(Moment)


def spend_and_commit(session: Session, nonce: str) -> bool:
    """Record the nonce and commit; False, and rolls back, when it was used before: it violates the primary key."""
    session.add(SpentChallenge(nonce=nonce, spent_at=clock.now()))
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        return False
    return True
