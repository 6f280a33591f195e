"""Display of 接办: who has taken a case, and until when."""

from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from models.application import Application
from models.application import lease as leases
from models.application.lease import CaseLease
from models.database import db
from views.panel.display import once


def running() -> dict[int, CaseLease]:
    """Application id → lease, for every running lease that the account sees; queried once per request."""
    return once("leases", lambda: leases.running(db.session()))


def lease_of(row: Application) -> CaseLease | None:
    """The lease of this case; None if nobody has taken it."""
    return running().get(row.id)


def is_own(lease: CaseLease | None) -> bool:
    return lease is not None and lease.account_id == current_user.id


def badge(row: Application) -> Markup:
    """由陈静办理至 10:32, as a tag; empty if nobody has taken the case."""
    lease = lease_of(row)
    if lease is None:
        return Markup("")
    tone = "info" if is_own(lease) else "warning"
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, words(lease))


def words(lease: CaseLease) -> str:
    """The text of the tag; for one's own lease it says 您."""
    who = _("您") if is_own(lease) else lease.account.name
    return _("由%(who)s办理至 %(until)s", who=who, until=f"{lease.until:%H:%M}")
