"""Messages to both units of an entrustment: that it is registered, changed, or at its end."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import clock
from models.notifications import tell_accounts
from models.notifications.events import Event
from models.people.accounts import ENTRUSTED, Account, Entrustment, Organisation
from models.vocabulary import Role


@dataclass(frozen=True)
class Terms:
    """What an entrustment says, as plain values that outlive a change of its row."""

    publisher: Organisation
    agent: Organisation
    since: date
    until: date

    @classmethod
    def of(cls, row: Entrustment) -> "Terms":
        return cls(row.publisher, row.agent, row.since, row.until)


def tell_of_change(session: Session, before: Terms | None, row: Entrustment) -> None:
    """Tell of a new entrustment (`before` is None), or of how it was changed; the caller commits it with the change."""
    after, key = Terms.of(row), f"entrustment-{row.id}-{clock.now():%Y%m%d%H%M%S%f}"
    if before == after:
        return
    if before and (before.publisher, before.agent) != (after.publisher, after.agent):
        tell_both(session, Event.ENTRUSTMENT_ENDED, before, f"{key}-before")
        before = None
    tell_both(session, Event.ENTRUSTMENT_CHANGED if before else Event.ENTRUSTED, after, key)


def tell_both(session: Session, event: Event, terms: Terms | Entrustment, key: str) -> None:
    """One message to each account of either unit, for as long as it belongs to that unit."""
    detail = _(
        "%(publisher)s委托%(agent)s，%(since)s 至 %(until)s",
        publisher=terms.publisher.name,
        agent=terms.agent.name,
        since=terms.since,
        until=_("长期") if terms.until == ENTRUSTED["latest"] else terms.until,
    )
    for unit in (terms.publisher, terms.agent):
        here = (Account.role == Role.PUBLISHER) & (Account.organisation_id == unit.id)
        tell_accounts(session, here, event, key, organisation_id=unit.id, detail=detail)
