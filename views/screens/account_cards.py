"""Cards and portal links of an account, for operators: cards are bound by their certificate file; both are removed."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models.database import db
from models.language import closed_up, in_sentences
from models.log import Operation
from models.notifications.sign_in_changes import notify_owner
from models.people import card_certificates, portal_links
from models.people.accounts import Account
from models.people.card_certificates import CardCertificate
from models.people.portal_links import PortalLink
from models.people.revocation import consequences, end_access, secrets_of
from models.workflow import Refused
from views.entrance.card_login import authorities
from views.panel.display import Button, button_html, once
from views.panel.fields import number_of
from views.panel.logged import LoggedScreen, note
from views.panel.saving import commit_then_flash


def secrets(account: Account) -> list[str]:
    """The kinds of secrets that end with the access of the account; read once for a page."""
    return once(("secrets", account.id), lambda: secrets_of(db.session(), account.id))


class AccountCardsScreen(LoggedScreen):
    """The part of 账号 for cards and links to users of the portal."""

    opens = frozenset({"bind_card", "remove_card", "unlink"})

    def card_button(self, card: CardCertificate) -> Any:
        """移除, beside a card."""
        words = {"name": card.account.username, "card": card.subject}
        ask = in_sentences([_("确定要移除 %(name)s 的卡“%(card)s”吗？", **words), consequences(secrets(card.account))])
        return button_html(Button("remove_card", _("移除"), self.path(".remove_card"), ask), card.id)

    def bind_question(self, account: Account) -> str:
        """The question before a card is bound."""
        ends = consequences(secrets(account), own=account.id == current_user.id)
        return closed_up(in_sentences([_("确定要为 %(name)s 登记这张卡吗？", name=account.username), ends]))

    @expose("/cards/bind/", methods=("POST",))
    def bind_card(self) -> Any:
        """Bind the card of an uploaded certificate to the account; ends the account's sessions."""
        account, session = self.named_row(request.form.get("id")), db.session()
        file = request.files.get("file")

        def act() -> str:
            trusted = authorities()
            if trusted is None:
                raise Refused(_("本系统没有开通用卡登录，不能登记卡。"))
            if file is None or not file.filename:
                raise Refused(_("请选择从卡中导出的证书文件。"))
            card = card_certificates.bind(session, account, file.read(), trusted)
            own = account.id == current_user.id  # sessions that began without the card end
            end_access(session, account.id, except_for=current_user.visit.id if own else None)
            note(Operation.CARD_BOUND, account.username, f"{card.subject}；{card.issuer}；{card.serial}")
            notify_owner(session, account.id, _l("系统管理员为您登记了卡“%(name)s”", name=card.subject[:100]))
            return _("已登记“%(name)s”。", name=card.subject)

        commit_then_flash(act)
        return redirect(self.get_url(".keys", id=account.id), 303)

    @expose("/cards/remove/", methods=("POST",))
    def remove_card(self) -> Any:
        """Remove a card of an account, and end all its access."""

        def act(card: CardCertificate) -> str:
            account, session = card.account, db.session()
            name = card_certificates.remove(session, account.id, card.id)
            end_access(session, account.id)
            note(Operation.CARD_REMOVED, account.username, name)
            notify_owner(session, account.id, _l("系统管理员移除了您的卡“%(name)s”", name=name[:100]))
            return _("已移除，%(name)s 已退出登录。", name=account.username)

        return self.remove_and_commit(CardCertificate, act, _("这张卡已经移除，请刷新页面核对。"))

    def unlink_button(self, link: PortalLink) -> Any:
        """移除, beside a user of the portal."""
        words = {"name": link.account.username, "user": link.name}
        question = _("确定要移除 %(name)s 与单一窗口用户“%(user)s”的关联吗？", **words)
        ask = in_sentences([question, consequences(secrets(link.account))])
        return button_html(Button("unlink", _("移除"), self.path(".unlink"), ask), link.id)

    @expose("/portal/unlink/", methods=("POST",))
    def unlink(self) -> Any:
        """Remove the link of an account to a user of the portal, and end all its access."""

        def act(link: PortalLink) -> str:
            account, session, about = link.account, db.session(), f"{link.subject}；{link.name}"
            portal_links.unlink(session, link.id)
            end_access(session, account.id)
            note(Operation.PORTAL_UNLINKED, account.username, about)
            notify_owner(session, account.id, _l("系统管理员移除了您的账号与单一窗口用户的关联"))
            return _("已移除，%(name)s 已退出登录。", name=account.username)

        return self.remove_and_commit(PortalLink, act, _("这项关联已经移除，请刷新页面核对。"))

    def remove_and_commit(self, model: Any, act: Callable[[Any], str], removed: str) -> Any:
        """Perform `act` on the row that the form names; flash `removed` if it is deleted already. Commits."""
        row = db.session().get(model, number_of(request.form.get("id")) or 0)
        if row is None:
            flash(removed, "error")
            return redirect(self.get_url(".index_view"), 303)
        account_id = row.account_id
        commit_then_flash(lambda: act(row))
        return redirect(self.get_url(".keys", id=account_id), 303)
