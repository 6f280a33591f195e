"""Rate limit of wrong passwords (NIST SP 800-63B-4, 3.2.2).

Counted by name and place, so that guessing does not lock out the owner. A place is a browser in which the owner has
signed in before, or else a network address. Stored in the database, which all processes share.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from flask_babel import gettext as _
from sqlalchemy import String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import Base
from models.log import Place
from models.workflow import Refused

TRIES = 5  # wrong passwords without a pause
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # doubled with each further failure
DOUBLINGS = 6  # until LONGEST_PAUSE is reached
AGEING = timedelta(days=1)  # after which a failure no longer counts
UNVERIFIED = timedelta(minutes=1)  # after which an attempt that was never verified (a crash) no longer counts
SKEW = timedelta(minutes=1)  # between clocks; a failure further ahead was recorded by a wrong clock, and ignored


class SigninFailure(Base):
    """A wrong password for an existing or unknown name, or an attempt not yet verified."""

    __tablename__ = "signin_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of the normal form: people type passwords into the name field by mistake.
    name_hash: Mapped[str] = mapped_column(String(64), index=True)
    place_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    slows: Mapped[bool] = mapped_column(default=True)  # counts towards the pause; False after a success at this place
    # The password was compared and was wrong; False while that is being done, and for ever after a crash.
    is_wrong: Mapped[bool] = mapped_column(default=False)


def hashed(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 (one subscriber) of an IPv6 address; anything else unchanged."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or f"{IPv6Address(int(found) >> 64 << 64)}/64")


def record_attempt(session: Session, username: str, place: Place, known_browser: bool) -> SigninFailure:
    """Record an attempt before the password is verified, so that parallel attempts count each other. Commits.

    Raises Refused, and removes the record, while this place must wait for this name.
    """
    where = f"browser {place.browser}" if known_browser else f"network {network_of(place.address)}"
    attempt = SigninFailure(
        name_hash=hashed(username), place_hash=hashed(where), address=place.address[:45], at=clock.now()
    )
    session.add(attempt)
    session.commit()
    times = _other_failures(session, attempt)
    left = min(times[0], attempt.at) + _pause(len(times)) - attempt.at if times else timedelta()
    if left > timedelta():
        session.delete(attempt)
        session.commit()
        raise Refused(_too_often(left))
    return attempt


def pause_after(session: Session, attempt: SigninFailure) -> timedelta:
    """How long this place has to wait from now on, `attempt` having failed."""
    return _pause(len(_other_failures(session, attempt)) + 1)


def _other_failures(session: Session, attempt: SigninFailure) -> Sequence[datetime]:
    """When this place failed with this name before, the last first, as far as it still counts."""
    others = (
        select(SigninFailure.at)
        .where(
            SigninFailure.name_hash == attempt.name_hash,
            SigninFailure.place_hash == attempt.place_hash,
            SigninFailure.slows,
            SigninFailure.at > attempt.at - AGEING,
            SigninFailure.at <= attempt.at + SKEW,
            SigninFailure.is_wrong | (SigninFailure.at > attempt.at - UNVERIFIED),
            SigninFailure.id != attempt.id,
        )
        .order_by(SigninFailure.at.desc())
        .limit(TRIES + DOUBLINGS)
    )
    return session.scalars(others).all()


def _pause(failures: int) -> timedelta:
    """The pause that follows so many failures."""
    return min(FIRST_PAUSE * 2 ** (failures - TRIES), LONGEST_PAUSE) if failures >= TRIES else timedelta()


def _too_often(left: timedelta) -> str:
    return _("输错次数较多，没有验证这次输入的密码，%(wait)s", wait=wait(left))


def wait(left: timedelta) -> str:
    """For how long, and what else there is to do."""
    minutes = max(1, -(-left // timedelta(minutes=1)))
    return _("请 %(minutes)s 分钟后再试；忘记密码的，请联系系统管理员重置。", minutes=minutes)


def record_wrong(session: Session, attempt: SigninFailure) -> None:
    """The password was wrong: from now on the attempt is a failure that its owner is told of. Commits."""
    attempt.is_wrong = True
    session.commit()


def record_success(session: Session, attempt: SigninFailure) -> None:
    """The password was right: delete the attempt and stop counting earlier failures of its place. Does not commit."""
    same = (SigninFailure.name_hash == attempt.name_hash) & (SigninFailure.place_hash == attempt.place_hash)
    session.execute(update(SigninFailure).where(same).values(slows=False).execution_options(synchronize_session=False))
    session.execute(
        delete(SigninFailure).where(SigninFailure.id == attempt.id).execution_options(synchronize_session=False)
    )


def clear_failures(session: Session, username: str) -> None:
    """Stop counting the failures of this name, because it has a new password. Does not commit."""
    session.execute(
        update(SigninFailure)
        .where(SigninFailure.name_hash == hashed(username))
        .values(slows=False)
        .execution_options(synchronize_session=False)
    )


def slowed_until(session: Session, usernames: Iterable[str]) -> dict[str, datetime]:
    """User name → when its longest pause ends, of those names that somebody has to wait for now, in any place."""
    names = {hashed(username): username for username in usernames}
    now, count = clock.now(), func.count(SigninFailure.id)
    counting = (
        select(SigninFailure.name_hash, count, func.max(SigninFailure.at))
        .where(SigninFailure.name_hash.in_(names), SigninFailure.slows, SigninFailure.is_wrong)
        .where(SigninFailure.at > now - AGEING, SigninFailure.at <= now + SKEW)
        .group_by(SigninFailure.name_hash, SigninFailure.place_hash)
        .having(count >= TRIES)
    )
    found: dict[str, datetime] = {}
    for name_hash, failures, last in session.execute(counting):
        until, username = min(last, now) + _pause(failures), names[name_hash]
        if until > now:
            found[username] = max(until, found.get(username, until))
    return found


def failures_between(
    session: Session, username: str, since: datetime, until: datetime
) -> tuple[int, SigninFailure | None]:
    """(number, last) of the wrong passwords for this name, from any place."""
    between = (SigninFailure.name_hash == hashed(username)) & (SigninFailure.at > since) & (SigninFailure.at <= until)
    between &= SigninFailure.is_wrong
    count = session.scalar(select(func.count()).select_from(SigninFailure).where(between)) or 0
    last = select(SigninFailure).where(between).order_by(SigninFailure.at.desc(), SigninFailure.id.desc()).limit(1)
    return count, session.scalar(last)
