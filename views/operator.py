"""系统管理: accounts, organisations, entrustments, customs districts. The operator sees no application."""

import csv
import io
from typing import Any

from flask import abort, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from openpyxl import load_workbook
from wtforms.validators import DataRequired, InputRequired

from models import codes
from models.accounts import Account, Entrustment, Organisation
from models.codes import District
from models.db import db
from models.visits import end_visits
from models.vocabulary import Role
from models.workflow import Refused
from views.base import Button, Screen, form_args_of, labels_of
from views.fields import DayField, without_signs
from views.organisations import OrganisationLoader, searching
from views.query import AccountQuery, DistrictQuery, OrganisationQuery
from views.saving import twins_told

ACTS = {"acts": _l("操作")}
OPERATOR = frozenset({Role.OPERATOR})


def shown_province(row: Any) -> str | None:
    """江苏省, not 320000."""
    return codes.names_of("province").get(row.province)


def named(model: type, *names: str) -> dict[str, Any]:
    """form_overrides and form_args of a plain register, every field that says so required."""
    overrides, args = form_args_of(model, names)
    for column in model.__table__.columns:  # type: ignore[attr-defined]
        if column.key in names and column.info.get("required"):
            filled = InputRequired() if overrides.get(column.key) is DayField else DataRequired()
            args.setdefault(column.key, {}).setdefault("validators", []).append(filled)
    return {"overrides": overrides, "args": args}


class OrganisationScreen(Screen):
    """单位: presses and the units they entrust; disabled, never deleted."""

    roles = OPERATOR
    can_create = can_edit = True
    query_form = OrganisationQuery
    column_formatters = {"province": lambda _view, _context, row, _name: shown_province(row)}
    column_list = ("credit_code", "name", "trade", "province", "active", "acts")
    column_sortable_list = (("credit_code", "credit_code"), "name", "province")
    column_labels = labels_of(Organisation) | ACTS
    form_columns = ("credit_code", "name", "trade", "province", "active")
    form_overrides = named(Organisation, *form_columns)["overrides"]
    form_args = named(Organisation, *form_columns)["args"]
    form_args["credit_code"]["filters"] += [lambda code: code and code.upper()]  # a twin in small letters is a twin

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Organisation, db, **kwargs)


class AccountScreen(Screen):
    """账号: made with a one-time password, disabled rather than deleted."""

    roles = OPERATOR
    can_create = can_edit = True
    opens = frozenset({"reset"})
    query_form = AccountQuery
    column_formatters = {
        "province": lambda _view, _context, row, _name: shown_province(row),
        "organisation": lambda _view, _context, row, _name: row.organisation and row.organisation.name,
    }
    column_list = ("username", "name", "role", "organisation", "province", "active", "acts")
    column_sortable_list = ("username", "name", "role")
    column_labels = labels_of(Account) | ACTS
    form_columns = ("username", "name", "role", "organisation", "province", "active")
    form_ajax_refs = {"organisation": OrganisationLoader("organisation")}
    form_overrides = named(Account, *form_columns)["overrides"] | searching("organisation")
    form_args = named(Account, *form_columns)["args"]
    FIXED = ("username", "role")  # said once, when the account is made

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Account, db, **kwargs)

    def get_edit_form(self) -> Any:
        form = super().get_edit_form()
        for name in self.FIXED:
            delattr(form, name)
        return form

    def save(self, form: Any, model: Account | None) -> Account:
        account = model or Account()
        password = None if model else account.reset_password()
        form.populate_obj(account)
        account.assert_complete()
        if not account.active and account.id == current_user.id:
            raise Refused(_("不能停用自己的账号，请由另一位系统管理员办理。"))
        db.session().add(account)
        db.session().flush()
        if not account.active:
            end_visits(db.session(), account.id)
        if password:
            self._tell(account, password)
        return account

    def _tell(self, account: Account, password: str) -> None:
        sentence = _("%(name)s 的一次性密码：%(password)s（只显示这一次，首次登录须修改）")
        flash(sentence % {"name": account.username, "password": password}, "password")

    def buttons(self, row: Account) -> list[Button]:
        ask = _("确定要重置 %(name)s 的密码吗？该账号将立即退出登录。", name=row.username)
        return [Button("reset", _("重置密码"), self.get_url(".reset"), ask)]

    @expose("/reset/", methods=("POST",))
    def reset(self) -> Any:
        """重置密码: a one-time password, shown once; every visit of the account ends."""
        account = self.get_one(request.form.get("id")) or abort(404)
        if account.id == current_user.id:
            flash(_("自己的密码请点击右上角“修改密码”更换。"), "error")
            return self.back()
        password = account.reset_password()
        end_visits(db.session(), account.id)
        db.session().commit()
        self._tell(account, password)
        return self.back()


class EntrustmentScreen(Screen):
    """委托: who may apply for whom, from when until when."""

    roles = OPERATOR
    can_create = can_edit = True
    column_formatters = {
        "publisher": lambda _view, _context, row, _name: row.publisher.name,
        "agent": lambda _view, _context, row, _name: row.agent.name,
    }
    column_list = ("publisher", "agent", "since", "until", "acts")
    column_sortable_list = ("since", "until")
    column_labels = labels_of(Entrustment) | ACTS
    form_columns = ("publisher", "agent", "since", "until")
    form_ajax_refs = {name: OrganisationLoader(name) for name in ("publisher", "agent")}
    form_overrides = named(Entrustment, "since", "until")["overrides"] | searching("publisher", "agent")
    form_args = named(Entrustment, "since", "until")["args"]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Entrustment, db, **kwargs)


class DistrictScreen(Screen):
    """关区代码: the table changes; the operator imports it whole."""

    roles = OPERATOR
    opens = frozenset({"imported"})
    list_template = "districts.html"
    query_form = DistrictQuery
    column_list = ("code", "name", "ended")
    column_sortable_list = ("code", "name")
    column_labels = labels_of(District)
    column_default_sort = ("code", False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(District, db, **kwargs)

    @expose("/import/", methods=("POST",))
    def imported(self) -> Any:
        """导入: CSV or XLSX with a heading and two columns, 代码 and 名称; all or nothing."""
        file = request.files.get("file")
        try:
            rows = rows_of(file.read(), file.filename or "") if file else []
            with twins_told():
                current, ended = codes.import_districts(db.session(), rows)
                db.session().commit()
            flash(_("已导入 %(current)s 个关区，停用 %(ended)s 个。", current=current, ended=ended), "success")
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
        return self.back()


def rows_of(content: bytes, name: str) -> list[dict[str, str]]:
    """The rows, under a heading or without one, as (code, name); raises Refused when the file cannot be read."""
    try:
        if name.lower().endswith(".xlsx"):
            sheet = load_workbook(io.BytesIO(content), read_only=True).active
            lines = [["" if cell is None else str(cell) for cell in line] for line in sheet.values]
        else:
            lines = list(csv.reader(io.StringIO(decoded(content))))
    except Exception as broken:  # whatever a parser raises, the sentence is the same
        raise Refused(_("无法读取该文件，请使用 CSV 或 XLSX 格式。")) from broken
    rows = lines if lines and lines[0] and lines[0][0].strip().isdecimal() else lines[1:]  # a heading is no number
    cells = [[without_signs(cell) or "" for cell in line[:2]] for line in rows if len(line) > 1]
    return [{"code": code.zfill(4), "name": name} for code, name in cells if code]


def decoded(content: bytes) -> str:
    """UTF-8, or GB 18030 as Excel in China saves it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")
