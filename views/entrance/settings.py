"""Settings that cannot be used stop the start with one sentence, in the terminal and in gunicorn alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import click
from flask_babel import gettext as _
from sqlalchemy.exc import ArgumentError

from models.certificate import paper_queue
from models.customs import outbox
from models.database import postgresql
from models.mail.smtp import PLAIN, WAYS
from models.notifications import letters
from models.people.mail_address import normal_address
from models.workflow import Refused
from views.entrance import card_login, relying_party

NUMBERS = {  # name → the least that makes sense
    "ATTACHMENT_MB": 1, "ATTACHMENTS_PER_KIND": 1, "ATTACHMENTS_IN_ALL": 1, "ATTACHMENTS_EVER": 1, "INSPECTIONS": 1,
    "SESSION_MINUTES": 1, "SESSION_HOURS": 1, "REQUEST_SECONDS": 1, "PROXIES": 0, "VALID_DAYS": 1,
}  # fmt: skip
TEXTS = (
    "SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY", "SIGNING_PASSPHRASE", "BASE_URL",
    "CARD_URL", "CARD_SECRET", "CARD_CA", "CARD_CRL",
    "SMTP", "SMTP_TLS", "SMTP_CA", "SMTP_USER", "SMTP_PASSWORD", "SMTP_FROM",
)  # fmt: skip
HERE = {"127.0.0.1", "localhost"}
GROUPS = {  # name → whose fields may be set, each a number
    "DATABASE_TIMEOUTS": postgresql.Timeouts,
    "CUSTOMS_PACE": outbox.Pace,
    "PAPER_PACE": paper_queue.Pace,
    "MAIL_PACE": letters.Pace,
}


def check(config: dict[str, Any]) -> None:
    """Raises click.ClickException; a number in place of a text, as a passphrase may look like one, becomes a text."""
    for name, least in NUMBERS.items():
        config[name] = _whole(name, config[name], least)
    for name in TEXTS:
        if isinstance(config[name], int):
            config[name] = str(config[name])
        if not isinstance(config[name], str | None):
            raise click.ClickException(_("FILING_%(name)s 应为文字，请改正后再启动。", name=name))
    for name, group in GROUPS.items():
        _check_group(name, config[name], {each.name for each in fields(group)})
    relying_party.check(config)
    card_login.check(config)
    if config["SMTP"]:
        _check_mail(config)


def _whole(name: str, value: Any, least: int) -> int | None:
    """The number that a setting holds; None where it is empty."""
    if value is None or value == "":
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if number < least:
        raise click.ClickException(
            _("FILING_%(name)s 应为不小于 %(least)s 的整数，请改正后再启动。", name=name, least=least)
        )
    return number


def _check_group(name: str, value: Any, known: set[str]) -> None:
    given = value if isinstance(value, dict) else {"": None}
    wrong = [key for key, each in given.items() if key not in known or not isinstance(each, int | float)]
    if wrong:
        words = {"name": name, "wrong": "、".join(wrong), "known": "、".join(sorted(known))}
        raise click.ClickException(
            _("FILING_%(name)s__%(wrong)s 不能使用：可设 %(known)s，均为数字，请改正后再启动。", **words)
        )


def _check_mail(config: dict[str, Any]) -> None:
    host, _colon, port = config["SMTP"].partition(":")
    if not host or (port and not port.isdecimal()):
        raise click.ClickException(_("FILING_SMTP 应为 主机 或 主机:端口，请改正后再启动。"))
    if config["SMTP_TLS"] not in WAYS:
        raise click.ClickException(_("FILING_SMTP_TLS 应为 %(ways)s 之一，请改正后再启动。", ways="、".join(WAYS)))
    if config["SMTP_TLS"] == PLAIN and config["SMTP_PASSWORD"] and host not in HERE:
        raise click.ClickException(_("FILING_SMTP_TLS=none 没有加密，不能发送密码，请改用 starttls 或 tls。"))
    try:
        sender = normal_address(config["SMTP_FROM"])
    except Refused:
        sender = None
    if sender is None:
        raise click.ClickException(_("FILING_SMTP_FROM 应为发件邮箱地址，请改正后再启动。"))


@contextmanager
def errors_in_a_sentence() -> Iterator[None]:
    """What a wrong setting makes of the start: click.ClickException in place of a traceback."""
    try:
        yield
    except (ArgumentError, ImportError) as wrong:
        sentence = _("FILING_SQLALCHEMY_DATABASE_URI 不是可用的数据库地址（%(why)s），请改正后再启动。", why=wrong)
        raise click.ClickException(sentence) from None
    except OSError as wrong:
        sentence = _("“%(path)s”不能读写（%(why)s），请检查后再启动。", path=wrong.filename, why=wrong.strerror)
        raise click.ClickException(sentence) from None
