"""The deadlines of a reviewer as a calendar to subscribe to (iCalendar, RFC 5545): who has the address reads it.

It holds numbers and dates, no titles: calendar programs hand such files on to servers of their makers.
"""

from flask import Flask, Response, abort, current_app
from flask_babel import gettext as _
from icalendar import Calendar, Event
from sqlalchemy import select

from models import access, clock, workflow
from models.application import Application
from models.people import calendar_feeds
from models.people.accounts import Account
from views.entrance.rate_limits import limiter

MOST = 1000  # deadlines, the earliest first


def init_app(app: Flask) -> None:
    app.add_url_rule("/feed/<token>.ics", "feed", feed)


@limiter.limit("30 per minute")
def feed(token: str) -> Response:
    """The calendar; 404 for an address that is unknown, renewed, or of an account that may not work now."""
    with access.everything() as session:
        account = calendar_feeds.reader(session, token) or abort(404)
        return Response(calendar(account), mimetype="text/calendar")


def calendar(account: Account) -> bytes:
    """What waits for the decision of this reviewer's province, on the day of its deadline."""
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
