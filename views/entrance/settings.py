"""Checks of the settings: an invalid one raises click.ClickException and stops the start, here and in gunicorn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from cryptography.x509 import InvalidVersion, load_pem_x509_certificates
from flask_babel import gettext as _
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from models.certificate import licence_identifier, paper_queue
from models.checkpoint.named_key import Unverified
from models.checkpoint.remote_witness import RemoteWitness, is_remote
from models.checkpoint.witnesses import MAIL, split_names
from models.codes import names_of
from models.customs import outbox
from models.database import postgresql, seals
from models.files.virus import is_address
from models.mail.smtp import PLAIN, WAYS
from models.notifications import letters
from models.people.mail_address import normal_address
from models.workflow import Refused
from views.entrance import card_login, portal, process_log, relying_party, witnessing

NUMBERS = {  # whole numbers: name → minimum; an empty value means the default
    "ATTACHMENT_MB": 1, "ATTACHMENTS_PER_KIND": 1, "ATTACHMENTS_IN_ALL": 1, "ATTACHMENTS_EVER": 1, "INSPECTIONS": 1,
    "SESSION_MINUTES": 1, "SESSION_HOURS": 1, "REQUEST_SECONDS": 1, "PROXIES": 0, "VALID_DAYS": 1,
    "REPLICA_SECONDS": 1, "STATUS_LIST_DAYS": 1, "SLOW_STATEMENT_MS": 0, "AUTOSAVE_SECONDS": 0,
}  # fmt: skip
MOST, HIGHEST = {"STATUS_LIST_DAYS": 366, "VALID_DAYS": 36_500}, 1_000_000  # maximum of these, and of any other number
TEXTS = (
    "SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "REPLICA_URI", "STORE", "SIGNING_KEY", "SIGNING_PASSPHRASE", "BASE_URL",
    "TSA", "TSA_CA", "TSA_CRL", "LICENCE_TYPE", "LOG_FORMAT", "METRICS_TOKEN", "SEAL_ALGORITHM",
    "CHECKPOINTS", "CHECKPOINT_KEY", "WITNESSES", "WITNESS_CA", "WITNESS_FOLDER", "WITNESS_KEY", "WITNESS_LOGS",
    "CARD_URL", "CARD_SECRET", "CARD_CA", "CARD_CRL",
    "PORTAL_ISSUER", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET", "PORTAL_CA", "PORTAL_SCOPE", "PORTAL_ORGANISATION",
    "PORTAL_CREDIT_CODE", "PORTAL_LEVELS", "CLAMD",
    "SMTP", "SMTP_TLS", "SMTP_CA", "SMTP_USER", "SMTP_PASSWORD", "SMTP_FROM",
)  # fmt: skip
HERE = {"127.0.0.1", "localhost"}
GROUPS = {  # name → dataclass whose fields may be set, each to a number
    "DATABASE_TIMEOUTS": postgresql.Timeouts,
    "CUSTOMS_PACE": outbox.Pace,
    "PAPER_PACE": paper_queue.Pace,
    "MAIL_PACE": letters.Pace,
}


def check(config: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Check and normalize `config` in place: a text read as a number becomes a text. Raises click.ClickException."""
    for name, least in NUMBERS.items():
        config[name] = defaults[name] if config[name] in (None, "") else _whole(name, config[name], least)
    for name in TEXTS:
        if isinstance(config[name], int):
            config[name] = str(config[name])
        if not isinstance(config[name], str | None):
            raise click.ClickException(_("FILING_%(name)s 应为文字，请改正后再启动。", name=name))
    for name, group in GROUPS.items():
        _check_group(name, config[name], {each.name for each in fields(group)})
    _check_databases(config)
    _check_choices(config)
    relying_party.check(config)
    card_login.check(config)
    portal.check(config)
    _check_time_stamps(config)
    _check_licence_codes(config)
    _check_witnesses(config)
    if config["SMTP"]:
        _check_mail(config)


def _check_choices(config: dict[str, Any]) -> None:
    if config["CLAMD"] and not is_address(config["CLAMD"]):
        raise click.ClickException(_("FILING_CLAMD 应为 unix:/路径 或 主机:端口，请改正后再启动。"))
    if config["LOG_FORMAT"] not in process_log.FORMATS:
        raise click.ClickException(_("FILING_LOG_FORMAT 应为 plain 或 json，请改正后再启动。"))
    if not seals.is_available(config["SEAL_ALGORITHM"] or ""):
        raise click.ClickException(
            _("FILING_SEAL_ALGORITHM 应为 sha256 或 sm3，并为本机的 OpenSSL 所支持，请改正后再启动。")
        )


