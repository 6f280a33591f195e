"""接口密钥: create and revoke one's own keys for /api/; a new key is shown once."""

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models import log
from models.database import db
from models.log import SignIn
from models.notifications.sign_in_changes import notify_owner
from models.people import api_keys
from models.people.accounts import Account
from models.people.api_keys import Wish
from models.text import fold_width
from models.workflow import Refused
from views.entrance import one_time
from views.entrance.place import place
from views.panel.display import on_screen
from views.panel.fields import number_of
from views.panel.own_page import OwnPage
from views.panel.saving import commit_or_refuse, commit_then_flash
from views.screens.keys import is_recent_sign_in


def is_holder(account: Account) -> bool:
    """Whether the account may have keys."""
    return account.role in api_keys.HOLDERS


class ApiKeyScreen(OwnPage):
    """For every role that sees applications; linked from 我的登录, not in the menu."""

    def is_accessible(self) -> bool:
        return super().is_accessible() and is_holder(current_user)

    @expose("/")
    def index(self) -> Any:
        """One's keys, and a new key, once. Commits that it was shown."""
        notes = one_time.pop_notes() if request.method == "GET" else []  # a HEAD shows nothing
        db.session().commit()
        return self.page(notes, {"days": str(api_keys.DEFAULT_DAYS)})

    def page(self, notes: list[str], typed: dict[str, str], wrong: dict[str, str] | None = None) -> Any:
        """The page; `typed`: values of the form for a new key; `wrong`: field → why it was refused."""
        page: dict[str, Any] = {"keys": api_keys.keys_of(db.session(), current_user.id), "notes": notes, "typed": typed}
        page |= {
            "wrong": wrong or {},
            "fresh": is_recent_sign_in(),
            "longest": api_keys.LONGEST_NAME,
            "readable": on_screen,
        }
        page |= {"most_days": api_keys.MOST_DAYS, "most": api_keys.MOST_KEYS}
        return self.render("screens/api_keys.html", **page)

    @expose("/make/", methods=("POST",))
    def make(self) -> Any:
        """Create a key; refused unless the sign-in is recent, so that nobody can use a page left open."""
        asked = {name: request.form.get(name, "") for name in ("name", "days", "networks")}
        wish = Wish(asked["name"], number_of(fold_width(asked["days"]).strip()), asked["networks"])

        def act() -> None:
            session = db.session()
            if not is_recent_sign_in():
                raise Refused(_("生成接口密钥须在登录后 10 分钟内办理，请退出后重新登录。"))
            key, token = api_keys.make(session, current_user, wish)
            log.record(session, SignIn.API_KEY_MADE, current_user, place(), words=f"{key.name}；{key.networks}")
            notify_owner(session, current_user.id, _l("您的账号生成了接口密钥“%(name)s”", name=key.name))
            one_time.add_note(token)

        try:
            with commit_or_refuse():
                act()
        except Refused as refused:
            if not refused.field:
                flash(str(refused), "error")
            return self.page([], asked, {refused.field: str(refused)}), 422
        return redirect(self.get_url(".index"), 303)

    @expose("/end/", methods=("POST",))
    def end(self) -> Any:
        """撤销: revoke a key."""

        def act() -> str:
            name = api_keys.remove(db.session(), current_user.id, number_of(request.form.get("id")) or 0)
            log.record(db.session(), SignIn.API_KEY_REMOVED, current_user, place(), words=name)
            return _("已撤销“%(name)s”，使用它的程序不能再读取。", name=name)

        commit_then_flash(act)
        return redirect(self.get_url(".index"), 303)
