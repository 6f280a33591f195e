"""Security keys and passkeys of accounts. What browsers answer is verified by key_answers.py."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.clock import Moment
from models.database import NO_SYNC, Base
from models.people.accounts import Account
from models.workflow import Refused

MOST_KEYS = 10  # of one account
LONGEST_NAME = 40


@dataclass(frozen=True)
class RelyingParty:
    """WebAuthn relying party: host name (RP ID), origin, and display name of this system."""

    id: str
    origin: str
    name: str


class SecurityKey(Base):
    """One key of an account. Row security: its own account's, and operators see all. Removed ones are deleted."""

    __tablename__ = "security_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url of at most 1,023 bytes
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    handle: Mapped[str] = mapped_column(String(90))  # user handle: random, base64url, the same for all of an account
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    synced: Mapped[bool] = mapped_column()  # a passkey that its owner's devices share; otherwise bound to one device
    count: Mapped[int] = mapped_column(BigInteger)  # signature counter of the last use
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = {"sqlite_autoincrement": True}  # ids are never reused: an old page must not address a newer key


def keys_of(session: Session, account_id: int) -> list[SecurityKey]:
    """The keys of an account, oldest first."""
    own = select(SecurityKey).where(SecurityKey.account_id == account_id)
    return list(session.scalars(own.order_by(SecurityKey.id)))


def has_key(session: Session, account_id: int) -> bool:
    return bool(keys_of(session, account_id))


@dataclass(frozen=True)
class Enrolling:
    """Challenge and user handle of an enrolment, base64url."""

    challenge: str
    handle: str


@dataclass(frozen=True)
class KeyUse:
    """A verified key: its account, name and row."""

    account_id: int
    name: str
    key_id: int


def remove(session: Session, account_id: int, key_id: int) -> str:
    """Delete a key of the account; returns its name. Raises Refused when it is deleted already. Does not commit."""
    own = (SecurityKey.id == key_id) & (SecurityKey.account_id == account_id)
    name = session.scalar(delete(SecurityKey).where(own).returning(SecurityKey.name), **NO_SYNC)
    if name is None:
        raise Refused(_("这把密钥已经移除，请刷新页面核对。"))
    return name
