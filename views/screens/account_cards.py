"""卡证书 of an account, for operators: bound from a file that was exported from the card, and removed."""

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from models.database import db
from models.log import Operation
from models.notifications.sign_in_changes import tell_owner
from models.people import card_certificates
from models.people.card_certificates import CardCertificate
from models.people.revocation import end_access
from models.workflow import Refused
from views.entrance.card_login import authorities
from views.panel.display import Button, button_html
from views.panel.fields import number_of
from views.panel.logged import LoggedScreen, note
from views.panel.saving import races_as_refusals


class AccountCardsScreen(LoggedScreen):
    """The part of 账号 that is about cards."""

    opens = frozenset({"bind_card", "remove_card"})

    def card_button(self, card: CardCertificate) -> Any:
        """移除, beside a card."""
        words = {"name": card.account.username, "card": card.subject}
        ask = _("确定要移除 %(name)s 的卡“%(card)s”吗？该账号将立即退出登录。", **words)
        return button_html(Button("remove_card", _("移除"), self.path(".remove_card"), ask), card.id)

    @expose("/cards/bind/", methods=("POST",))
    def bind_card(self) -> Any:
        """Bind the certificate of a file."""
        account, session = self.get_one(request.form.get("id")) or abort(404), db.session()
        file = request.files.get("file")

        def act() -> str:
            trusted = authorities()
            if trusted is None:
                raise Refused(_("本系统没有开通用卡登录，不能登记卡。"))
            if file is None or not file.filename:
                raise Refused(_("请选择从卡中导出的证书文件。"))
            card = card_certificates.bind(session, account, file.read(), trusted)
            note(Operation.CARD_BOUND, account.username, f"{card.subject}；{card.issuer}；{card.serial}")
            tell_owner(session, account.id, _("系统管理员为您登记了卡“%(name)s”", name=card.subject[:100]))
            return _("已登记“%(name)s”。", name=card.subject)

        return self.do(act, account.id)

    @expose("/cards/remove/", methods=("POST",))
    def remove_card(self) -> Any:
        """Remove a card; every session of its owner ends, and the address of the calendar."""
        session = db.session()
        card = session.get(CardCertificate, number_of(request.form.get("id")) or 0)
        if card is None:
            flash(_("这张卡已经移除，请刷新页面核对。"), "error")
            return redirect(self.get_url(".index_view"), 303)
        account, number = card.account, card.id

        def act() -> str:
            name = card_certificates.remove(session, account.id, number)
            end_access(session, account.id)
            note(Operation.CARD_REMOVED, account.username, name)
            tell_owner(session, account.id, _("系统管理员移除了您的卡“%(name)s”", name=name[:100]))
            return _("已移除，%(name)s 已退出登录。", name=account.username)

        return self.do(act, account.id)

    def do(self, act: Any, account_id: int) -> Any:
        """Do it, commit and tell; a refusal is told instead."""
        try:
            with races_as_refusals():
                words = act()
                db.session().commit()
            if words:
                flash(words, "success")
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
        return redirect(self.get_url(".keys", id=account_id), 303)
