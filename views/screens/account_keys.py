"""登录方式 of an account, for operators: remove lost keys, issue a recovery code in place of a key out of reach."""

from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models.database import db
from models.language import in_sentences
from models.log import Operation
from models.notifications.sign_in_changes import notify_owner
from models.people import api_keys, card_certificates, portal_links, recovery_codes, security_keys
from models.people.accounts import Account
from models.people.revocation import consequences, end_access
from models.people.security_keys import SecurityKey
from models.workflow import Refused
from views.entrance import one_time
from views.entrance.card_login import authorities
from views.panel.display import Button, button_html, on_screen
from views.panel.logged import note
from views.panel.saving import commit_then_flash
from views.screens.account_api_keys import AccountApiKeysScreen
from views.screens.account_cards import secrets


class AccountKeysScreen(AccountApiKeysScreen):
    """The part of 账号 for security keys and recovery codes."""

    opens = frozenset({"keys", "remove_key", "give_code"}) | AccountApiKeysScreen.opens

    @expose("/keys/")
    def keys(self) -> Any:
        """The keys of one account, and a new recovery code, once. Commits that the code was shown."""
        account = self.named_row(request.args.get("id"))
        notes = one_time.pop_notes() if request.method == "GET" else []  # a HEAD shows nothing
        db.session.commit()
        session = db.session()
        page: dict[str, Any] = {"account": account, "notes": notes, "readable": on_screen}
        page["keys"] = security_keys.keys_of(session, account.id)
        page["code_until"] = recovery_codes.valid_until(session, account.id)
        page["cards"] = card_certificates.cards_of(session, account.id)
        page["links"] = portal_links.links_of(session, account.id)
        page["api_keys"] = api_keys.keys_of(session, account.id)
        page["takes_cards"] = authorities() is not None
        page |= {"remove_button": self._remove_button, "code_button": self._code_button}
        return self.render("screens/account_keys.html", **page)

    def _remove_button(self, key: SecurityKey) -> Any:
        question = _("确定要移除 %(name)s 的密钥“%(key)s”吗？", name=key.account.username, key=key.name)
        ask = in_sentences([question, consequences(secrets(key.account))])
        return button_html(Button("remove_key", _("移除"), self.path(".remove_key"), ask), key.id)

    def _code_button(self, account: Account) -> Any:
        ask = _("确定要向 %(name)s 发放恢复码吗？请先核实本人身份。", name=account.username)
        return button_html(
            Button("give_code", _("发放恢复码"), self.path(".give_code"), ask), account.id, "btn btn-light"
        )

    @expose("/keys/remove/", methods=("POST",))
    def remove_key(self) -> Any:
        """Remove a key of an account, and end all its access."""

        def act(key: SecurityKey) -> str:
            account, session = key.account, db.session()
            refuse_own(account)
            name = security_keys.remove(session, account.id, key.id)
            end_access(session, account.id)
            note(Operation.OTHERS_KEY_REMOVED, account.username, name)
            notify_owner(session, account.id, _l("系统管理员移除了您的安全密钥“%(name)s”", name=name))
            return _("已移除，%(name)s 已退出登录。", name=account.username)

        return self.remove_and_commit(SecurityKey, act, _("这把密钥已经移除，请刷新页面核对。"))

    @expose("/keys/code/", methods=("POST",))
    def give_code(self) -> Any:
        """发放恢复码: shown once, accepted once in place of a key."""
        account, session = self.named_row(request.form.get("id")), db.session()

        def act() -> str:
            refuse_own(account)
            one_time.add_note(recovery_codes.give(session, account))
            note(Operation.CODE_GIVEN, account.username)
            notify_owner(session, account.id, _l("系统管理员向您发放了恢复码，可代替安全密钥登录一次"))
            return ""

        commit_then_flash(act)
        return redirect(self.get_url(".keys", id=account.id), 303)


def refuse_own(account: Account) -> None:
    """Raises Refused for the operator's own account, for which another operator is responsible."""
    if account.id == current_user.id:
        raise Refused(_("自己的密钥请在“我的登录方式”中办理；需要恢复码的，请由另一位系统管理员发放。"))
