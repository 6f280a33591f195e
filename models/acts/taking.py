"""接办, 接手, 放回: a reviewer's lease on a case, and what others may do meanwhile (not in the manual)."""

import secrets
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import workflow
from models.acts import withdrawal
from models.application import Application, lease
from models.application.lease import CaseLease
from models.deadlines.provinces import lease_minutes
from models.notifications import notify_accounts
from models.notifications.events import Event
from models.people.accounts import Account
from models.vocabulary import Action
from models.workflow import Holder


def refusal(action: Action, application: Application, last: CaseLease | None, by: Account) -> str | None:
    """The refusal of an act because of the lease on the case; None: allowed. `last`: its last lease, also expired."""
    wanted = workflow.ACTS[action].holder
    running = last if last is not None and last.runs else None
    is_holder = running is not None and running.account_id == by.id
    names = {"number": application.number, "action": action.label}
    if running is None:
        return _("%(number)s 现在无人办理，不需要%(action)s。", **names) if wanted in _OF_SOMEBODY else None
    names |= {"who": running.account.name, "since": f"{running.taken_at:%H:%M}", "until": f"{running.until:%H:%M}"}
    if is_holder:
        sentence = _("%(number)s 已于 %(since)s 由您接办，办理至 %(until)s，不需要%(action)s。", **names)
        return sentence if wanted in {Holder.NOBODY, Holder.ANOTHER} else None
    if wanted is Holder.OWN:
        return _("%(number)s 正由%(who)s办理至 %(until)s，不能由您%(action)s。", **names)
    if wanted in {Holder.NOBODY, Holder.NOBODY_ELSE}:
        return _(
            "%(number)s 已于 %(since)s 由%(who)s接办，办理至 %(until)s，现在不能%(action)s。"
            "需要由您办理时，请打开本申请，先点击接手。",
            **names,
        )
    return None


_OF_SOMEBODY = frozenset({Holder.OWN, Holder.ANOTHER})


def take(session: Session, application: Application, by: Account) -> None:
    """Lease the case to `by` for `lease_minutes` of its province, and record it as opened. The caller commits."""
    before = lease.lock_latest(session, application)
    former = before.account_id if before is not None and before.runs else by.id
    begun = lease.begin(session, application, by, lease_minutes(session, application.province))
    withdrawal.note_opening(session, application)
    if former != by.id:
        about = {"application_id": application.id, "detail": by.name}
        key = f"lease-{begun.id}-{secrets.token_hex(8)}"  # unique: it may be taken over twice within a second
        notify_accounts(session, Account.id == former, Event.TAKEN_OVER, key, **about)


def renew(session: Session, application: Application, by: Account) -> datetime | None:
    """Renew the lease of `by` on the case; returns its new end, None when `by` has none. The caller commits."""
    return lease.renew(session, application, by, lease_minutes(session, application.province))
