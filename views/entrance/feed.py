"""Calendar feed of a reviewer's deadlines (iCalendar, RFC 5545). The secret address is the only authentication.

It contains numbers and dates, no titles: calendar programs may upload feeds to servers of their vendors.
"""

from datetime import timedelta

from flask import Flask, Response, abort, current_app, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access, clock, log, workflow
from models.application import Application
from models.database import briefly, is_unavailable
from models.language import in_chinese
from models.log import Handout
from models.people import calendar_feeds
from models.people.accounts import Account
from models.people.signin_failures import hashed
from views.entrance.place import place
from views.entrance.rate_limits import limiter

QUIET = timedelta(hours=1)  # between two log entries of one account
SECONDS = 3  # that the answer waits for its log entry to be written
MOST = 1000  # deadlines, the earliest first


def init_app(app: Flask) -> None:
    app.add_url_rule("/feed/<token>.ics", "feed", feed)


def token_digest() -> str:
    """Key of the rate limit: a hash of the secret address, so that the store of the counts does not contain it."""
    return hashed(str((request.view_args or {}).get("token", "")))


@limiter.limit("300 per minute")  # per network, against guessing; a large office subscribes to many feeds
@limiter.limit("30 per minute", key_func=token_digest)
def feed(token: str) -> Response:
    """The calendar; 404 for an address that is unknown or replaced, or whose account is disabled."""
    with access.everything() as session:
        account = calendar_feeds.reader(session, token) or abort(404)
        made = calendar(account)
        note_and_commit(session, account)
        return Response(made, mimetype="text/calendar")


def note_and_commit(session: Session, account: Account) -> None:
    """Log that the calendar was read, at most once in QUIET: programs fetch it by themselves, day and night.

    If the database cannot be written, the calendar is sent all the same, with a line in the process log.
    """
    try:
        with briefly(session, SECONDS):
            if log.has(session, Handout.CALENDAR, account.username, "", "", clock.now() - QUIET):
                return
            log.record(session, Handout.CALENDAR, account, place())
            session.commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        session.rollback()
        current_app.logger.exception("not in the log: the calendar was read")


@in_chinese()
def calendar(account: Account) -> bytes:
    """The calendar as bytes: one event for each pending application of the reviewer's province, on its due date."""
    from icalendar import Calendar, Event  # imported here: few processes are asked for one

    made, base = Calendar(), str(current_app.config["BASE_URL"]).rstrip("/")
    made.add("prodid", "-//filing//deadlines//ZH")
    made.add("version", "2.0")
    made.add("x-wr-calname", _("办结期限"))
    made.add("x-published-ttl", "PT1H")
    waiting = select(Application.id, Application.number, Application.due_on).where(
        Application.status.in_(workflow.AWAITING), Application.due_on.is_not(None)
    )
    with access.as_seen_by(account) as session:
        for key, number, due in session.execute(waiting.order_by(Application.due_on, Application.id).limit(MOST)):
            event = Event()
            event.add("uid", f"due-{key}@filing")
            event.add("dtstamp", clock.now())
            event.add("dtstart", due)
            event.add("summary", _("办结期限：%(number)s", number=number))
            event.add("url", f"{base}/review/details/?id={key}")
            made.add_component(event)
    return made.to_ical()
