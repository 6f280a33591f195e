"""The query form 查询/重置 above a list (手册 第二章): fixed fields, combined with AND, stored in the address."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import false
from wtforms import Field, Form

from models import access, workflow
from models.application import Application
from models.application.search import containing
from models.certificate import Certificate
from models.clock import SHANGHAI
from models.codes import District, names_of
from models.customs import DELIVERIES, CustomsMessage, long_unanswered
from models.database import db
from models.numbering import meant, meant_message
from models.people.accounts import Account, Organisation, normal_username
from models.text import clean_line, clean_text, normalize_code
from models.vocabulary import Delivery, Role, Status
from views.panel.fields import DayField, PlainTextField, QueryField, Reading
from views.resources import pace

Condition = Callable[[Any], Any]
ANY = ("", _l("全部"))
UNANSWERED = _l("久未回执")  # of a message: sent long ago, and customs has not answered
FIRST = date(2000, 1, 1)  # no moment of ours lies before; the first days of the era have none in UTC


def text(label: Any, hint: Any = "", read: Reading = clean_text) -> Any:
    """A field for a part of a text, or for a code; `read` normalizes what was typed."""
    return PlainTextField(label, read=read, most=100, render_kw={"placeholder": hint} if hint else {})


def choice(label: Any, options: Callable[[], list[tuple[str, Any]]]) -> Any:
    """A select with 全部 first, which searches as you type; `options`: (value, label)."""
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
    """A query form: fields, and under the same names their conditions in SQL."""

    conditions: ClassVar[dict[str, Condition]] = {}

    def narrow(self, query: Any) -> Any:
        """`query` with the condition of every filled field; an invalid form finds nothing, rather than everything."""
        if not self.validate():
            return query.filter(false())
        for field in self.filled():
            query = query.filter(self.conditions[field.name](field.data))
        return query

    def validate(self, *args: Any, **options: Any) -> bool:
        """Also refuses a date range that ends before it begins."""
        valid = bool(super().validate(*args, **options))
        since, until = self._fields.get("since"), self._fields.get("until")
        if since is not None and until is not None and since.data and until.data and since.data > until.data:
            until.errors = [*until.errors, _("起始日期晚于终止日期，请核对。")]
            return False
        return valid

    def filled(self) -> list[Field]:
        """The fields that are filled in."""
        return [field for field in self if field.data not in (None, "")]


def statuses(allowed: frozenset[Status] | set[Status]) -> Any:
    """数据状态: a select of the statuses that this role can see."""
    return choice(_l("数据状态"), lambda: [(s.value, s.label) for s in Status if s in allowed])


class OwnQuery(Query):
    """The three fields of the manual: 商品名称, 数据状态, 申请起止日期."""

    title = text(_l("商品名称"))
    status = statuses(set(Status))
    since = DayField(_l("申请日期"))
    until = DayField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "title": lambda words: containing(db.session(), words, access.search_scope(db.session())),
        "status": lambda status: Application.status_order == Status(status).order,
        "since": lambda day: Application.applied_on >= day,
        "until": lambda day: Application.applied_on <= day,
        "publisher": lambda words: Application.publisher_name.contains(words, autoescape=True),
        "province": lambda code: Application.province == code,
        "certificate": lambda number: Application.certificate.has(Certificate.number == number),
    }


class ProvinceQuery(OwnQuery):
    """For a province: no drafts, and a field for the publisher."""

    status = statuses(set(Status) - workflow.PRIVATE)
    publisher = text(_l("出版单位"))


class QueueQuery(OwnQuery):
    """For waiting applications, which all have one status: by title, publisher or date."""

    status = None
    publisher = text(_l("出版单位"))


class NationQuery(OwnQuery):
    """For the nation: what the provinces have issued, by province and certificate too."""

    status = statuses(set(workflow.ISSUED))
    publisher = text(_l("出版单位"))
    province = choice(_l("省份"), lambda: list(names_of("province").items()))
    certificate = text(_l("证明编号"), read=certificate_number)


LONG = ("unanswered", UNANSWERED)


def state_is(state: str) -> Any:
    """Messages in this state, or without an answer for long."""
    return DELIVERIES[Delivery(state)] if state in set(Delivery) else long_unanswered(pace().unanswered_since())


class ExchangeQuery(Query):
    """Messages to customs by number, state of delivery, and date of queueing."""

    number = text(_l("报文编号"), _l("或证明编号"), message_number)
    state = choice(
        _l("交换状态"), lambda: [*((state.value, state.label) for state in Delivery), ("unanswered", UNANSWERED)]
    )
    since = DayField(_l("入列日期"))
    until = DayField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "number": lambda words: CustomsMessage.message_id.startswith(words.upper(), autoescape=True),
        "state": lambda state: state_is(state),
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
