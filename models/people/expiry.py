"""Sessions that time out: a job ends and logs them. Also the sentence why a session has ended."""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import clock, log
from models.clock import SKEW
from models.database import NO_SYNC
from models.log import Place, SignIn
from models.people.sessions import Visit
from models.people.signin_failures import hashed

AT_ONCE = 500  # sessions in a transaction


def end_expired(session: Session, timeout: timedelta, lifetime: timedelta) -> int:
    """End and log the sessions that have timed out, AT_ONCE at most; returns how many. Commits if there are any.

    `timeout`: after the last request; `lifetime`: after sign-in. Their requests are refused without this job.
    """
    now = clock.now()
    found = _expired_ids(session, now - SKEW - timeout, now - SKEW - lifetime)
    if not found:
        return 0
    ending = update(Visit).where(Visit.id.in_(found), Visit.ended_at.is_(None)).values(ended_at=now)
    ended: Any = session.scalars(ending.returning(Visit.id), **NO_SYNC).all()  # of two jobs one ends and logs a row
    for visit in session.scalars(select(Visit).where(Visit.id.in_(ended)).order_by(Visit.id)):
        kind = _expired_by(visit, now, timeout, lifetime) or SignIn.IDLE_ENDED
        place = Place(visit.address or "", program=visit.program or "")
        words = _l("登录于 %(began)s，最后操作于 %(seen)s", began=_shown(visit.began_at), seen=_shown(visit.seen_at))
        log.record(session, kind, visit.account, place, words=words)
    session.commit()
    return len(ended)


def _expired_ids(session: Session, idle_since: datetime, began_before: datetime) -> list[int]:
    """The ids of open sessions without a request since, or with one but begun too early; AT_ONCE at most.

    Each query reads one range of ix_visit_open. With an OR SQLite would read all sessions that are open.
    """
    found: list[int] = []
    for which in (Visit.seen_at < idle_since, (Visit.seen_at >= idle_since) & (Visit.began_at < began_before)):
        some = select(Visit.id).where(Visit.ended_at.is_(None), which).order_by(Visit.seen_at)
        found += session.scalars(some.limit(AT_ONCE - len(found)))
    return found


def _expired_by(visit: Visit, moment: datetime, timeout: timedelta, lifetime: timedelta) -> SignIn | None:
    """Which of the two limits the session had passed at that moment; None: neither."""
    if moment - visit.began_at > lifetime:
        return SignIn.LIFETIME_ENDED
    return SignIn.IDLE_ENDED if moment - visit.seen_at > timeout else None


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def how_ended(session: Session, token: str, timeout: timedelta, lifetime: timedelta) -> str | None:
    """The sentence why the visit of this token has ended; None when it has timed out, or is unknown.

    A changed password and a 退出 elsewhere have the same sentence: both only set `ended_at`. Of a session that has
    timed out it makes no difference whether end_expired() has run.
    """
    visit = session.scalar(select(Visit).where(Visit.token_hash == hashed(token)))
    if visit is not None and not visit.account.is_active:
        return _("账号已停用，不能继续办理。如需恢复，请联系系统管理员。")
    if visit is None or visit.ended_at is None:
        return None
    if visit.ended_by:
        return _("系统管理员已结束这次登录，如需继续办理，请重新登录；有疑问的，请联系系统管理员。")
    if _expired_by(visit, visit.ended_at, timeout, lifetime):
        return None
    if visit.account.must_change:
        return _("密码已由系统管理员重置，这次登录已结束，请用系统管理员告知的一次性密码登录。")
    return _("密码已修改，或已在别处退出，这次登录已结束，请用现在的密码重新登录。如非本人操作，请联系系统管理员。")
