"""账号 and 委托, the registers of the operator, who sees no application."""

from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import ValidationError
from wtforms.validators import DataRequired, InputRequired

from models import codes
from models.certificate import fonts
from models.database import db
from models.language import closed_up, in_sentences
from models.log import Operation
from models.notifications import entrustments
from models.notifications.entrustments import Terms
from models.notifications.password_reset import consequences_of_reset, reset_password
from models.people import entrusting
from models.people.accounts import Account, Entrustment, Organisation, normal_username, username_refusal
from models.people.revocation import consequences, end_access, secrets_by_account
from models.text import FORMATS
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance import one_time
from views.panel.display import Button, once
from views.panel.fields import DayField
from views.panel.list_export import ListExport
from views.panel.logged import LoggedScreen, note
from views.panel.organisation_field import OrganisationLoader, searching
from views.panel.query import AccountQuery
from views.panel.screen import form_args_of, labels_of
from views.screens.account_cards import secrets
from views.screens.account_keys import AccountKeysScreen

ACTS = {"acts": _l("操作")}
OPERATOR = frozenset({Role.OPERATOR})


def shown_province(row: Any) -> str | None:
    """The name of the province: 江苏省, not 320000."""
    return codes.names_of("province").get(row.province)


def register_form(model: type, *names: str) -> dict[str, Any]:
    """{"overrides": form_overrides, "args": form_args} of a register, with validators for required columns."""
    overrides, args = form_args_of(model, names)
    for column in model.__table__.columns:  # type: ignore[attr-defined]
        if column.key in names and column.info.get("required"):
            filled = InputRequired() if overrides.get(column.key) is DayField else DataRequired()
            args.setdefault(column.key, {}).setdefault("validators", []).append(filled)
    return {"overrides": overrides, "args": args}


def warn_of_unprintable(row: Organisation | Account) -> None:
    """Flash a warning if the certificate's fonts lack a character of the name: better now than at the grant."""
    label = str(type(row).__table__.columns["name"].info["label"])
    with suppress(Refused):  # without fontconfig it cannot be checked
        if sentence := fonts.complaint(label, row.name):
            flash(sentence, "message")


def check_username(_form: Any, field: Any) -> None:
    """Validator of the user name of a new account."""
    if field.data and (sentence := username_refusal(field.data)):
        raise ValidationError(sentence)


def username_with_former(account: Account) -> str:
    """The user name, and the former one if migration 0006 changed it; invisible characters as <U+…>."""
    if not account.former_username:
        return account.username
    former = FORMATS.sub(lambda sign: f"<U+{ord(sign[0]):04X}>", account.former_username)
    return _("%(username)s（升级前为 %(former)s）", username=account.username, former=former)


