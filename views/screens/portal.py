"""单一窗口用户: requests to link users of the portal to accounts; the operator links or declines them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import func, select

from models.database import db
from models.log import Operation
from models.notifications.sign_in_changes import notify_owner
from models.people import portal_links
from models.people.portal_links import PortalRequest
from models.people.sessions import account_named
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance.portal import portal
from views.panel.display import on_screen
from views.panel.fields import number_of
from views.panel.list_export import ListExport
from views.panel.logged import note
from views.panel.saving import commit_then_flash
from views.panel.screen import labels_of

MOST = 200  # requests on the page; further ones appear as these are decided


class PortalScreen(ListExport):
    """For the operator; in the menu only while the portal is on."""

    roles = frozenset({Role.OPERATOR})
    opens = frozenset({"link", "decline"})
    column_list = ("name", "subject", "organisation", "credit_code", "asked_at", "address", "declined_at")
    column_default_sort: Any = ("asked_at", False)
    column_labels = labels_of(PortalRequest) | {"declined_at": _l("不予关联时间")}
    form_columns: Any = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(PortalRequest, db, **kwargs)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu; none while the portal is off."""
        return super().menu_entries() if portal() else []

    def menu_count(self) -> str:
        """The number of open requests; "" for none."""
        waiting = select(func.count(PortalRequest.id)).where(PortalRequest.declined_at.is_(None))
        return str(db.session.scalar(waiting) or "")

    @expose("/")
    def index_view(self) -> Any:
        session = db.session()
        asked = session.scalars(portal_links.open_requests().limit(MOST)).all()
        likely = {each.id: portal_links.suggested(session, each) for each in asked}
        return self.render("screens/portal.html", asked=asked, likely=likely, readable=on_screen, on=portal())

    @expose("/link/", methods=("POST",))
    def link(self) -> Any:
        """关联: link the user of the portal to an account; commits."""
        session, account = db.session(), account_named(db.session(), request.form.get("username", ""))

        def act(asked: PortalRequest) -> str:
            if account is None:
                raise Refused(_("没有这个用户名，请核对后再关联。"))
            if account.id == current_user.id:
                raise Refused(_("不能为自己的账号办理关联，请由另一位系统管理员办理。"))
            words = _described(asked)
            made = portal_links.link(session, asked, account)
            note(Operation.PORTAL_LINKED, account.username, words)
            notify_owner(session, account.id, _l("系统管理员为您的账号关联了单一窗口用户“%(name)s”", name=made.name))
            return _("已关联，“%(who)s”可以从单一窗口登录账号 %(name)s。", who=made.name, name=account.username)

        return self.perform_and_commit(act)

    @expose("/decline/", methods=("POST",))
    def decline(self) -> Any:
        """不予关联: decline the request, which stays in the list and can still be linked; commits."""

        def act(asked: PortalRequest) -> str:
            portal_links.decline(db.session(), asked)
            note(Operation.PORTAL_DECLINED, asked.name, _described(asked))
            return _("已记录不予关联，对方再次登录时会看到。")

        return self.perform_and_commit(act)

    def perform_and_commit(self, act: Callable[[PortalRequest], str]) -> Any:
        """Perform `act` on the request that the form names, commit, and redirect; flash the result or refusal."""
        asked = db.session.get(PortalRequest, number_of(request.form.get("id")) or 0)
        if asked is None:
            flash(_("这项申请已经办理，请刷新页面核对。"), "error")
        else:
            commit_then_flash(partial(act, asked))
        return redirect(self.get_url(".index_view"), 303)


def _described(asked: PortalRequest) -> str:
    """The request in the log."""
    return "；".join(filter(None, (asked.subject, asked.name, asked.organisation, asked.credit_code)))
