"""Ends all access when an account is reset, disabled or gets a new password: visits, calendar address, API keys."""

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.people import api_keys, calendar_feeds
from models.people.accounts import Account
from models.people.api_keys import ApiKey
from models.people.calendar_feeds import CalendarFeed
from models.people.sessions import end_visits


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
