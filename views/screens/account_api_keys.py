"""接口密钥 of an account, for operators, who can revoke them."""

from typing import Any

from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.database import db
from models.log import Operation
from models.notifications.sign_in_changes import notify_owner
from models.people import api_keys
from models.people.api_keys import ApiKey
from views.panel.display import Button, button_html
from views.panel.logged import note
from views.screens.account_cards import AccountCardsScreen


class AccountApiKeysScreen(AccountCardsScreen):
    """The part of 账号 for keys of the interface."""

    opens = frozenset({"end_api_key"}) | AccountCardsScreen.opens

    def api_key_button(self, key: ApiKey) -> Any:
        """撤销, beside a key."""
        words = {"name": key.account.username, "key": key.name}
        ask = _("确定要撤销 %(name)s 的接口密钥“%(key)s”吗？使用它的程序将立即不能读取。", **words)
        return button_html(Button("end_api_key", _("撤销"), self.path(".end_api_key"), ask), key.id)

    @expose("/api-keys/end/", methods=("POST",))
    def end_api_key(self) -> Any:
        """Revoke a key of an account, and notify its owner."""

        def act(key: ApiKey) -> str:
            account, session = key.account, db.session()
            name = api_keys.remove(session, account.id, key.id)
            note(Operation.OTHERS_API_KEY_REVOKED, account.username, name)
            notify_owner(session, account.id, _l("系统管理员撤销了您的接口密钥“%(name)s”", name=name))
            return _("已撤销，使用它的程序不能再读取。")

        return self.remove_and_commit(ApiKey, act, _("这个接口密钥已经撤销，请刷新页面核对。"))
