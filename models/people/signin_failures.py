"""Wrong passwords: they slow down the place they come from, never the account, and its owner is told of them.

NIST SP 800-63B-4, 3.2.2. Counted by name *and* place, so that nobody who guesses shuts out the owner. A place is a
browser in which the owner has signed in before, or else a network address. Kept in the database: several processes
count together.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from flask_babel import gettext as _
from sqlalchemy import String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base
from models.workflow import Refused

TRIES = 5  # wrong passwords without a pause
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # doubled by each further one
DOUBLINGS = 6  # until LONGEST_PAUSE is reached
AGEING = timedelta(days=1)  # after which a failure no longer slows anybody down


@dataclass(frozen=True)
class Place:
    """Where a password is typed: the network address, and the cookie of the browser ("": it has none)."""

    address: str = ""
    browser: str = ""


class SigninFailure(Base):
    """One wrong password, for an account or for a name that nobody has; a password that is being tried, too."""

    __tablename__ = "signin_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of the normal form: people type passwords into the field of the name.
    name_hash: Mapped[str] = mapped_column(String(64), index=True)
    place_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    slows: Mapped[bool] = mapped_column(default=True)  # until the right password comes from the same place


def hashed(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address, which is what one subscriber has; anything else as it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or f"{IPv6Address(int(found) >> 64 << 64)}/64")


def begin_attempt(session: Session, username: str, place: Place, known_browser: bool) -> SigninFailure:
    """Note an attempt as failed before it is made, and commit, so that parallel ones count each other.

    Raises Refused while this place has to wait for this name; then nothing is noted.
    """
    where = f"browser {place.browser}" if known_browser else f"network {network_of(place.address)}"
    attempt = SigninFailure(
        name_hash=hashed(username), place_hash=hashed(where), address=place.address[:45], at=clock.now()
    )
    session.add(attempt)
    session.commit()
    left = _pause_left(session, attempt)
    if left > timedelta():
        session.delete(attempt)
        session.commit()
        raise Refused(_too_often(left))
    return attempt


def _pause_left(session: Session, attempt: SigninFailure) -> timedelta:
    """How long this place still has to wait, by the other failures that have not aged."""
    others = (
        select(SigninFailure.at)
        .where(
            SigninFailure.name_hash == attempt.name_hash,
            SigninFailure.place_hash == attempt.place_hash,
            SigninFailure.slows,
            SigninFailure.at > attempt.at - AGEING,
            SigninFailure.id != attempt.id,
        )
        .order_by(SigninFailure.at.desc())
        .limit(TRIES + DOUBLINGS)
    )
    times = session.scalars(others).all()
    if len(times) < TRIES:
        return timedelta()
    pause = min(FIRST_PAUSE * 2 ** (len(times) - TRIES), LONGEST_PAUSE)
    return times[0] + pause - attempt.at


def _too_often(left: timedelta) -> str:
    minutes = max(1, -(-left // timedelta(minutes=1)))
    return _(
        "输错次数较多，没有验证这次输入的密码，请 %(minutes)s 分钟后再试；忘记密码的，请联系系统管理员重置。",
        minutes=minutes,
    )


def succeed(session: Session, attempt: SigninFailure) -> None:
    """The attempt was right: it is no failure, and earlier ones from its place slow nobody down. Does not commit."""
    same = (SigninFailure.name_hash == attempt.name_hash) & (SigninFailure.place_hash == attempt.place_hash)
    session.execute(update(SigninFailure).where(same).values(slows=False).execution_options(synchronize_session=False))
    session.execute(
        delete(SigninFailure).where(SigninFailure.id == attempt.id).execution_options(synchronize_session=False)
    )


def forget(session: Session, username: str) -> None:
    """A new password was given out: nobody has to wait for this name any more. Does not commit."""
    session.execute(
        update(SigninFailure)
        .where(SigninFailure.name_hash == hashed(username))
        .values(slows=False)
        .execution_options(synchronize_session=False)
    )


def failures_between(
    session: Session, username: str, since: datetime, until: datetime
) -> tuple[int, SigninFailure | None]:
    """How many wrong passwords were given for this name, from anywhere, and the last of them."""
    between = (SigninFailure.name_hash == hashed(username)) & (SigninFailure.at > since) & (SigninFailure.at <= until)
    count = session.scalar(select(func.count()).select_from(SigninFailure).where(between)) or 0
    last = select(SigninFailure).where(between).order_by(SigninFailure.at.desc(), SigninFailure.id.desc()).limit(1)
    return count, session.scalar(last)
