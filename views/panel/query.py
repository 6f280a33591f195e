"""The query form 查询/重置 above a list (手册 第二章): fixed fields, combined with AND, stored in the address."""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, false, select, true
from wtforms import Field

from models import access, clock, workflow
from models.application import Application
from models.application.search import Narrowed, Published, containing, count_in_index, published_by
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import db, search
from models.deadlines.calendar import CalendarDay, years_of
from models.numbering import APPLICATIONS, DIGITS, SERIAL, numbers_ending_in, parse_message_id, parse_number
from models.people.accounts import Account, Organisation, normal_username
from models.text import clean_line, clean_text, normalize_code
from models.vocabulary import DayKind, Delivery, Role, Status
from views.panel import deadlines
from views.panel.display import once
from views.panel.fields import DayField, PlainTextField, QueryField, Reading
from views.panel.periods import RangeForm, SinceField, UntilField, begin, end
from views.resources import pace

Condition = Callable[[Any], Any]
ANY = ("", _l("全部"))
UNANSWERED = _l("久未回执")  # a message that customs has not answered for long


def text(label: Any, hint: Any = "", read: Reading = clean_text) -> Any:
    """A text field; `hint`: placeholder, `read`: normalizes the typed text."""
    return PlainTextField(label, read=read, most=100, render_kw={"placeholder": hint} if hint else {})


def choice(label: Any, options: Callable[[], list[tuple[str, Any]]], **more: Any) -> Any:
    """A searchable select with 全部 first; `options()` returns (value, label) pairs."""
    return QueryField(label, choices=lambda: [ANY, *options()], default="", coerce=str, **more)


def begins_with(column: Any, words: str, many: bool) -> Any:
    """Condition: a number of capitals, digits and dashes begins with `words`. The range is for the index.

    `many`: too many rows to sort them; without the range SQLite reads the index of the requested order.
    """
    begins = column.startswith(words, autoescape=True)
    return begins if many else and_(column.between(words, words + "Z" * 32), begins)


def certificate_number(typed: str | None) -> str | None:
    """Normalized 证明编号; text that is none is returned as typed, and finds nothing."""
    line = clean_line(typed)
    return line and (parse_number(line) or line)


def message_number(typed: str | None) -> str | None:
    """Normalized 报文编号 or 证明编号."""
    line = clean_line(typed)
    return line and parse_message_id(line)


class Query(RangeForm):
    """A query form: fields, and SQL conditions under the same names."""

    conditions: ClassVar[dict[str, Condition]] = {}
    newest: int | None = None  # only so many newest rows are needed, so that a search may stop there
    seldom: ClassVar[tuple[str, ...]] = ()  # names of fields under 更多条件
    numbers: ClassVar[dict[str, Any]] = {}  # field for the beginning of a number → column of that number
    many = False  # more rows are found than the pager reaches, and the order is not that of these numbers

    def narrow(self, query: Any) -> Any:
        """`query` with the condition of every filled field; an invalid form finds no rows."""
        if not self.valid:
            return query.filter(false())
        for field in self.filled():
            query = query.filter(self.condition(field.name, field.data))
        return query

    def condition(self, name: str, value: Any) -> Any:
        """The condition of one filled field."""
        if name in self.numbers:
            return begins_with(self.numbers[name], value.upper(), self.many)
        return self.conditions[name](value)

    @cached_property
    def valid(self) -> bool:
        """validate(), called once: a page asks several times."""
        return self.validate()

    def validate(self, *args: Any, **options: Any) -> bool:
        """Also reports an error for a range that ends before it begins."""
        valid = bool(super().validate(*args, **options))
        for until in self:
            since = self.other_end(until, "until", "since")
            if since is not None and since.data and until.data and since.data > until.data:
                is_day = isinstance(until, DayField)
                sentence = _("起始日期晚于终止日期，请核对。") if is_day else _("最小数量大于最大数量，请核对。")
                until.errors = [*until.errors, sentence]
                valid = False
        return valid

    def count_in_index(self) -> int | None:
        """The number of rows found, `newest` at most, if an index alone tells it; None otherwise."""
        return None

    def asks_seldom(self) -> bool:
        """Whether a field under 更多条件 is filled or has an error."""
        ends = {*self.seldom, *(name.removesuffix("since") + "until" for name in self.seldom)}
        return any(field.short_name in ends and (field.errors or field.data) for field in self)

    def filled(self) -> list[Field]:
        """The fields that are filled in."""
        return [field for field in self if field.data not in (None, "")]


def statuses(allowed: frozenset[Status] | set[Status]) -> Any:
    """数据状态: a select of the statuses that this role can see."""
    return choice(_l("数据状态"), lambda: [(s.value, s.label) for s in Status if s in allowed])


