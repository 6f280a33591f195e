"""重置密码 by the operator, with a letter to the e-mail address that it removes."""

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models.language import in_sentences
from models.notifications import letters
from models.people import mail_confirmation
from models.people.accounts import Account
from models.people.revocation import consequences, end_access
from models.people.signin_failures import clear_failures


def consequences_of_reset(account: Account, kinds: Collection[str]) -> str:
    """What reset_password() ends and removes, for the question of an operator; `kinds`: of secrets_of()."""
    mail = [_("登记的邮箱同时移除。")] if account.email else []
    return in_sentences([consequences(kinds), *mail])


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
