"""登录日志, 操作日志, 打印与导出日志, 办理日志: read-only lists with export."""

from operator import attrgetter
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup, escape
from sqlalchemy import false
from sqlalchemy.orm import Session, joinedload

from models.application import Application
from models.application.disclosure import PRIVATE_ACTS
from models.application.trail import TrailEntry
from models.database import db
from models.log import REFUSED, LogEntry, SignIn
from models.vocabulary import Role
from views.panel.display import EMPTY
from views.panel.list_export import ListExport
from views.panel.log_disclosure import about, note_visible, visible, words
from views.panel.log_query import HandoutQuery, OperationQuery, SignInQuery, TrailQuery
from views.panel.screen import labels_of
from views.panel.spreadsheet import Column
from views.translations.stored import actor_of, in_readers_language

FAILURES = {*REFUSED, SignIn.WRONG_CURRENT, SignIn.KEY_COUNTER}


def moment(row: Any) -> str:
    """The time of an entry, with seconds."""
    return f"{row.at:%Y-%m-%d %H:%M:%S}"


def tag(row: LogEntry) -> Markup:
    """The kind of an entry as a tag; failures in amber."""
    tone = "warning" if row.what in FAILURES else "light"
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, row.what.label)


def who(row: LogEntry) -> str:
    """publisher（王敏）; for a name without an account its mark of 4 hex digits."""
    if not row.username:
        return _("命令行")
    return _("%(username)s（%(name)s）", username=row.username, name=row.name or _("未登记"))


SHOWN: dict[str, Any] = {
    "at": moment,
    "who": who,
    "about": lambda row: in_readers_language(about(row, current_user.id)),
    "words": lambda row: in_readers_language(words(row, current_user.id)),
}


class ReadOnlyLog(ListExport):
    """A read-only list, newest first, whose rows have no page; with export."""

    roles = frozenset({Role.OPERATOR, Role.NATIONAL})
    column_sortable_list = ("at",)
    column_default_sort: Any = [("at", True), ("id", True)]
    address_of: Any = None
    narrowing: tuple[str, ...] = ()  # fields of the query form for each of which an index exists

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        narrowed = asked - {"since", "until"}
        return len(narrowed) <= 1 and narrowed <= set(self.narrowing)


class LogScreen(ReadOnlyLog):
    """One of the logs of models/log."""

    log = ""
    column_labels = labels_of(LogEntry) | {"what": _l("事项"), "who": _l("用户")}
    column_formatters: Any = {
        "what": lambda _view, _context, row, _name: tag(row),
        **{name: lambda _view, _context, row, name: SHOWN[name](row) or EMPTY for name in SHOWN},
        **{name: lambda _view, _context, row, name: getattr(row, name) or EMPTY for name in ("address", "program")},
    }
    narrowing = ("username", "address", "kind", "about")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LogEntry, db, **kwargs)

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(LogEntry.log == self.log))

    def columns(self) -> list[Column]:
        labels = {name: str(label) for name, label in self.column_labels.items()}
        names = ("at", "what", "username", "name", "address", "program", "about", "amount", "words")
        reader_id = current_user.id
        shown = {"about": lambda row: about(row, reader_id), "words": lambda row: words(row, reader_id)}
        numbers = Column(_("编号"), attrgetter("id"))  # which `trail prove --log` asks for
        return [*(Column(labels[name], shown.get(name) or attrgetter(name)) for name in names), numbers]


class SignInScreen(LogScreen):
    """登录日志."""

    log = "signins"
    query_form = SignInQuery
    column_list = ("at", "what", "who", "words", "address", "program")


class OperationScreen(LogScreen):
    """操作日志: acts of operators."""

    log = "operations"
    query_form = OperationQuery
    column_list = ("at", "what", "who", "about", "words", "address")


class HandoutScreen(LogScreen):
    """打印与导出日志."""

    log = "prints"
    query_form = HandoutQuery
    column_list = ("at", "what", "who", "about", "amount", "words", "address", "program")

    def query(self) -> Any:
        """Without the field for numbers for the operator, who sees no application (design 2.6)."""
        form = super().query()
        if form is not None and current_user.role is Role.OPERATOR and "about" in form:
            del form.about
        return form

    def narrow(self, query: Any) -> Any:
        """A query for a number that the reader does not see finds no rows."""
        asked = self.query().about.data if "about" in self.query() else None
        if asked and asked not in visible(db.session(), [asked]):
            query = query.filter(false())
        return super().narrow(query)

    def get_list(self, *args: Any, **kwargs: Any) -> Any:
        count, rows = super().get_list(*args, **kwargs)
        self.prepare(db.session(), rows)
        return count, rows

    def prepare(self, session: Session, rows: list[Any]) -> None:
        note_visible(session, rows)


class TrailScreen(ReadOnlyLog):
    """办理日志: the entries of 办理过程 of all applications that the nation sees."""

    roles = frozenset({Role.NATIONAL})
    query_form = TrailQuery
    narrowing = ("username", "act")
    column_list = ("at", "what", "number", "actor_name", "after")
    column_labels = labels_of(Application, TrailEntry) | {"what": _l("环节")}
    column_formatters: Any = {
        "at": lambda _view, _context, row, _name: moment(row),
        "what": lambda _view, _context, row, _name: row.what.label,
        "number": lambda view, _context, row, _name: view.numbered(row),
        "actor_name": lambda _view, _context, row, _name: actor_of(row),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(TrailEntry, db, **kwargs)

    def narrow(self, query: Any) -> Any:
        """Without PRIVATE_ACTS; by NOT IN, so that the planner keeps to the index of the order."""
        return super().narrow(query.filter(TrailEntry.act.not_in(PRIVATE_ACTS)))

    def count_rows(self) -> int:
        """Of each entry row security looks up the application. For the list of all entries more than `reach`
        applications decide it: each that the nation sees has an entry, that of its grant."""
        if not self.asked_fields():
            count = self.count_up_to_reach(db.session.query(Application.id))
            if count > self.reach:
                return count
        return super().count_rows()

    def get_query(self) -> Any:
        return super().get_query().options(joinedload(TrailEntry.application).load_only(Application.number))

    def numbered(self, row: TrailEntry) -> Markup:
        """申请单号 as a link to its page."""
        link = self.path("register.details_view")
        return Markup(f'<a class="number" href="{escape(link)}?id={row.application_id}">{row.application.number}</a>')

    def columns(self) -> list[Column]:
        path = {"number": "application.number"}
        named = [Column(str(self.column_labels[name]), attrgetter(path.get(name, name))) for name in self.column_list]
        return [*named, Column(_("编号"), attrgetter("id"))]  # which `trail prove` asks for
