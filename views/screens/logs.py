"""登录日志, 操作日志, 打印与导出日志, 办理日志: looked through and exported; no way leads to a change."""

from operator import attrgetter
from typing import Any

from flask import Response, abort
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup, escape
from sqlalchemy import false
from sqlalchemy.orm import joinedload

from models.application import Application
from models.application.trail import TrailEntry
from models.database import db
from models.log import LogEntry, SignIn
from models.vocabulary import Role
from views.panel import spreadsheet
from views.panel.display import NOTHING
from views.panel.log_disclosure import about, note_visible, visible, words
from views.panel.log_query import PRIVATE_ACTS, HandoutQuery, OperationQuery, SignInQuery, TrailQuery
from views.panel.logged import note_export_and_commit
from views.panel.paging import REACH
from views.panel.screen import Screen, labels_of
from views.panel.spreadsheet import Column, Sheet

FAILURES = {
    SignIn.WRONG_PASSWORD, SignIn.UNKNOWN_NAME, SignIn.ACCOUNT_DISABLED, SignIn.SLOWED, SignIn.WRONG_CURRENT,
    SignIn.KEY_REFUSED, SignIn.CARD_REFUSED, SignIn.WRONG_CODE, SignIn.KEY_COUNTER,
}  # fmt: skip


def moment(row: Any) -> str:
    """To the second: in a log the order counts."""
    return f"{row.at:%Y-%m-%d %H:%M:%S}"


def tag(row: LogEntry) -> Markup:
    """The kind; what failed is marked."""
    tone = "warning" if row.what in FAILURES else "light"
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, row.what.label)


def who(row: LogEntry) -> str:
    """publisher（王敏）; of a name that no account has only its mark."""
    if not row.username:
        return _("命令行")
    return _("%(username)s（%(name)s）", username=row.username, name=row.name or _("未登记"))


SHOWN: dict[str, Any] = {"at": moment, "who": who, "about": about, "words": words}


class ReadOnlyLog(Screen):
    """Rows that do not open, newest first, with an export of what the query finds."""

    roles = frozenset({Role.OPERATOR, Role.NATIONAL})
    can_export = True
    column_sortable_list = ("at",)
    column_default_sort: Any = [("at", True), ("id", True)]
    address_of: Any = None
    narrowing: tuple[str, ...] = ()  # fields of the query form, each of which alone is one range of an index

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        narrowed = asked - {"since", "until"}
        return len(narrowed) <= 1 and narrowed <= set(self.narrowing)

    def columns(self) -> list[Column]:
        """Of the exported file."""
        raise NotImplementedError

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The rows of the present query, at most as many as the pager reaches. Commits its own entry in the log."""
        if export_type not in spreadsheet.TYPES:
            abort(404)
        count, rows = self.get_list(0, None, False, None, None, page_size=REACH)
        note = _("只导出了前 %(most)s 条，请缩小查询范围后分次导出。", most=REACH) if count > REACH else ""
        sheet = Sheet(str(self.name), self.columns(), rows, note)
        answer = spreadsheet.download(export_type, str(self.name), str(self.endpoint), [sheet])
        note_export_and_commit(str(self.name), self.query(), len(rows))
        return answer


class LogScreen(ReadOnlyLog):
    """One of the logs of models/log.py."""

    log = ""
    column_labels = labels_of(LogEntry) | {"what": _l("事项"), "who": _l("用户")}
    column_formatters: Any = {
        "what": lambda _view, _context, row, _name: tag(row),
        **{name: lambda _view, _context, row, name: SHOWN[name](row) or NOTHING for name in SHOWN},
    }
    narrowing = ("username", "address", "kind", "about")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LogEntry, db, **kwargs)

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(LogEntry.log == self.log))

    def columns(self) -> list[Column]:
        labels = {name: str(label) for name, label in self.column_labels.items()}
        names = ("at", "what", "username", "name", "address", "program", "about", "amount", "words")
        shown = {"about": about, "words": words}
        return [Column(labels[name], shown.get(name) or attrgetter(name)) for name in names]


class SignInScreen(LogScreen):
    """登录日志."""

    log = "signins"
    query_form = SignInQuery
    column_list = ("at", "what", "who", "words", "address", "program")


class OperationScreen(LogScreen):
    """操作日志: what operators did."""

    log = "operations"
    query_form = OperationQuery
    column_list = ("at", "what", "who", "about", "words", "address")


class HandoutScreen(LogScreen):
    """打印与导出日志."""

    log = "prints"
    query_form = HandoutQuery
    column_list = ("at", "what", "who", "about", "amount", "words", "address", "program")

    def query(self) -> Any:
        """The operator sees no application (design 2.6), and asks for none."""
        form = super().query()
        if form is not None and current_user.role is Role.OPERATOR and "about" in form:
            del form.about
        return form

    def narrow(self, query: Any) -> Any:
        """Of what the reader does not see nothing is found."""
        asked = self.query().about.data if "about" in self.query() else None
        if asked and asked not in visible(db.session(), [asked]):
            query = query.filter(false())
        return super().narrow(query)

    def get_list(self, *args: Any, **kwargs: Any) -> Any:
        count, rows = super().get_list(*args, **kwargs)
        note_visible(db.session(), rows)
        return count, rows


class TrailScreen(ReadOnlyLog):
    """办理日志: the acts of all applications that the nation sees, as each has them in its 办理过程."""

    roles = frozenset({Role.NATIONAL})
    query_form = TrailQuery
    narrowing = ("username", "act")
    column_list = ("at", "what", "number", "actor_name", "after")
    column_labels = labels_of(Application, TrailEntry) | {"what": _l("环节")}
    column_formatters: Any = {
        "at": lambda _view, _context, row, _name: moment(row),
        "what": lambda _view, _context, row, _name: row.what.label,
        "number": lambda view, _context, row, _name: view.numbered(row),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(TrailEntry, db, **kwargs)

    def narrow(self, query: Any) -> Any:
        """By NOT IN, for which no planner leaves the index of the order."""
        return super().narrow(query.filter(TrailEntry.act.not_in(PRIVATE_ACTS)))

    def get_query(self) -> Any:
        return super().get_query().options(joinedload(TrailEntry.application).load_only(Application.number))

    def numbered(self, row: TrailEntry) -> Markup:
        """申请单号, which leads to its page."""
        link = self.path("register.details_view")
        return Markup(f'<a class="number" href="{escape(link)}?id={row.application_id}">{row.application.number}</a>')

    def columns(self) -> list[Column]:
        path = {"number": "application.number"}
        return [Column(str(self.column_labels[name]), attrgetter(path.get(name, name))) for name in self.column_list]
