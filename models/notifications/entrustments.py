"""Messages to both units of an entrustment when it is registered, changed or ended."""

from dataclasses import dataclass
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import clock
from models.notifications import notify_accounts
from models.notifications.events import Event
from models.people.accounts import ENTRUSTED, Account, Entrustment, Organisation
from models.vocabulary import Role


@dataclass(frozen=True)
class Terms:
    """The values of an entrustment before a change of its row."""

    publisher: Organisation
    agent: Organisation
    since: date
    until: date

    @classmethod
    def of(cls, row: Entrustment) -> "Terms":
        return cls(row.publisher, row.agent, row.since, row.until)


def notify_of_change(session: Session, before: Terms | None, row: Entrustment) -> None:
    """Notify of a new entrustment (`before` is None) or of a change; the caller commits it with the change."""
    after, key = Terms.of(row), f"entrustment-{row.id}-{clock.now():%Y%m%d%H%M%S%f}"
    if before == after:
        return
    if before and (before.publisher, before.agent) != (after.publisher, after.agent):
        notify_both(session, Event.ENTRUSTMENT_ENDED, before, f"{key}-before")
        before = None
    notify_both(session, Event.ENTRUSTMENT_CHANGED if before else Event.ENTRUSTED, after, key)


def notify_both(session: Session, event: Event, terms: Terms | Entrustment, key: str) -> None:
    """Notify each account of both units, which sees the message while it belongs to the unit. The caller commits."""
    detail = _l(
        "%(publisher)s委托%(agent)s，%(since)s 至 %(until)s",
        publisher=terms.publisher.name,
        agent=terms.agent.name,
        since=terms.since,
        until=_l("长期") if terms.until == ENTRUSTED["latest"] else terms.until,
    )
    for unit in (terms.publisher, terms.agent):
        here = (Account.role == Role.PUBLISHER) & (Account.organisation_id == unit.id)
        notify_accounts(session, here, event, key, organisation_id=unit.id, detail=detail)
