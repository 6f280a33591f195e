"""我的登录: one's own sessions, which one can end, and the last sign-ins under one's user name."""

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.database import db
from models.people import card_certificates, online, portal_links
from views.entrance.place import place
from views.panel.display import on_screen
from views.panel.fields import number_of
from views.panel.own_page import OwnPage
from views.resources import session_limits
from views.screens.api_keys import is_holder
from views.screens.logs import moment, tag


class OwnVisitsScreen(OwnPage):
    """For every account; linked at the top of every page, not in the menu."""

    @expose("/")
    def index(self) -> Any:
        session = db.session()
        visits = session.scalars(online.own(current_user, *session_limits())).all()
        page: dict[str, Any] = {"visits": visits, "entries": online.recent(session, current_user)}
        page["cards"] = card_certificates.cards_of(session, current_user.id)
        page["links"] = portal_links.links_of(session, current_user.id)
        page["holds_api_keys"] = is_holder(current_user)
        return self.render("screens/own_visits.html", **page, readable=on_screen, moment=moment, tag=tag)

    @expose("/end/", methods=("POST",))
    def end(self) -> Any:
        """End one other session, or without an id all of them; commits."""
        key = number_of(request.form["id"]) or 0 if "id" in request.form else None
        ended = online.end_others(db.session(), current_user, place(), key)
        db.session().commit()
        if ended:
            flash(_("已结束 %(count)s 个其他登录。", count=ended), "success")
        else:
            flash(_("没有其他登录需要结束，可能已经退出或超时。"), "message")
        return redirect(self.get_url(".index"), 303)
