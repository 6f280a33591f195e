"""E-mail: the worker's round, which sends the letters of the queue (models/notifications/letters.py)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.mail import wording
from models.mail.smtp import MailServer, RecipientRefused, Unreachable
from models.notifications import letters, mark_mailed
from models.notifications.letters import SENT_WORDS, STALE, Claim, Pace
from models.people.accounts import Account
from models.people.mail_address import MailWish

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Post:
    """Everything needed to send: the mail server, the address of our pages, lease and back-off."""

    server: MailServer
    base_url: str
    pace: Pace


def send_due(session: Session, post: Post) -> Iterator[str]:
    """One round: every letter that is due; yields a line for each that was not sent. Commits.

    `session` sees everything. Ends at the first letter for which the server cannot be used: the next round tries again.
    """
    began = clock.now()
    while (letter := letters.claim(session, post.pace, began)) is not None:
        try:
            letters.finish(session, letter, _attempt(session, letter, post))
        except RecipientRefused as why:
            letters.end_attempt(session, letter, str(why), post.pace, why.for_good)
            yield _("第 %(number)s 封：%(why)s", number=letter.id, why=why)
        except Unreachable as why:
            letters.end_attempt(session, letter, str(why), post.pace, fault=False)
            yield str(why)
            return
        except SQLAlchemyError:
            raise
        except Exception as broken:  # an error with one letter must not stop the others
            LOG.error("letter %s could not be sent", letter.id, exc_info=broken)
            letters.end_attempt(session, letter, type(broken).__name__, post.pace, fault=True)
            yield _("第 %(number)s 封：%(why)s", number=letter.id, why=type(broken).__name__)


def _attempt(session: Session, letter: Claim, post: Post) -> str:
    """Send one letter, unless there is nothing to say any more; what was done. No transaction is open meanwhile."""
    account = session.get(Account, letter.account_id)
    wish = MailWish.DAILY if letter.notification_id is None else MailWish.EACH
    if account is None or not account.is_active or account.email is None or account.mail_wish is not wish:
        return _("账号已停用，或不再接收邮件。")
    if clock.now() - letter.queued_at > STALE:
        return _("已过时，没有发送。")
    text = wording.compose(account, letter, post.base_url)
    if text is None:
        return _("没有未读的消息，没有发送。")
    message = wording.addressed(text, letter, post.server.sender, account.email)
    session.rollback()
    post.server.send(message)
    mark_mailed(session, text.notification_ids)
    return str(SENT_WORDS)
