"""What ends when an account is reset, disabled, or has a new password: visits, and the address of its calendar."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.people.accounts import Account
from models.people.calendar_feeds import CalendarFeed
from models.people.mail_address import MailWish
from models.people.sessions import end_visits
from models.people.signin_failures import clear_failures


def end_access(session: Session, account_id: int, except_for: int | None = None) -> None:
    """End every visit but `except_for` (an id), and the secret address: others with one are out. Does not commit."""
    end_visits(session, account_id, except_for)
    session.execute(delete(CalendarFeed).where(CalendarFeed.account_id == account_id))


def reset_password(session: Session, account: Account) -> str:
    """重置密码: set a one-time password and return it; end all access and rate limits. Does not commit.

    No e-mails go to the former address any more: whoever asks for the password may be another person.
    """
    password = account.reset_password()
    account.email, account.mail_wish = None, MailWish.NONE
    end_access(session, account.id)
    clear_failures(session, account.username)
    return password
