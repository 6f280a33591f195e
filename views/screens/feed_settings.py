"""日历订阅: create, renew or stop the secret address of a reviewer's calendar feed."""

from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.database import db
from models.log import SignIn
from models.people import calendar_feeds
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance import one_time
from views.panel.logged import note
from views.panel.saving import commit_or_refuse
from views.panel.screen import Screen


class FeedSettingsScreen(Screen):
    """The part of 消息 for the calendar feed of reviewers."""

    opens = frozenset({"feed", "save_feed"})

    @expose("/feed/")
    def feed(self) -> Any:
        """The state of the feed, and a new address, once. Commits that it was shown."""
        assert_reviewer()
        notes = one_time.pop_notes() if request.method == "GET" else []  # a HEAD shows nothing
        db.session.commit()
        found = calendar_feeds.feed_of(db.session(), current_user)
        return self.render("screens/feed_settings.html", feed=found, notes=notes)

    @expose("/feed/<any(renew, stop):how>/", methods=("POST",))
    def save_feed(self, how: str) -> Any:
        """Renew or stop the address, and commit."""
        assert_reviewer()
        try:
            with commit_or_refuse():
                token = calendar_feeds.renew(db.session(), current_user) if how == "renew" else ""
                stopped = calendar_feeds.stop(db.session(), current_user) if how == "stop" else False
                if token or stopped:
                    note(SignIn.CALENDAR_RENEWED if token else SignIn.CALENDAR_STOPPED)
                if token:  # last: of two concurrent requests the refused one must not replace the note's key
                    one_time.add_note(str(current_app.config["BASE_URL"]).rstrip("/") + url_for("feed", token=token))
        except Refused:
            words = _("订阅地址刚刚已在另一个页面生成或停止，这里没有再改。下面是现在的情况；需要时可以重新生成。")
            flash(words, "message")
        else:
            if stopped:
                flash(_("已停止，原来的订阅地址不能再使用。"), "success")
        return redirect(self.get_url(".feed"), 303)


def assert_reviewer() -> None:
    """404 for accounts of other roles."""
    if current_user.role is not Role.REVIEWER:
        abort(404)