class AccountScreen(ListExport, AccountKeysScreen):
    """账号: created with a one-time password; disabled, never deleted."""

    roles = OPERATOR
    can_create = can_edit = True
    logged = Operation.ACCOUNT_ADDED, Operation.ACCOUNT_CHANGED
    opens = frozenset({"reset"}) | AccountKeysScreen.opens
    edit_template = "screens/account.html"
    query_form = AccountQuery
    column_formatters = {
        "province": lambda _view, _context, row, _name: shown_province(row),
        "organisation": lambda _view, _context, row, _name: row.organisation and row.organisation.name,
        "username": lambda _view, _context, row, _name: username_with_former(row),
    }
    exported: ClassVar[dict[str, Any]] = {
        "province": shown_province,
        "organisation": lambda row: row.organisation and row.organisation.name,
        "username": username_with_former,
    }
    column_list = ("username", "name", "role", "organisation", "province", "active", "acts")
    column_sortable_list = ("username", "name", "role")
    column_labels = labels_of(Account) | ACTS
    form_columns = ("username", "name", "role", "organisation", "province", "active")
    form_ajax_refs = {"organisation": OrganisationLoader("organisation")}
    form_overrides = register_form(Account, *form_columns)["overrides"] | searching("organisation")
    form_args = register_form(Account, *form_columns)["args"]
    form_args["username"]["read"] = normal_username
    form_args["username"]["validators"].append(check_username)
    form_args["organisation"] = {"description": _l("出版单位账号必填")}
    form_args["province"]["description"] = _l("省级审核账号必填")
    FIXED = ("username", "role")  # set when the account is made, never changed

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Account, db, **kwargs)

    @expose("/")
    def index_view(self) -> Any:
        """The list, and above it new one-time passwords, once. Commits that they were shown."""
        if request.method == "GET":  # a HEAD shows nothing
            for note in one_time.pop_notes():
                flash(note, "password")  # rendered in this response, so that it is never in the cookie
            db.session().commit()
        return super().index_view()

    def render(self, template: str, **kwargs: Any) -> Any:
        """Read what the questions of all rows of a list name at once."""
        if "data" in kwargs:
            for key, kinds in secrets_by_account(db.session(), [row.id for row in kwargs["data"]]).items():
                once(("secrets", key), partial(list, kinds))
        return super().render(template, **kwargs)

    def edit_form(self, obj: Any = None) -> Any:
        """The form of an account; disabling one that is enabled asks first."""
        form = super().edit_form(obj)
        if obj.active and obj.id != current_user.id:
            question = _("确定要停用 %(name)s 吗？", name=obj.username)
            ask = in_sentences([question, consequences(secrets(obj))])
            form.active.render_kw = {**(form.active.render_kw or {}), "data-ask-off": closed_up(ask)}
        return form

    def get_edit_form(self) -> Any:
        form = super().get_edit_form()
        for name in self.FIXED:
            delattr(form, name)
        return form

    def save(self, form: Any, model: Account | None) -> Account:
        """Add an account with a one-time password, or change it; ends its access if it was disabled or moved.

        Flushes. Raises Refused for one's own account, which cannot be disabled, and for an incomplete one.
        """
        account = model or Account()
        password = None if model else account.reset_password()
        before = (account.organisation, account.province)
        form.populate_obj(account)
        moved = model is not None and before != (account.organisation, account.province)
        db.session().add(account)
        db.session().flush()
        account.assert_complete()
        if not account.active and account.id == current_user.id:
            raise Refused(_("不能停用自己的账号，请由另一位系统管理员办理。"))
        if not account.active or moved:
            end_access(db.session(), account.id)
        if password:
            self._note_password(account, password)
        warn_of_unprintable(account)
        return account

    def about(self, row: Account) -> str:
        return row.username

    def _note_password(self, account: Account, password: str) -> None:
        """Store the one-time password for the next page; the caller commits."""
        sentence = _("%(name)s 的一次性密码：%(password)s（只显示这一次，首次登录须修改）")
        one_time.add_note(sentence % {"name": account.username, "password": password})

    def buttons(self, row: Account) -> list[Button]:
        question = _("确定要重置 %(name)s 的密码吗？", name=row.username)
        ask = in_sentences([question, consequences_of_reset(row, secrets(row))])
        return [Button("reset", _("重置密码"), self.get_url(".reset"), ask)]

    @expose("/reset/", methods=("POST",))
    def reset(self) -> Any:
        """重置密码: sets a one-time password, shown once, and ends every session of the account."""
        account = self.named_row(request.form.get("id"))
        if account.id == current_user.id:
            flash(_("自己的密码请点击右上角“修改密码”更换。"), "error")
            return self.back()
        self._note_password(account, reset_password(db.session(), account))
        note(Operation.PASSWORD_RESET, account.username)
        db.session().commit()
        return self.back()


class EntrustmentScreen(ListExport, LoggedScreen):
    """委托: which unit may apply for which publisher, and when."""

    roles = OPERATOR
    can_create = can_edit = True
    logged = Operation.ENTRUSTMENT_ADDED, Operation.ENTRUSTMENT_CHANGED
    column_formatters = {
        "publisher": lambda _view, _context, row, _name: row.publisher.name,
        "agent": lambda _view, _context, row, _name: row.agent.name,
        "state": lambda _view, _context, row, _name: entrusting.state(row),
    }
    exported: ClassVar[dict[str, Any]] = {
        "publisher": lambda row: row.publisher.name,
        "agent": lambda row: row.agent.name,
        "state": entrusting.state,
    }
    column_list = ("publisher", "agent", "since", "until", "state", "acts")
    column_sortable_list = ("since", "until")
    column_labels = labels_of(Entrustment) | ACTS | {"state": _l("状态")}
    form_columns = ("publisher", "agent", "since", "until")
    form_ajax_refs = {name: OrganisationLoader(name) for name in ("publisher", "agent")}
    form_overrides = register_form(Entrustment, "since", "until")["overrides"] | searching("publisher", "agent")
    form_args = register_form(Entrustment, "since", "until")["args"]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Entrustment, db, **kwargs)

    def assert_editable(self, row: Entrustment) -> None:
        if row.ended_at is not None:
            raise Refused(_("这项委托已由单位终止，不能修改；需要继续委托的，请新建。"))

    def save(self, form: Any, model: Entrustment | None) -> Entrustment:
        """Save and notify both units. In force without an acceptance; `form.forced`: one was awaited."""
        form.forced = model is not None and model.pending
        before = None if form.forced or model is None else Terms.of(model)
        row: Entrustment = super().save(form, model)
        row.pending = False
        if form.forced:
            note(Operation.ENTRUSTMENT_CHANGED, self.about(row), _l("不待受托单位接受，直接生效"))
        entrustments.notify_of_change(db.session(), before, row)
        return row

    def after_saving(self, row: Entrustment, form: Any) -> Any:
        if form.forced:
            flash(_("已保存。这项委托不待受托单位接受，直接生效。"), "success")
            return redirect(self.get_url(".index_view"))
        return super().after_saving(row, form)

    def about(self, row: Entrustment) -> str:
        return f"{row.publisher.credit_code} → {row.agent.credit_code}"
