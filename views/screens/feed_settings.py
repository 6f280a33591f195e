"""日历订阅: the secret address of a reviewer's deadlines, made anew or stopped."""

from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.database import db
from models.people import calendar_feeds
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance import one_time
from views.panel.saving import races_as_refusals
from views.panel.screen import Screen


class FeedSettingsScreen(Screen):
    """The part of 消息 that is for reviewers alone."""

    opens = frozenset({"feed", "keep_feed"})

    @expose("/feed/")
    def feed(self) -> Any:
        """Whether there is an address, and a new one, shown this once; commits that it is shown."""
        assert_reviewer()
        notes = one_time.pop_notes() if request.method == "GET" else []  # a HEAD shows nothing
        db.session.commit()
        found = calendar_feeds.feed_of(db.session(), current_user)
        return self.render("screens/feed_settings.html", feed=found, notes=notes)

    @expose("/feed/<any(renew, stop):how>/", methods=("POST",))
    def keep_feed(self, how: str) -> Any:
        """A new address in place of a former one, or none any more."""
        assert_reviewer()
        try:
            with races_as_refusals():
                token = calendar_feeds.renew(db.session(), current_user) if how == "renew" else ""
                stopped = calendar_feeds.stop(db.session(), current_user) if how == "stop" else False
                if token:  # last: the loser of two must not take the key of the note from the winner
                    one_time.add_note(str(current_app.config["BASE_URL"]).rstrip("/") + url_for("feed", token=token))
                db.session.commit()
        except Refused:
            db.session.rollback()
            told = _("订阅地址刚刚已在另一个页面生成或停止，这里没有再改。下面是现在的情况；需要时可以重新生成。")
            flash(told, "message")
        else:
            if stopped:
                flash(_("已停止，原来的订阅地址不能再使用。"), "success")
        return redirect(self.get_url(".feed"), 303)


def assert_reviewer() -> None:
    """404 for everybody else."""
    if current_user.role is not Role.REVIEWER:
        abort(404)
