"""Confirmation of a new e-mail address: it replaces the present one when its owner types the code that was sent to it.

The code is not stored: it is an HMAC over account, address and time of the request, with SECRET_KEY.
"""

import hashlib
import hmac
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.orm import Session

from models import clock
from models.database import NO_SYNC
from models.people.accounts import Account
from models.people.mail_address import MailWish
from models.text import fold_width
from models.workflow import Refused

LIFE = timedelta(hours=24)
DIGITS, TRIES = 6, 5  # five guesses of a million
PAUSE = timedelta(minutes=1)  # between two codes


def ask(account: Account, address: str) -> None:
    """Record a request to use `address`; the present address stays in use. Raises Refused within PAUSE of the last one.

    The caller queues the e-mail with the code (models/notifications/letters.py) and commits.
    """
    now = clock.now()
    if account.email_asked_at and timedelta(0) <= now - account.email_asked_at < PAUSE:
        raise Refused(_("确认码刚刚发送过，请一分钟后再试。"))
    account.email_new, account.email_asked_at, account.email_tries = address, now, 0


def code_of(account: Account, secret: str) -> str:
    """The code that confirms the requested address: DIGITS digits."""
    message = f"{account.id}\n{account.email_new}\n{account.email_asked_at and account.email_asked_at.timestamp()}"
    mac = hmac.digest(f"mail-confirmation:{secret}".encode(), message.encode(), hashlib.sha256)
    return f"{int.from_bytes(mac) % 10**DIGITS:0{DIGITS}}"


def waits(account: Account) -> bool:
    """Whether an address is to be confirmed and its code has not expired (LIFE)."""
    asked = account.email_asked_at
    return bool(account.email_new and asked and clock.is_within(LIFE, asked.timestamp()))


def count_try_and_commit(session: Session, account: Account) -> int:
    """Count a try before the code is compared, so that parallel guesses are all counted; returns the number of tries.

    Raises Refused for an expired code, and after TRIES tries.
    """
    if not waits(account):
        raise Refused(_("确认码已经过期，请点击“重新发送”。"))
    counted = update(Account).where(Account.id == account.id, Account.email_tries < TRIES)
    counting = counted.values(email_tries=Account.email_tries + 1).returning(Account.email_tries)
    tries = session.scalar(counting, **NO_SYNC)
    session.commit()
    if tries is None:
        raise Refused(_("输错次数过多，请点击“重新发送”，使用新的确认码。"))
    return tries


def confirm(account: Account, typed: str, secret: str, tries: int) -> str | None:
    """Make the requested address the account's address; returns the former one. The caller commits.

    Raises Refused for a wrong code. `tries`: of count_try_and_commit().
    """
    digits = "".join(fold_width(typed).split())  # as Chinese input methods may write them
    if not hmac.compare_digest(digits.encode(), code_of(account, secret).encode()):
        raise Refused(_("确认码不正确，请核对最近一封邮件，还可以再试 %(left)s 次。", left=TRIES - tries))
    former, account.email = account.email, account.email_new
    account.email_new, account.email_tries = None, 0
    return former


def forget(account: Account, *, all_of_it: bool = False) -> None:
    """Cancel the request; `all_of_it`: also remove the present address and turn e-mails off. The caller commits."""
    account.email_new = None
    if all_of_it:
        account.email, account.mail_wish = None, MailWish.NONE
