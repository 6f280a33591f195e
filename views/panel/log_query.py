"""Query forms of the logs: by day, user, object and client address."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from models.application import Application
from models.application.disclosure import NATIONAL_ACTS
from models.application.trail import TrailEntry
from models.log import Handout, LogEntry, Operation, SignIn
from models.people.accounts import Account, normal_username
from models.people.sessions import Visit
from models.text import clean_line, normalize_code
from models.vocabulary import Word
from views.panel.periods import SinceField, UntilField, begin, end
from views.panel.query import Condition, Query, choice, text


def kinds(label: Any, words: Iterable[Word], **more: Any) -> Any:
    """A select of these kinds."""
    return choice(label, lambda: [(word.value, word.label) for word in words], **more)


def is_about(words: str) -> Any:
    """Condition: the object of an entry, as typed or in ASCII width, and cut as the log stores it."""
    about: Any = LogEntry.about
    return about.in_(sorted({spelling[: about.type.length] for spelling in (words, clean_line(words) or words)}))


class LogQuery(Query):
    """Matches whole names, numbers and addresses only: each condition is one index range, newest first.

    But `about`, where the words have two spellings.
    """

    since = SinceField(_l("日期"))
    until = UntilField(_l("至"))
    username = text(_l("用户名"), _l("完整的用户名"), normal_username)
    address = text(_l("地址"), _l("完整的 IP 地址"), clean_line)
    conditions: ClassVar[dict[str, Condition]] = {
        "since": lambda day: LogEntry.at >= begin(day),
        "until": lambda day: LogEntry.at <= end(day),
        "username": lambda name: LogEntry.username == name,
        "address": lambda address: LogEntry.address == address,
        "kind": lambda kind: LogEntry.kind == kind,
        "about": is_about,
    }


class SignInQuery(LogQuery):
    """登录日志."""

    kind = kinds(_l("事项"), SignIn)


class OperationQuery(LogQuery):
    """操作日志."""

    kind = kinds(_l("事项"), Operation)
    about = text(_l("对象"), _l("完整的用户名、代码或名称"))


class HandoutQuery(LogQuery):
    """打印与导出日志."""

    kind = kinds(_l("事项"), Handout)
    about = text(_l("编号"), _l("完整的申请单号或证明编号"), normalize_code)


class TrailQuery(Query):
    """办理日志."""

    since = SinceField(_l("日期"))
    until = UntilField(_l("至"))
    username = text(_l("用户名"), _l("完整的用户名"), normal_username)
    number = text(_l("申请单号"), _l("完整的申请单号"), normalize_code)
    act = kinds(_l("环节"), NATIONAL_ACTS, id="asked-act")
    conditions: ClassVar[dict[str, Condition]] = {
        "since": lambda day: TrailEntry.at >= begin(day),
        "until": lambda day: TrailEntry.at <= end(day),
        "username": lambda name: (
            TrailEntry.actor_id == select(Account.id).where(Account.username == name).scalar_subquery()
        ),
        "number": lambda number: (
            TrailEntry.application_id == select(Application.id).where(Application.number == number).scalar_subquery()
        ),
        "act": lambda act: TrailEntry.act == act,
    }


class OnlineQuery(Query):
    """在线用户; few rows, so that parts of names are searched without an index."""

    username = text(_l("用户名"), read=normal_username)
    address = text(_l("地址"), read=clean_line)
    conditions: ClassVar[dict[str, Condition]] = {
        "username": lambda words: Visit.account.has(Account.username.contains(words, autoescape=True)),
        "address": lambda words: Visit.address.startswith(words, autoescape=True),
    }
