"""Texts of e-mails: number, event, and address of the page; no title, no opinion, no name."""

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from flask_babel import gettext as _
from sqlalchemy import select

from models import access
from models.mail.smtp import domain_of
from models.notifications import UNREAD, Notification
from models.notifications.letters import Claim, Purpose
from models.people import mail_confirmation
from models.people.accounts import Account

MOST = 50  # lines of a digest


@dataclass(frozen=True)
class Text:
    """Subject, lines, and the messages that they are about."""

    subject: str
    lines: list[str]
    notification_ids: list[int] = field(default_factory=list)


def compose(account: Account, letter: Claim, base_url: str, secret: str) -> Text | None:
    """The text of a letter, from unread messages that its reader may see now; None: there is none any more.

    `secret`: key of the codes.
    """
    if letter.purpose:
        return about_address(account, letter, base_url, secret)
    with access.as_seen_by(account) as session:
        unread = select(Notification).where(UNREAD).order_by(Notification.at, Notification.id)
        if letter.notification_id is not None:
            unread = unread.where(Notification.id == letter.notification_id)
        else:
            unmailed = (Notification.mailed_at.is_(None), Notification.at <= letter.queued_at)
            unread = unread.where(Notification.at > letter.since, *unmailed).limit(MOST + 1)
        found = session.scalars(unread).all()
        lines = [f"{row.sentence}\n{base_url}/messages/details/?id={row.id}" for row in found[:MOST]]
        if not found:
            return None
        notification_ids = [row.id for row in found[:MOST]]
        subject = _digest(found[0].at, len(found)) if letter.notification_id is None else str(found[0].what.label)
    more = [_("另有更多消息，请登录查看：%(address)s", address=f"{base_url}/messages/")] if len(found) > MOST else []
    closing = _("这是系统自动发出的邮件，请勿回复。在系统的“消息”页面可以修改或停止邮件提醒。")
    return Text(_("备案系统：%(what)s", what=subject), [*lines, *more, closing], notification_ids)


def about_address(account: Account, letter: Claim, base_url: str, secret: str) -> Text:
    """The text with a code to a new address, or the notice to the former one; no name: the mailbox may be another's."""
    page, closing = f"{base_url}/messages/mail/", _("这是系统自动发出的邮件，请勿回复。")
    if letter.purpose is Purpose.CONFIRM:
        lines = [
            _("有人在备案系统中填写了本邮箱，用于接收提醒。如是您本人，请在 24 小时内登录系统，输入确认码："),
            mail_confirmation.code_of(account, secret),
            page,
            _("如非本人填写，不必处理：没有输入确认码，系统不会再向本邮箱发送邮件。请勿把确认码告诉他人。"),
        ]
    else:
        lines = [
            _("备案系统中登记的邮箱已经更换或删除，今后的提醒不再发送到本邮箱。"),
            _("如非本人操作，请立即登录系统修改密码，并告知系统管理员：%(address)s", address=page),
        ]
    return Text(_("备案系统：%(what)s", what=letter.purpose.label if letter.purpose else ""), [*lines, closing])


def _digest(first: datetime, count: int) -> str:
    many = f"{MOST}+" if count > MOST else count
    return _("%(count)s 条未读消息（%(day)s 起）", count=many, day=first.strftime("%Y-%m-%d"))


def addressed(text: Text, letter: Claim, sender: str, recipient: str) -> EmailMessage:
    """The e-mail message, identical at every attempt. Raises ValueError for a line break in a header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=_("赴境外加工光盘进口备案系统"), addr_spec=sender)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = text.subject
    message["Date"] = format_datetime(letter.queued_at)
    message["Message-ID"] = f"<letter-{letter.id}-{letter.queued_at:%Y%m%d%H%M%S%f}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content("\n\n".join(text.lines) + "\n", cte="base64")  # servers may take ASCII alone
    return message