class OwnQuery(Query):
    """The fields of the manual, 商品名称, 数据状态, 申请起止日期, and 申请单号, its beginning or serial number."""

    title = text(_l("商品名称"))
    status = statuses(set(Status))
    number = text(_l("申请单号"), _l("SQ 开头几位或完整流水号"), normalize_code)
    since = SinceField(_l("申请日期"))
    until = UntilField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "status": lambda status: Application.status_order == Status(status).order,
        "since": lambda day: Application.applied_on >= day,
        "until": lambda day: Application.applied_on <= day,
        "province": lambda code: Application.province == code,
        "certificate": lambda number: Application.id.in_(
            select(Certificate.application_id).where(Certificate.number == number)
        ),
    }
    numbers: ClassVar[dict[str, Any]] = {"number": Application.number}
    fixed: ClassVar[tuple[str, ...]] = ()  # tokens (models/database/search.py) of all rows of the list

    def condition(self, name: str, value: Any) -> Any:
        if name == "number" and SERIAL.fullmatch(value):
            return Application.number.in_(numbers_ending_in(db.session(), value))
        if name == "number" and DIGITS.fullmatch(value):
            value = f"{APPLICATIONS}{value}"
        if name == "title":
            return containing(db.session(), value, self.narrowed())
        if name == "publisher":  # with the title, if there is one
            return true() if "title" in self and self["title"].data else self.published_by(value).condition
        return super().condition(name, value)

    def published_by(self, words: str) -> Published:
        return once(("published by", words), lambda: published_by(db.session(), words))

    def count_in_index(self) -> int | None:
        session, title = db.session(), self["title"].data if "title" in self else None
        return count_in_index(session, title, self.narrowed()) if title and access.search_scope(session) else None

    def narrowed(self) -> Narrowed:
        """The other filled fields as tokens for the search index of titles."""
        filled = {field.name: field.data for field in self.filled()}
        tokens = [*access.search_scope(db.session()), *self.fixed]
        if "status" in filled:
            tokens.append(search.token("status_order", Status(filled["status"]).order))
        if "province" in filled:
            tokens.append(search.token("province", filled["province"]))
        tokens += search.months(filled.get("since"), filled.get("until") or clock.today())
        published, in_tokens = self.published_by(filled.get("publisher", "")), {"title", "status", "province"}
        in_tokens |= {"publisher"} if published.tokens else set()
        newest = self.newest if filled.keys() <= in_tokens else None
        return Narrowed(tuple(tokens), newest, published, self.many)


class QueueQuery(OwnQuery):
    """For pending applications, which all have one status: by title, publisher, date, due date, resubmission."""

    status = None
    fixed = tuple(search.token("status_order", status.order) for status in workflow.AWAITING)
    publisher = text(_l("出版单位"))
    since, until = SinceField(_l("申请日期")), UntilField(_l("至"))  # again, to come after `publisher` in rows of 3
    due = choice(_l("办结期限"), lambda: [(span, label) for span, (label, _condition) in deadlines.SPANS.items()])
    round = choice(_l("申报次数"), lambda: [("first", _l("首次申报")), ("again", _l("退回后重新申报"))])
    conditions: ClassVar[dict[str, Condition]] = OwnQuery.conditions | {
        "due": lambda span: deadlines.SPANS[span][1](),
        "round": lambda which: Application.submissions > 1 if which == "again" else Application.submissions <= 1,
    }


def state_is(state: str) -> Any:
    """Condition: messages in this delivery state, or `unanswered`."""
    if state in set(Delivery):
        return CustomsMessage.state == Delivery(state)
    return CustomsMessage.unanswered(pace().unanswered_since())


class ExchangeQuery(Query):
    """Messages to customs by number, state of delivery, and date of queueing."""

    number = text(_l("报文编号"), _l("或证明编号"), message_number)
    state = choice(
        _l("交换状态"), lambda: [*((state.value, state.label) for state in Delivery), ("unanswered", UNANSWERED)]
    )
    since = SinceField(_l("入列日期"))
    until = UntilField(_l("至"))
    numbers: ClassVar[dict[str, Any]] = {"number": CustomsMessage.message_id}
    conditions: ClassVar[dict[str, Condition]] = {
        "state": state_is,
        "since": lambda day: CustomsMessage.queued_at >= begin(day),
        "until": lambda day: CustomsMessage.queued_at <= end(day),
    }


class CalendarQuery(Query):
    """Days of the calendar by year and kind."""

    year = choice(_l("年份"), lambda: [(str(year), str(year)) for year in years_of(db.session())])
    kind = choice(_l("类别"), lambda: [(kind.value, kind.label) for kind in DayKind])
    conditions: ClassVar[dict[str, Condition]] = {
        "year": lambda year: CalendarDay.day.between(date(int(year), 1, 1), date(int(year), 12, 31)),
        "kind": lambda kind: CalendarDay.kind == DayKind(kind),
    }


class AccountQuery(Query):
    """Accounts by name or role."""

    username = text(_l("用户名"), read=normal_username)
    name = text(_l("姓名"))
    role = choice(_l("角色"), lambda: [(role.value, role.label) for role in Role])
    conditions: ClassVar[dict[str, Condition]] = {
        "username": lambda words: Account.username.contains(words, autoescape=True),
        "name": lambda words: Account.name.icontains(words, autoescape=True),
        "role": lambda role: Account.role == Role(role),
    }


class OrganisationQuery(Query):
    """Organisations by name or code."""

    name = text(_l("单位名称"))
    credit_code = text(_l("统一社会信用代码"), read=normalize_code)
    conditions: ClassVar[dict[str, Condition]] = {
        "name": lambda words: Organisation.name.icontains(words, autoescape=True),
        "credit_code": lambda words: Organisation.credit_code.contains(words, autoescape=True),
    }
