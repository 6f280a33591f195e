"""Messages to the owner of an account that a way to sign in was added or taken away."""

from sqlalchemy.orm import Session

from models import clock
from models.notifications import tell_accounts
from models.notifications.events import Event
from models.people.accounts import Account


def tell_owner(session: Session, account_id: int, detail: str) -> None:
    """`detail`: what was done, without a full stop; the caller commits it with the act."""
    key = f"sign-in-{account_id}-{clock.now():%Y%m%d%H%M%S%f}"
    tell_accounts(session, Account.id == account_id, Event.SIGN_IN_CHANGED, key, detail=detail)
