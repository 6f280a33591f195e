"""邮件提醒: to which address of one's own, and which messages."""

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models import access
from models.database import db
from models.notifications import letters
from models.people.accounts import Account
from models.people.mail_address import MailWish
from views.panel.checks import HouseForm
from views.panel.fields import PlainTextField, WordField
from views.panel.saving import errors_of
from views.panel.screen import Screen, form_args_of, labels_of

LABELS, ARGS = labels_of(Account), form_args_of(Account, ("email", "mail_wish"))[1]


class MailForm(HouseForm):
    """Address and wish of the signed-in account."""

    email = PlainTextField(LABELS["email"], **ARGS["email"])
    mail_wish = WordField(LABELS["mail_wish"], allow_blank=False, **ARGS["mail_wish"])

    def validate(self, *args: Any, **options: Any) -> bool:
        """Also refuses a wish without an address."""
        valid = bool(super().validate(*args, **options))
        if valid and self.mail_wish.data is not MailWish.NONE and not self.email.data:
            self.email.errors = [_("请填写接收提醒的邮箱地址。")]
            return False
        return valid


class MailSettingsScreen(Screen):
    """The part of 消息 that is a form."""

    opens = frozenset({"mail"})

    @expose("/mail/", methods=("GET", "POST"))
    def mail(self) -> Any:
        """The form, or what it changes; it may be filled in before e-mails are sent at all."""
        if request.method == "POST" and "mail_wish" not in request.form:
            abort(400)
        form = MailForm(request.form if request.method == "POST" else None, obj=current_user)
        if request.method == "POST" and form.validate():
            keep(current_user, form.email.data, form.mail_wish.data)
            flash(told(current_user), "success")
            return redirect(self.get_url(".mail"))
        with access.everything() as session:
            why = letters.undelivered(session, current_user.id)
        page = self.render("screens/mail_settings.html", form=form, errors=errors_of(form), account=Account, why=why)
        return page, 422 if form.errors else 200


def keep(account: Account, email: str | None, wish: MailWish) -> None:
    """Store address and wish, and drop what was to go by the former ones where either differs. Commits."""
    before = account.email, account.mail_wish
    account.email, account.mail_wish = email, wish
    changed = before != (account.email, account.mail_wish)
    db.session.commit()
    if not changed:
        return
    with access.everything() as session:
        letters.drop_unsent(session, account.id)
        session.commit()


def told(account: Account) -> str:
    """What follows from the wish that was saved."""
    match account.mail_wish:
        case MailWish.EACH:
            return _("已保存。今后每条消息都会发送到 %(email)s。", email=account.email)
        case MailWish.DAILY:
            return _("已保存。有未读消息时，每天上午八点后发送一封汇总到 %(email)s。", email=account.email)
    return _("已保存，不发送邮件。")
