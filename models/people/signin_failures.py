"""Rate limit of wrong passwords (NIST SP 800-63B-4, 3.2.2).

Counted by name and place, so that guessing does not lock out the owner. A place is a browser in which the owner has
signed in before, or else a network address. A network that fails with NETWORK_TRIES different names within an hour must
wait with every further name. Exempt are browsers known to the account, and accounts that have signed in from this
network before, or that an operator has released (重置密码, 解锁) within the last hour. Known leak: while it waits, a
guesser learns which accounts are exempt.

Stored in the database, which all processes share.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Index, Select, String, delete, false, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import SKEW, Moment
from models.database import NO_SYNC, Base
from models.log import Place
from models.workflow import Refused

TRIES = 5  # wrong passwords without a pause
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # doubled with each further failure
DOUBLINGS = 6  # until LONGEST_PAUSE is reached
NETWORK_TRIES, NETWORK_WINDOW = 30, timedelta(hours=1)  # wrong passwords of one network with any names
AGEING = timedelta(days=1)  # after which a failure no longer counts
UNVERIFIED = timedelta(minutes=1)  # after which an attempt that was never verified (a crash) no longer counts


RELEASE = "release"  # the place of a row that marks a release by an operator; no network or browser has it


class SigninFailure(Base):
    """A wrong password for an existing or unknown name, an attempt not yet verified, or a RELEASE of a name."""

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
    is_code: Mapped[bool] = mapped_column(default=False, server_default=false())  # a recovery code, not a password

    __table_args__ = (Index(None, "place_hash", "at"),)


def hashed(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse_network(text: str, strict: bool = True) -> IPv4Network | IPv6Network:
    """An address or a network; one of IPv4 in IPv6 (::ffff:0:0/96) as IPv4, which addresses are compared as. Raises
    ValueError."""
    found = ip_network(text, strict)
    inner = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) and found.prefixlen >= 96 else None
    return IPv4Network((inner, found.prefixlen - 96)) if inner else found


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 (one subscriber) of an IPv6 address; anything else unchanged."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or f"{IPv6Address(int(found) >> 64 << 64)}/64")


def record_attempt_and_commit(
    session: Session,
    username: str,
    place: Place,
    known_browser: bool,
    is_code: bool = False,
    has_used_network: Callable[[], bool] = lambda: True,
) -> SigninFailure:
    """Record an attempt before the password is verified, so that parallel attempts count each other. Commits.

    Raises Refused, and removes the record, while this place must wait for this name, or its network for all names.
    `has_used_network`: whether the account has signed in from this network before.
    """
    where = f"browser {place.browser}" if known_browser else f"network {network_of(place.address)}"
    attempt = SigninFailure(name_hash=hashed(username), place_hash=hashed(where), at=clock.now(), is_code=is_code)
    attempt.address = place.address[:45]
    session.add(attempt)
    session.commit()
    times = _other_failures(session, attempt)
    left = min(times[0], attempt.at) + _pause(len(times)) - attempt.at if times else timedelta()
    if left > timedelta():
        _refuse(session, attempt, _too_often(left, is_code))
    left = timedelta() if known_browser else _pause_of_network(session, attempt)
    if left > timedelta() and not has_used_network() and not _is_released(session, attempt):
        _refuse(session, attempt, _network_too_often(left))
    return attempt


def _refuse(session: Session, attempt: SigninFailure, sentence: str) -> None:
    """Remove the attempt, so that the pause is not prolonged, commit and raise Refused."""
    session.delete(attempt)
    session.commit()
    raise Refused(sentence)


def _pause_of_network(session: Session, attempt: SigninFailure) -> timedelta:
    """How long its network must wait: until fewer than NETWORK_TRIES failures with other names are in the window."""
    others = _counting(attempt, NETWORK_WINDOW).where(SigninFailure.name_hash != attempt.name_hash)
    oldest = session.scalar(others.order_by(SigninFailure.at.desc()).offset(NETWORK_TRIES - 1).limit(1))
    return min(oldest, attempt.at) + NETWORK_WINDOW - attempt.at if oldest else timedelta()


def _is_released(session: Session, attempt: SigninFailure) -> bool:
    """Whether an operator has released its name within NETWORK_WINDOW: a pause of its network does not hold it up."""
    released = select(SigninFailure.id).where(
        SigninFailure.name_hash == attempt.name_hash,
        SigninFailure.place_hash == hashed(RELEASE),
        SigninFailure.at.between(attempt.at - NETWORK_WINDOW, attempt.at + SKEW),
    )
    return session.scalar(released.limit(1)) is not None


def pause_after(session: Session, attempt: SigninFailure) -> timedelta:
    """How long this place must wait after the failed `attempt`."""
    return _pause(len(_other_failures(session, attempt)) + 1)


def _other_failures(session: Session, attempt: SigninFailure) -> Sequence[datetime]:
    """When this place failed with this name before, the last first, as far as it still counts."""
    others = _counting(attempt, AGEING).where(SigninFailure.name_hash == attempt.name_hash)
    return session.scalars(others.order_by(SigninFailure.at.desc()).limit(TRIES + DOUBLINGS)).all()


def _counting(attempt: SigninFailure, window: timedelta) -> Select[Any]:
    """The times of the other failures of this place that still count, with any name."""
    return select(SigninFailure.at).where(
        SigninFailure.place_hash == attempt.place_hash,
        SigninFailure.slows,
        SigninFailure.at > attempt.at - window,
        SigninFailure.at <= attempt.at + SKEW,
        SigninFailure.is_wrong | (SigninFailure.at > attempt.at - UNVERIFIED),
        SigninFailure.id != attempt.id,
    )


def _pause(failures: int) -> timedelta:
    """The pause that follows so many failures."""
    return min(FIRST_PAUSE * 2 ** (failures - TRIES), LONGEST_PAUSE) if failures >= TRIES else timedelta()


def _too_often(left: timedelta, is_code: bool) -> str:
    if is_code:
        return _("输错次数较多，没有验证这次输入的恢复码，%(wait)s", wait=advice_to_wait(left))
    return _("输错次数较多，没有验证这次输入的密码，%(wait)s", wait=advice_to_wait(left))


def advice_to_wait(left: timedelta) -> str:
    """The sentence how long to wait, and what to do instead."""
    return _("请 %(minutes)s 分钟后再试；忘记密码的，请联系系统管理员重置。", minutes=_minutes(left))


def _network_too_often(left: timedelta) -> str:
    """The sentence for who waits because of others, whose own password may be right."""
    words = _("该网络一小时内输错密码较多，没有验证这次输入的密码，请 %(minutes)s 分钟后再试，或换用其他网络。")
    return words % {"minutes": _minutes(left)}


def _minutes(left: timedelta) -> int:
    return max(1, -(-left // timedelta(minutes=1)))


def record_wrong_and_commit(session: Session, attempt: SigninFailure) -> None:
    """Record the attempt as a wrong password, which its owner is shown at the next sign-in. Commits."""
    attempt.is_wrong = True
    session.commit()


def record_success(session: Session, attempt: SigninFailure) -> None:
    """Delete the attempt, and stop counting earlier failures of its place. Does not commit."""
    same = (SigninFailure.name_hash == attempt.name_hash) & (SigninFailure.place_hash == attempt.place_hash)
    session.execute(update(SigninFailure).where(same).values(slows=False), **NO_SYNC)
    session.execute(delete(SigninFailure).where(SigninFailure.id == attempt.id), **NO_SYNC)


def clear_failures(session: Session, username: str) -> None:
    """Stop counting the failures of this name, after 重置密码 or 解锁, and release it from pauses of networks.

    Does not commit.
    """
    name = hashed(username)
    session.execute(update(SigninFailure).where(SigninFailure.name_hash == name).values(slows=False), **NO_SYNC)
    release = SigninFailure(name_hash=name, place_hash=hashed(RELEASE), at=clock.now(), slows=False, address="")
    session.add(release)


def slowed_until(session: Session, usernames: Iterable[str]) -> dict[str, datetime]:
    """User name → end of its longest pause, of the names that are rate-limited now at any place."""
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


def is_a_network_slowed(session: Session) -> bool:
    """Whether some network must wait now with a name that has not failed there."""
    now = clock.now()
    slowed = (
        select(SigninFailure.place_hash)
        .where(SigninFailure.slows, SigninFailure.is_wrong)
        .where(SigninFailure.at > now - NETWORK_WINDOW, SigninFailure.at <= now + SKEW)
        .group_by(SigninFailure.place_hash)
        .having(func.count(SigninFailure.id) >= NETWORK_TRIES)
    )
    return session.scalar(slowed.limit(1)) is not None


def failures_between(
    session: Session, username: str, since: datetime, until: datetime
) -> tuple[int, int, SigninFailure | None]:
    """(wrong passwords, wrong recovery codes, the last of either) for this name, from any place."""
    between = (SigninFailure.name_hash == hashed(username)) & (SigninFailure.at > since) & (SigninFailure.at <= until)
    between &= SigninFailure.is_wrong
    counted = select(SigninFailure.is_code, func.count()).where(between).group_by(SigninFailure.is_code)
    count = {bool(is_code): number for is_code, number in session.execute(counted)}
    last = select(SigninFailure).where(between).order_by(SigninFailure.at.desc(), SigninFailure.id.desc()).limit(1)
    return count.get(False, 0), count.get(True, 0), session.scalar(last)
