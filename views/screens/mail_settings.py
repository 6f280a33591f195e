"""邮件提醒: the account's e-mail address, confirmed by a code, and which messages are sent to it."""

from typing import Any

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models import access
from models.database import db
from models.log import SignIn
from models.notifications import letters
from models.notifications.letters import Purpose
from models.people import mail_confirmation
from models.people.accounts import Account
from models.people.mail_address import MailWish
from models.workflow import Refused
from views.panel.checks import HouseForm
from views.panel.fields import PlainTextField, WordField
from views.panel.logged import note
from views.panel.saving import errors_of
from views.panel.screen import Screen, form_args_of, labels_of
from views.resources import mail_server

LABELS, ARGS = labels_of(Account), form_args_of(Account, ("email", "mail_wish"))[1]


class MailForm(HouseForm):
    """Address and wish of the signed-in account."""

    email = PlainTextField(LABELS["email"], **ARGS["email"])
    mail_wish = WordField(LABELS["mail_wish"], allow_blank=False, **ARGS["mail_wish"])

    def validate(self, *args: Any, **options: Any) -> bool:
        """Also reports an error for a wish without an address."""
        valid = bool(super().validate(*args, **options))
        if valid and self.mail_wish.data is not MailWish.NONE and not self.email.data:
            self.email.errors = [_("请填写接收提醒的邮箱地址。")]
            return False
        return valid


class MailSettingsScreen(Screen):
    """The part of 消息 for e-mails."""

    opens = frozenset({"mail", "confirm_mail"})

    @expose("/mail/", methods=("GET", "POST"))
    def mail(self) -> Any:
        """GET: the form. POST: save it; also while no mail server is configured."""
        if request.method == "POST" and "mail_wish" not in request.form:
            abort(400)
        form = MailForm(request.form if request.method == "POST" else None, obj=current_user)
        if request.method == "GET" and mail_confirmation.waits(current_user):
            form.email.data = current_user.email_new
        if request.method == "POST" and form.validate():
            try:
                is_sent = save_wish_and_commit(current_user, form.email.data, form.mail_wish.data)
                flash(saved_words(current_user, is_sent), "success")
                return redirect(self.get_url(".mail"))
            except Refused as refused:
                db.session.rollback()
                form.email.errors = [str(refused)]
        return self.mail_page(form)

    @expose("/mail/confirm/", methods=("POST",))
    def confirm_mail(self) -> Any:
        """Confirm a new address with its code, or send another code; commits."""
        try:
            if "again" in request.form:
                send_code_and_commit(current_user, current_user.email_new or abort(409))
                flash(_("确认码已重新发送，以前的确认码不再有效。"), "success")
            else:
                confirm_and_commit(current_user, request.form.get("code", ""))
                flash(saved_words(current_user), "success")
        except Refused as refused:
            db.session.rollback()
            if "again" not in request.form:
                note(SignIn.MAIL_UNCONFIRMED)
                db.session.commit()
            form = MailForm(None, obj=current_user)
            form.email.data = current_user.email_new
            return self.mail_page(form, str(refused))
        return redirect(self.get_url(".mail"), 303)

    def mail_page(self, form: Any, wrong: str = "") -> Any:
        """The page; `wrong`: why the code was refused."""
        unconfirmed = current_user.email_new if mail_confirmation.waits(current_user) else None
        with access.everything() as session:
            why = letters.undelivered(session, current_user.id, confirming=unconfirmed is not None)
        page: dict[str, Any] = {"form": form, "errors": errors_of(form), "account": Account, "why": why}
        page |= {"unconfirmed": unconfirmed, "wrong": wrong}
        return self.render("screens/mail_settings.html", **page), 422 if form.errors or wrong else 200


def save_wish_and_commit(account: Account, email: str | None, wish: MailWish) -> bool:
    """Save the wish; removing the address takes effect at once, a new one must be confirmed first. Raises Refused.

    Returns whether a code was sent, which is not so while the one for the same address is valid.
    """
    before, former = (account.email, account.mail_wish), account.email
    account.mail_wish = wish
    if email is None or email == account.email:
        account.email = email
        mail_confirmation.forget(account)
    removed = former is not None and account.email is None
    if before != (account.email, account.mail_wish):
        note(SignIn.MAIL_CHANGED, words=_l("%(wish)s，移除邮箱", wish=wish.label) if removed else wish.label)
    db.session.commit()
    if before != (account.email, account.mail_wish):
        drop_letters_and_commit(account.id, former if account.email is None else None)
    if email in (account.email, None) or (email == account.email_new and mail_confirmation.waits(account)):
        return False
    send_code_and_commit(account, email or "")
    return True


def send_code_and_commit(account: Account, address: str) -> None:
    """Queue an e-mail with a code to `address`, which is to be confirmed. Raises Refused."""
    with access.everything() as session:
        mail_confirmation.ask(session.get_one(Account, account.id), address)
        letters.enqueue_about_address(session, account.id, Purpose.CONFIRM, address)
        note(SignIn.MAIL_ASKED, session=session)
        session.commit()
    db.session.rollback()  # SQLite: an open transaction does not see the other session's commit
    db.session.refresh(account)


def confirm_and_commit(account: Account, typed: str) -> None:
    """Replace the address by the confirmed one, and notify the former address. Raises Refused."""
    tries = mail_confirmation.count_try_and_commit(db.session(), account)
    former = mail_confirmation.confirm(account, typed, current_app.config["SECRET_KEY"], tries)
    note(SignIn.MAIL_CONFIRMED)
    db.session.commit()
    drop_letters_and_commit(account.id, former)


def drop_letters_and_commit(account_id: int, former: str | None) -> None:
    """Delete unsent e-mails of the former settings; notify the address `former`, which is not used any more."""
    with access.everything() as session:
        letters.drop_unsent(session, account_id)
        if former:
            letters.enqueue_about_address(session, account_id, Purpose.CHANGED, former)
        session.commit()


def saved_words(account: Account, is_sent: bool = False) -> str:
    """The sentence after saving; `is_sent`: a code was sent just now."""
    if account.email_new and mail_server() is None:
        return _("已保存。系统开通邮件发送以后，请打开本页重新发送确认码。")
    if account.email_new and not is_sent:
        words = _("已保存。此前发送到 %(email)s 的确认码仍然有效；没有收到的，请点击“重新发送”。")
        return words % {"email": account.email_new}
    if account.email_new:
        return _("已保存。确认码正在发送到 %(email)s，输入后该邮箱才开始接收提醒。", email=account.email_new)
    match account.mail_wish:
        case MailWish.EACH:
            return _("已保存。今后每条消息都会发送到 %(email)s。", email=account.email)
        case MailWish.DAILY:
            return _("已保存。有未读消息时，每天上午八点后发送一封汇总到 %(email)s。", email=account.email)
    return _("已保存，不发送邮件。")