def _check_databases(config: dict[str, Any]) -> None:
    for name in ("SQLALCHEMY_DATABASE_URI", "REPLICA_URI"):
        try:
            url = make_url(config[name]) if config[name] or name != "REPLICA_URI" else None
            if url is not None:
                url.get_dialect().import_dbapi()
        except (ArgumentError, ImportError, ValueError) as wrong:  # ValueError: the port is not a number
            sentence = _("FILING_%(name)s 不是可用的数据库地址（%(why)s），请改正后再启动。", name=name, why=wrong)
            raise click.ClickException(sentence) from None
    if url is not None and url.get_backend_name() != "postgresql":
        raise click.ClickException(_("FILING_REPLICA_URI 应为 PostgreSQL 的地址，请改正后再启动。"))


def _check_witnesses(config: dict[str, Any]) -> None:
    witnessing.check(config)
    _check_roots(config, "WITNESS_CA")
    for name in split_names(config["WITNESSES"]):
        if name.startswith(MAIL) and not _is_mail(name):
            sentence = _("FILING_WITNESSES 中的“%(wrong)s”不是邮箱地址，请改正后再启动。", wrong=name)
            raise click.ClickException(sentence)
        if is_remote(name):
            try:
                RemoteWitness.of_text(name)
            except Unverified:
                words = _("FILING_WITNESSES 中的“%(wrong)s”应为 https://地址#见证的公钥，请改正后再启动。", wrong=name)
                raise click.ClickException(words) from None


def _is_mail(address: str | None) -> bool:
    try:
        return normal_address((address or "").removeprefix(MAIL)) is not None
    except Refused:
        return False


def _check_licence_codes(config: dict[str, Any]) -> None:
    kind, given = config["LICENCE_TYPE"], config["LICENCE_ISSUERS"]
    if kind and not licence_identifier.TYPE.fullmatch(kind):
        raise click.ClickException(_("FILING_LICENCE_TYPE 应为 18 位机构代码加 3 位数字，请改正后再启动。"))
    issuers = {name: str(code) for name, code in given.items()} if isinstance(given, dict) else {"": ""}
    wrong = [
        name
        for name, code in issuers.items()
        if name not in names_of("province") or not licence_identifier.ISSUER.fullmatch(code)
    ]
    if wrong:
        words = _(
            "FILING_LICENCE_ISSUERS__%(wrong)s 应为省份代码和该省机关的统一社会信用代码，请改正后再启动。",
            wrong="、".join(wrong),
        )
        raise click.ClickException(words)
    config["LICENCE_ISSUERS"] = issuers


def _check_time_stamps(config: dict[str, Any]) -> None:
    if bool(config["TSA"]) != bool(config["TSA_CA"]):
        raise click.ClickException(_("FILING_TSA 和 FILING_TSA_CA 应同时设置，或都不设置，请改正后再启动。"))
    if config["TSA"] and not config["TSA"].startswith(("http://", "https://")):
        raise click.ClickException(_("FILING_TSA 应为 http:// 或 https:// 地址，请改正后再启动。"))
    _check_roots(config, "TSA_CA")
    if config["TSA_CRL"] and not config["TSA"]:
        raise click.ClickException(_("FILING_TSA_CRL 只与 FILING_TSA 一起使用，请改正后再启动。"))
    if config["TSA_CRL"] and not Path(config["TSA_CRL"]).is_file():  # only that it exists: its content changes daily
        raise click.ClickException(_("FILING_TSA_CRL 所指的文件不存在，请改正后再启动。"))


def _check_roots(config: dict[str, Any], name: str) -> None:
    """Raises click.ClickException for a file that is not certificates in PEM."""
    try:
        if config[name]:
            load_pem_x509_certificates(Path(config[name]).read_bytes())
    except (OSError, ValueError, InvalidVersion):
        words = _("FILING_%(name)s 不是可读的 PEM 证书文件，请改正后再启动。", name=name)
        raise click.ClickException(words) from None


def _whole(name: str, value: Any, least: int) -> int:
    """The value of a setting as a whole number within its bounds."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):  # 1e400 is parsed as infinity
        number = least - 1
    if number < least:
        raise click.ClickException(
            _("FILING_%(name)s 应为不小于 %(least)s 的整数，请改正后再启动。", name=name, least=least)
        )
    if number > (most := MOST.get(name, HIGHEST)):
        raise click.ClickException(
            _("FILING_%(name)s 应为不大于 %(most)s 的整数，请改正后再启动。", name=name, most=most)
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
    if not _is_mail(config["SMTP_FROM"]):
        raise click.ClickException(_("FILING_SMTP_FROM 应为发件邮箱地址，请改正后再启动。"))


@contextmanager
def errors_in_a_sentence() -> Iterator[None]:
    """Turn an OSError at start-up into click.ClickException with path and reason."""
    try:
        yield
    except OSError as wrong:
        sentence = _("“%(path)s”不能读写（%(why)s），请检查后再启动。", path=wrong.filename, why=wrong.strerror)
        raise click.ClickException(sentence) from None
