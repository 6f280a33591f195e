"""重置密码 by the operator, with a letter to the e-mail address that it removes."""

from sqlalchemy.orm import Session

from models.notifications import letters
from models.people import mail_confirmation
from models.people.accounts import Account
from models.people.revocation import end_access
from models.people.signin_failures import clear_failures


def reset_password(session: Session, account: Account) -> str:
    """重置密码: set a one-time password and return it; end all access and rate limits. Does not commit.

    Removes the e-mail address and notifies it: the person who asked for the new password may not be its owner.
    """
    if account.email:
        letters.enqueue_about_address(session, account.id, letters.Purpose.CHANGED, account.email)
    password = account.reset_password()
    mail_confirmation.forget(account, all_of_it=True)
    end_access(session, account.id)
    clear_failures(session, account.username)
    return password
