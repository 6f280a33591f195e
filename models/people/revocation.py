"""Ends all access when an account is reset, disabled or gets a new password: visits, calendar address, API keys."""

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.language import in_sentences, listed
from models.people.api_keys import ApiKey
from models.people.calendar_feeds import CalendarFeed
from models.people.sessions import end_visits


def secrets_of(session: Session, account_id: int) -> list[str]:
    """The kinds of secrets that programs use for the account and end_access() deletes, in words."""
    return secrets_by_account(session, [account_id])[account_id]


def secrets_by_account(session: Session, account_ids: Collection[int]) -> dict[int, list[str]]:
    """Id of each account → its secrets_of(), by one statement for each kind."""
    found: dict[int, list[str]] = {key: [] for key in account_ids}
    for owner, words in ((CalendarFeed.account_id, _("日历订阅地址")), (ApiKey.account_id, _("接口密钥"))):
        for key in session.scalars(select(owner).where(owner.in_(account_ids)).distinct()):
            found[key].append(words)
    return found


def consequences(kinds: Collection[str], own: bool = False) -> str:
    """What end_access() ends, for the question of an operator; `kinds`: of secrets_of(); `own`: this visit goes on."""
    sentences = [_("除本次登录外，您的其他登录将立即结束。") if own else _("该账号将立即退出登录。")]
    if kinds:
        sentences.append(_("现有的%(what)s同时失效，仍需使用的须由本人重新生成。", what=listed(kinds)))
    return in_sentences(sentences)


def end_access(session: Session, account_id: int, except_for: int | None = None) -> None:
    """End every visit but `except_for` (an id), the secret calendar address and the API keys.

    Does not commit.
    """
    end_visits(session, account_id, except_for)
    for model in (CalendarFeed, ApiKey):
        session.execute(delete(model).where(model.account_id == account_id))
