"""Parsing of e-mail addresses, and which messages an account wants by e-mail."""

import re
from email.errors import MessageError
from email.headerregistry import Address

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.text import Unreadable, without_format_characters
from models.vocabulary import Word

LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3
# What public mail systems assign; no quotation marks, comments or blanks, so no line break can enter a header.
ADDRESS = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.I | re.A
)


class MailWish(Word):
    """Which messages an account also gets by e-mail."""

    NONE = "none", _l("不发邮件")
    EACH = "each", _l("每条消息")
    DAILY = "daily", _l("每天一封汇总")


def normal_address(typed: str | None) -> str | None:
    """The typed address, trimmed; None for a blank one. Raises Unreadable if ADDRESS or a mail header forbids it."""
    address = without_format_characters(typed or "").strip()
    if not address:
        return None
    plain = len(address) <= LONGEST_ADDRESS and address.isascii() and ADDRESS.fullmatch(address)
    if not plain or not _fits_a_header(address):
        raise Unreadable(_("邮箱地址不正确，请按 name@example.cn 的形式填写。"))
    return address


def _fits_a_header(address: str) -> bool:
    """Whether a mail header can carry the local part: no leading, final or double dot, no encoded word (RFC 2047)."""
    try:
        Address(addr_spec=address)
    except (ValueError, MessageError):
        return False
    return True
