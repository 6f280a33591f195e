"""Messages to the owner of an account when a way to sign in was added or removed."""

from sqlalchemy.orm import Session

from models import clock
from models.notifications import notify_accounts
from models.notifications.events import Event
from models.people.accounts import Account


def notify_owner(session: Session, account_id: int, detail: object) -> None:
    """Notify the owner of an account. `detail`: the change, without a full stop. The caller commits it with the act."""
    key = f"sign-in-{account_id}-{clock.now():%Y%m%d%H%M%S%f}"
    notify_accounts(session, Account.id == account_id, Event.SIGN_IN_CHANGED, key, detail=detail)
