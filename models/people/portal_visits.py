"""Sign-ons from the portal and the visits they began: a sign-out at the portal ends these visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ColumnElement, ForeignKey, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.people.methods import PORTAL_ALONE
from models.people.portal_links import PortalLink
from models.people.sessions import Visit
from models.people.signin_failures import hashed


class PortalVisit(Base):
    """A sign-on, and the visit it began; `visit_id` None until the second step is done. Row security: jobs only."""

    __tablename__ = "portal_visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    handle_hash: Mapped[str] = mapped_column(String(64), unique=True)  # the handle itself is in the cookie alone
    subject_hash: Mapped[str] = mapped_column(String(64), index=True)
    session_hash: Mapped[str | None] = mapped_column(String(64), index=True)  # of its session at the portal (sid)
    id_token: Mapped[str] = mapped_column(Text)  # encrypted with the handle
    made_at: Mapped[datetime] = mapped_column(Moment)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id", ondelete="RESTRICT"), unique=True)


@dataclass(frozen=True)
class SignOn:
    """A sign-on whose visit has not begun: its handle, and the id of its PortalLink.

    `authenticated_at`: `auth_time` of the ID token; None: the portal did not send it.
    """

    handle: str
    link_id: int
    authenticated_at: datetime | None = None


def store_and_commit(session: Session, issuer: str, subject: str, session_id: str | None, id_token: str) -> str:
    """Store a sign-on; returns its handle, which is stored only as a hash. Commits.

    This and all functions below: for a session that sees everything.
    """
    handle = Fernet.generate_key().decode()
    made = PortalVisit(handle_hash=hashed(handle), subject_hash=_hash(issuer, subject), made_at=clock.now())
    made.session_hash = _hash(issuer, session_id) if session_id else None
    made.id_token = Fernet(handle).encrypt(id_token.encode()).decode()
    session.add(made)
    session.commit()
    return handle


def _hash(issuer: str, value: str) -> str:
    return hashed(f"{issuer}\n{value}")


def waits(session: Session, sign_on: SignOn) -> bool:
    """Whether the sign-on can still begin a visit: the portal has not ended it, and its link exists."""
    waiting = (PortalVisit.handle_hash == hashed(sign_on.handle)) & PortalVisit.visit_id.is_(None)
    is_linked = select(PortalLink.id).where(PortalLink.id == sign_on.link_id).exists()
    return session.scalar(select(PortalVisit.id).where(waiting, is_linked)) is not None


def bind(session: Session, sign_on: SignOn, visit: Visit) -> bool:
    """Assign the visit to this sign-on and copy `authenticated_at` to the visit. The caller commits.

    False when the sign-on was deleted, because the user has signed out at the portal meanwhile.
    """
    waiting = (PortalVisit.handle_hash == hashed(sign_on.handle)) & PortalVisit.visit_id.is_(None)
    bound = session.execute(update(PortalVisit).where(waiting).values(visit_id=visit.id), **NO_SYNC)
    visit.authenticated_at = sign_on.authenticated_at
    return bool(bound.rowcount)  # type: ignore[attr-defined]


def proved_at(visit: Visit) -> datetime | None:
    """When the user last proved who they are; None: unknown, as the portal may sign a known user on without asking."""
    return visit.authenticated_at if visit.method in PORTAL_ALONE else visit.began_at


def id_token_of(session: Session, handle: str) -> str | None:
    """The ID token of a sign-on, sent as id_token_hint at sign-out; None: unknown handle."""
    token = session.scalar(select(PortalVisit.id_token).where(PortalVisit.handle_hash == hashed(handle)))
    try:
        return Fernet(handle).decrypt(token).decode() if token else None
    except (InvalidToken, ValueError):
        return None


def end(session: Session, issuer: str, subject: str | None, session_id: str | None) -> list[Visit]:
    """End the visits of one portal session, or of all sessions of a subject; returns those ended. The caller commits.

    Sign-ons that have not begun a visit yet are deleted.
    """
    of_session = _hash(issuer, session_id) if session_id else None
    of_subject = PortalVisit.subject_hash == _hash(issuer, subject or "")
    selected = PortalVisit.session_hash == of_session if of_session else of_subject
    if of_session and subject:  # both: the session must be of this subject
        selected &= of_subject
    found = session.scalars(select(Visit).join(PortalVisit).where(selected, Visit.ended_at.is_(None))).all()
    _end(session, [visit.id for visit in found])
    waiting = selected & PortalVisit.visit_id.is_(None)
    session.execute(delete(PortalVisit).where(waiting), **NO_SYNC)
    return list(found)


def _end(session: Session, visit_ids: Sequence[int]) -> None:
    still = Visit.id.in_(visit_ids) & Visit.ended_at.is_(None)
    session.execute(update(Visit).where(still).values(ended_at=clock.now()), **NO_SYNC)


def delete_old(session: Session, before: datetime, over: ColumnElement[bool]) -> None:
    """Delete sign-ons without a visit older than `before`, and those of visits that are `over`. The caller commits."""
    nowhere = PortalVisit.visit_id.is_(None) & (PortalVisit.made_at < before)
    stale = nowhere | PortalVisit.visit_id.in_(select(Visit.id).where(over))
    session.execute(delete(PortalVisit).where(stale), **NO_SYNC)
