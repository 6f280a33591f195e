"""The query form 查询/重置 above a list (手册 第二章): fixed fields, asked together, kept in the address."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import false
from wtforms import Field, Form

from models import workflow
from models.accounts import Account, Organisation, normal_username
from models.application import Application, search_key
from models.certificate import Certificate
from models.clock import SHANGHAI
from models.codes import District, names_of
from models.customs import DELIVERIES, CustomsMessage
from models.numbering import meant, meant_message
from models.text import clean_line, clean_text, normalize_code
from models.vocabulary import Delivery, Role, Status
from views.fields import DayField, PlainTextField, QueryField, Reading

Condition = Callable[[Any], Any]
ANY = ("", _l("全部"))
FIRST = date(2000, 1, 1)  # no moment of ours lies before; the first days of the era have none in UTC


def text(label: Any, hint: Any = "", read: Reading = clean_text) -> Any:
    """A box for a part of a text, or for a code."""
    return PlainTextField(label, read=read, most=100, render_kw={"placeholder": hint} if hint else {})


def choice(label: Any, options: Callable[[], list[tuple[str, Any]]]) -> Any:
    """A select that begins with 全部 and searches as you type."""
    return QueryField(label, choices=lambda: [ANY, *options()], default="", coerce=str)


def certificate_number(typed: str | None) -> str | None:
    """证明编号 as it was meant; what is no number stays as it was typed, and finds nothing."""
    line = clean_line(typed)
    return line and (meant(line) or line)


def message_number(typed: str | None) -> str | None:
    """报文编号, or 证明编号, as it was meant."""
    line = clean_line(typed)
    return line and meant_message(line)


class Query(Form):
    """Fields and, by the same name, the condition each stands for."""

    conditions: ClassVar[dict[str, Condition]] = {}

    def narrow(self, query: Any) -> Any:
        """Every filled field narrows; a question that makes no sense finds nothing, rather than everything."""
        if not self.validate():
            return query.filter(false())
        for field in self.filled():
            query = query.filter(self.conditions[field.name](field.data))
        return query

    def validate(self, *args: Any, **options: Any) -> bool:
        """Also refuses a range that ends before it begins."""
        valid = bool(super().validate(*args, **options))
        since, until = self._fields.get("since"), self._fields.get("until")
        if since is not None and until is not None and since.data and until.data and since.data > until.data:
            until.errors = [*until.errors, _("起始日期晚于终止日期，请核对。")]
            return False
        return valid

    def filled(self) -> list[Field]:
        """The fields that ask something."""
        return [field for field in self if field.data not in (None, "")]


def statuses(allowed: frozenset[Status] | set[Status]) -> Any:
    """数据状态, of those that this reader can meet."""
    return choice(_l("数据状态"), lambda: [(s.value, s.label) for s in Status if s in allowed])


class OwnQuery(Query):
    """The manual's three: 商品名称, 数据状态, 申请起止日期."""

    title = text(_l("商品名称"))
    status = statuses(set(Status))
    since = DayField(_l("申请日期"))
    until = DayField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "title": lambda words: Application.title_key.contains(search_key(words), autoescape=True),
        "status": lambda status: Application.status_order == Status(status).order,
        "since": lambda day: Application.applied_on >= day,
        "until": lambda day: Application.applied_on <= day,
        "publisher": lambda words: Application.publisher_name.contains(words, autoescape=True),
        "province": lambda code: Application.province == code,
        "certificate": lambda number: Application.certificate.has(Certificate.number == number),
    }


class ProvinceQuery(OwnQuery):
    """A province sees no drafts, and asks by publisher too."""

    status = statuses(set(Status) - workflow.PRIVATE)
    publisher = text(_l("出版单位"))


class QueueQuery(OwnQuery):
    """What waits has one status; it is found by name, publisher or day."""

    status = None
    publisher = text(_l("出版单位"))


class NationQuery(OwnQuery):
    """Over every province, of what provinces have issued."""

    status = statuses(set(workflow.ISSUED))
    publisher = text(_l("出版单位"))
    province = choice(_l("省份"), lambda: list(names_of("province").items()))
    certificate = text(_l("证明编号"), read=certificate_number)


class ExchangeQuery(Query):
    """Messages to customs by number, how far they have come, and when they were queued."""

    number = text(_l("报文编号"), _l("或证明编号"), message_number)
    state = choice(_l("交换状态"), lambda: [(state.value, state.label) for state in Delivery])
    since = DayField(_l("入列日期"))
    until = DayField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "number": lambda words: CustomsMessage.message_id.startswith(words.upper(), autoescape=True),
        "state": lambda state: DELIVERIES[Delivery(state)],
        "since": lambda day: CustomsMessage.queued_at >= datetime.combine(max(day, FIRST), time.min, SHANGHAI),
        "until": lambda day: CustomsMessage.queued_at <= datetime.combine(max(day, FIRST), time.max, SHANGHAI),
    }


class AccountQuery(Query):
    """Accounts by name or role."""

    username = text(_l("用户名"), read=normal_username)
    name = text(_l("姓名"))
    role = choice(_l("角色"), lambda: [(role.value, role.label) for role in Role])
    conditions: ClassVar[dict[str, Condition]] = {
        "username": lambda words: Account.username.contains(words, autoescape=True),
        "name": lambda words: Account.name.contains(words, autoescape=True),
        "role": lambda role: Account.role == Role(role),
    }


class OrganisationQuery(Query):
    """Organisations by name or code."""

    name = text(_l("单位名称"))
    credit_code = text(_l("统一社会信用代码"), read=normalize_code)
    conditions: ClassVar[dict[str, Condition]] = {
        "name": lambda words: Organisation.name.contains(words, autoescape=True),
        "credit_code": lambda words: Organisation.credit_code.contains(words, autoescape=True),
    }


class DistrictQuery(Query):
    """Customs districts by code or name."""

    code = text(_l("关区代码"), read=clean_line)
    name = text(_l("关区名称"))
    conditions: ClassVar[dict[str, Condition]] = {
        "code": lambda words: District.code.startswith(words, autoescape=True),
        "name": lambda words: District.name.contains(words, autoescape=True),
    }
