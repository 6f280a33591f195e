"""消息: notifications of the account, newest first; opening one marks it as read and leads to its subject."""

from typing import Any, ClassVar

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload

from models import notifications, workflow
from models.application import Application
from models.database import briefly, db, is_unavailable, release
from models.notifications import UNREAD, Notification
from models.notifications.announcements import Announcement
from models.vocabulary import Role
from views.entrance.security import local
from views.panel.fields import number_of
from views.panel.list_export import ListExport
from views.panel.logged import SECONDS
from views.panel.periods import SinceField, UntilField, begin, end
from views.panel.query import Condition, Query, choice
from views.panel.rows import address
from views.panel.screen import labels_of
from views.resources import mail_server
from views.screens.feed_settings import FeedSettingsScreen
from views.screens.mail_settings import MailSettingsScreen
from views.translations.stored import in_readers_language

STATES = (("unread", _l("未读")), ("read", _l("已读")))
KINDS = (("application", _l("申请")), ("announced", _l("通知公告")), ("other", _l("其他")))


class MessageQuery(Query):
    """By 未读 or 已读, by subject (application, announcement, other), and by day: the pager does not reach all."""

    state = choice(_l("状态"), lambda: list(STATES))
    kind = choice(_l("类别"), lambda: list(KINDS))
    since = SinceField(_l("日期"))
    until = UntilField(_l("至"))
    conditions: ClassVar[dict[str, Condition]] = {
        "since": lambda day: Notification.at >= begin(day),
        "until": lambda day: Notification.at <= end(day),
        "state": lambda state: UNREAD if state == "unread" else ~UNREAD,
        "kind": lambda kind: {
            "application": Notification.application_id.is_not(None),
            "announced": Notification.announcement_id.is_not(None),
        }.get(kind, Notification.application_id.is_(None) & Notification.announcement_id.is_(None)),
    }


def tagged(row: Notification) -> Markup:
    """The event as a coloured tag."""
    return Markup('<span class="badge badge-{}">{}</span>').format(row.rule.tone, row.what.label)


class MessageScreen(ListExport, MailSettingsScreen, FeedSettingsScreen):
    """One's own notifications; row security hides those of other accounts."""

    roles = frozenset(Role)
    opens = MailSettingsScreen.opens | FeedSettingsScreen.opens | {"read_all", "announcement"}
    can_view_details = True
    most_reached = 1000  # of each message row security looks up its application
    list_template, details_template = "screens/messages.html", "screens/message_text.html"
    query_form = MessageQuery
    column_list = ("at", "event", "sentence")
    column_sortable_list = ("at",)
    column_default_sort = ("at", True)
    column_labels = labels_of(Notification) | {"sentence": _l("消息")}
    exported: ClassVar[dict[str, Any]] = {
        "event": lambda row: row.what,
        "sentence": lambda row: " ".join(filter(None, (row.sentence, row.application and row.application.title))),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Notification, db, **kwargs)
        self.column_formatters = {
            "event": lambda _view, _context, row, _name: tagged(row),
            "sentence": lambda _view, _context, row, _name: self.linked(row),
        }

    def menu_entries(self) -> list[tuple[Any, str]]:
        """No line in the menu; the bell links here."""
        return []

    def in_order(self, asked: set[str], order: list[str]) -> bool:
        return asked <= {"since", "until"}

    def get_query(self) -> Any:
        shown = joinedload(Notification.application).load_only(Application.number, Application.title)
        return super().get_query().options(shown, joinedload(Notification.announcement))

    def render(self, template: str, **kwargs: Any) -> Any:
        offers = {"offers_mail": mail_server() is not None, "offers_feed": current_user.role is Role.REVIEWER}
        return super().render(template, **(offers | kwargs))

    def linked(self, row: Notification) -> Markup:
        """The sentence as a link to its subject; unread ones have a mark and hidden text."""
        unread = Markup('<i class="unread"><span class="unseen">{}</span></i> ') if row.read_at is None else Markup()
        title = row.application.title if row.application else None
        about = Markup(" <small>{}</small>").format(title) if title else ""
        where = address(self.path(".details_view"), row.id)
        whole = Markup('<span class="clamped">{}<a href="{}">{}</a>{}</span>')
        return whole.format(unread.format(_("未读")), where, row.sentence_in(in_readers_language), about)

    @expose("/details/")
    def details_view(self) -> Any:
        """Mark a message as read, commit, and redirect to its subject; a message without one is shown as text."""
        row = self.named_row(request.args.get("id"))
        self.mark_read_and_commit(row)
        if row.application_id is not None:
            return redirect(self.page_of(row))
        if row.announcement_id is not None:
            return redirect(self.get_url(".announcement", id=row.announcement_id))
        text = row.sentence_in(in_readers_language)
        return self.render(self.details_template, title=row.what.label, text=text, at=row.at)

    def mark_read_and_commit(self, row: Notification) -> None:
        """Mark a message as read. While the database cannot be written, log a warning and leave it unread."""
        if row.read_at is not None or request.method != "GET":  # a HEAD shows nothing
            return
        try:
            with briefly(db.session(), SECONDS):
                notifications.mark_read(db.session(), row)
                db.session.commit()
        except SQLAlchemyError as error:
            if not is_unavailable(error):
                raise
            release()
            current_app.logger.warning("message %s could not be marked as read: %s", inspect(row).identity, error)

    def page_of(self, row: Notification) -> str:
        """The address of the application on the screen of the reader's role."""
        application = row.application
        assert application is not None
        screen = "applications"
        if current_user.role is Role.REVIEWER:
            screen = "review" if application.status in workflow.AWAITING else "filings"
        back = local(request.args.get("url")) or self.get_url(".index_view")
        return str(self.get_url(f"{screen}.details_view", id=application.id, url=back))

    @expose("/announcement/")
    def announcement(self) -> Any:
        """One announcement; its message, if there is one, is marked as read. Commits."""
        key = number_of(request.args.get("id"))
        found = db.session.query(Announcement).filter(Announcement.id == key).one_or_none() if key else None
        row = found or abort(404)
        notification = db.session.scalar(select(Notification).where(Notification.announcement_id == row.id))
        if notification is not None:
            self.mark_read_and_commit(notification)
        return self.render(self.details_template, title=row.title, text=row.text, until=row.until, at=row.since)

    @expose("/read-all/", methods=("POST",))
    def read_all(self) -> Any:
        """全部标为已读."""
        count = notifications.mark_all_read(db.session())
        db.session.commit()
        flash(_("已将 %(count)s 条消息标为已读。", count=count), "success")
        return self.back()
