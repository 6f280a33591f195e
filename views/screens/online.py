"""在线用户: current sessions, which the operator may end, and accounts delayed by wrong passwords."""

from typing import Any, ClassVar

from flask import abort, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models.database import db
from models.people import online
from models.people.accounts import Account
from models.people.sessions import Visit
from models.people.signin_failures import is_a_network_slowed
from models.vocabulary import Role
from views.entrance.place import place
from views.panel.display import Button, button_html
from views.panel.fields import number_of
from views.panel.list_export import ListExport
from views.panel.log_query import OnlineQuery
from views.panel.saving import commit_then_flash
from views.resources import session_limits


def who(account: Account) -> str:
    """publisher（王敏）."""
    return _("%(username)s（%(name)s）", username=account.username, name=account.name)


class OnlineScreen(ListExport):
    """Sessions by last request, newest first; shows nothing of what people do."""

    roles = frozenset({Role.OPERATOR})
    opens = frozenset({"end", "unlock"})
    query_form = OnlineQuery
    list_template = "screens/online.html"
    column_list = ("who", "role", "began_at", "seen_at", "address", "program", "acts")
    column_default_sort: Any = [("seen_at", True), ("id", True)]
    column_sortable_list: Any = ()
    column_labels = {
        "who": _l("用户"), "role": _l("角色"), "began_at": _l("登录时间"), "seen_at": _l("最近操作"),
        "address": _l("地址"), "program": _l("浏览器"), "acts": _l("操作"),
    }  # fmt: skip
    exported: ClassVar[dict[str, Any]] = {
        "who": lambda row: who(row.account),
        "role": lambda row: row.account.role,
    }
    column_formatters: Any = {
        "who": lambda _view, _context, row, _name: who(row.account),
        "role": lambda _view, _context, row, _name: row.account.role.label,
    }
    address_of: Any = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Visit, db, **kwargs)

    def narrow(self, query: Any) -> Any:
        return super().narrow(query.filter(online.in_use(*session_limits())))

    def buttons(self, row: Visit) -> list[Button]:
        name = row.account.username
        ask = _("确定要让 %(name)s 立即下线吗？对方重新登录后可以继续；要阻止再次登录，请停用账号。", name=name)
        refusal = _("这是您本次的登录，请点击右上角“退出”。") if row.id == current_user.visit.id else None
        return [Button("end", _("强制下线"), self.path(".end"), ask, refusal)]

    def unlock_button(self, account: Account, own: bool = True) -> Any:
        """The button 解锁 above the list. `own`: the account itself is slowed, and not a network."""
        ask = _("确定要解除 %(name)s 的登录限制吗？请先确认是本人输错，而不是他人猜测。", name=account.username)
        if not own:
            ask = _("确定要让 %(name)s 一小时内不受网络的限制吗？请先向本人核实。", name=account.username)
        return button_html(Button("unlock", _("解锁"), self.path(".unlock"), ask), account.id)

    @expose("/end/", methods=("POST",))
    def end(self) -> Any:
        """强制下线: end a session."""
        visit = self.named_row(request.form.get("id"))
        words = _("%(name)s 已下线。", name=visit.account.username)

        def act() -> str:
            online.end_forcibly(db.session(), visit, current_user, place())
            return words

        commit_then_flash(act)
        return self.back()

    @expose("/unlock/", methods=("POST",))
    def unlock(self) -> Any:
        """解锁: end the delay after wrong passwords."""
        number = number_of(request.form.get("id"))
        account = (db.session.get(Account, number) if number is not None else None) or abort(404)
        words = _("%(name)s 的登录限制已解除，可以立即重新登录。", name=account.username)

        def act() -> str:
            online.unlock(db.session(), account, current_user, place())
            return words

        commit_then_flash(act)
        return self.back()

    def render(self, template: str, **kwargs: Any) -> Any:
        session, asked = db.session(), self.query()
        part = asked.username.data if asked and not asked.errors else None
        page: dict[str, Any] = {"slowed": online.slowed(session), "network_slowed": is_a_network_slowed(session)}
        page["held_up"] = online.perhaps_held_up(session, part) if part and page["network_slowed"] else []
        return super().render(template, **(page | kwargs))
