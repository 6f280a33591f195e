"""E-mail: the worker's round, which sends the letters of the queue (models/notifications/letters.py)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock, queue
from models.mail import wording
from models.mail.smtp import MailServer, RecipientRefused, Unreachable
from models.notifications import letters, mark_mailed
from models.notifications.letters import SENT_WORDS, STALE, Claim, Pace, Purpose
from models.people import mail_confirmation
from models.people.accounts import Account
from models.people.mail_address import MailWish

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Post:
    """Everything needed to send: the mail server, the address of our pages, lease and back-off, a secret."""

    server: MailServer
    base_url: str
    pace: Pace
    secret: str = field(repr=False)  # key of the codes (models/people/mail_confirmation.py)


def send_due(session: Session, post: Post) -> Iterator[str]:
    """One round: send every due letter; yields "" for each, or why it was not sent. Commits.

    `session` sees everything. The round ends when the server is unavailable; the next one tries again.
    """
    began = clock.now()
    while (letter := letters.claim(session, post.pace, began)) is not None:
        try:
            letters.finish(session, letter, _attempt(session, letter, post))
        except RecipientRefused as why:
            queue.end_attempt(session, letter, str(why), post.pace, why.for_good)
            yield _("第 %(number)s 封：%(why)s", number=letter.id, why=why)
        except Unreachable as why:
            queue.end_attempt(session, letter, str(why), post.pace, fault=False)
            yield str(why)
            return
        except SQLAlchemyError:
            raise
        except Exception as broken:  # an error with one letter must not stop the others
            LOG.error("letter %s could not be sent", letter.id, exc_info=broken)
            queue.end_attempt(session, letter, type(broken).__name__, post.pace, fault=True)
            yield _("第 %(number)s 封：%(why)s", number=letter.id, why=type(broken).__name__)
        else:
            yield ""


def _attempt(session: Session, letter: Claim, post: Post) -> str:
    """Send one letter, unless it has become empty; returns the outcome. No transaction is open while sending."""
    account = session.get(Account, letter.account_id, populate_existing=True)
    recipient = recipient_of(account, letter)
    if account is None or recipient is None:
        return _("账号已停用，或不再接收邮件。")
    if clock.now() - letter.queued_at > STALE:
        return _("已过时，没有发送。")
    text = wording.compose(account, letter, post.base_url, post.secret)
    if text is None:
        return _("没有未读的消息，没有发送。")
    message = wording.addressed(text, letter, post.server.sender, recipient)
    session.rollback()
    post.server.send(message)
    mark_mailed(session, text.notification_ids)
    return str(SENT_WORDS)


def recipient_of(account: Account | None, letter: Claim) -> str | None:
    """The address of the letter; None: the account is disabled, or does not want it any more."""
    if letter.purpose is Purpose.CHANGED:  # also when the account has been disabled since
        return letter.recipient
    if account is None or not account.is_active:
        return None
    if letter.purpose is Purpose.CONFIRM:
        return letter.recipient if account.email_new == letter.recipient and mail_confirmation.waits(account) else None
    wish = MailWish.DAILY if letter.notification_id is None else MailWish.EACH
    return account.email if account.mail_wish is wish else None
