"""Ends all access when an account is reset, disabled or gets a new password: visits, calendar address, API keys."""

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.people import api_keys, calendar_feeds, mail_confirmation
from models.people.accounts import Account
from models.people.api_keys import ApiKey
from models.people.calendar_feeds import CalendarFeed
from models.people.sessions import end_visits
from models.people.signin_failures import clear_failures


def secrets_of(session: Session, account: Account) -> list[str]:
    """The kinds of secrets that programs use for the account and end_access() deletes, in words."""
    feed, keys = calendar_feeds.feed_of(session, account), api_keys.keys_of(session, account.id)
    return [words for words, found in ((_("日历订阅地址"), feed), (_("接口密钥"), keys)) if found]


def end_access(session: Session, account_id: int, except_for: int | None = None) -> None:
    """End every visit but `except_for` (an id), the secret calendar address and the API keys.

    Does not commit.
    """
    end_visits(session, account_id, except_for)
    for model in (CalendarFeed, ApiKey):
        session.execute(delete(model).where(model.account_id == account_id))


def reset_password(session: Session, account: Account) -> str:
    """重置密码: set a one-time password and return it; end all access and rate limits. Does not commit.

    Removes the e-mail address: the person who asked for the new password may not be its owner.
    """
    password = account.reset_password()
    mail_confirmation.forget(account, all_of_it=True)
    end_access(session, account.id)
    clear_failures(session, account.username)
    return password
