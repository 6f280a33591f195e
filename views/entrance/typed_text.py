"""The submitted form for the error page: its text to read and copy, its fields to resubmit. No database queries."""

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.columns import readable

UNREAD = {408, 413, 429}  # statuses of requests whose body was not read completely; the error page must not read it
FIELDS = {  # field of the forms for longer texts → its column, for label and codes
    column.key: column
    for table in (TrailEntry, Carrier, Application)
    for column in table.__table__.columns
    if "label" in column.info
}
SECRET = frozenset({"csrf_token", "password", "code", "current", "new", "repeat"})  # fields left out of error pages


def resubmittable_fields(status: int) -> list[tuple[str, str]]:
    """(name, value) of the submitted form, for resubmission; [] for a form of another site."""
    if request.method != "POST" or status in UNREAD or request.origin != request.host_url.rstrip("/"):
        return []
    try:
        return [(name, value) for name, value in request.form.items(multi=True) if name not in SECRET]
    except HTTPException:  # the body is malformed
        return []


def labelled_fields(sent: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """(label, text) of the submitted fields that a person had filled in."""
    found = []
    for name, value in sent:
        row, _dash, key = name.rpartition("-")
        column, text = FIELDS.get(key), value.strip()
        if column is None or not text or text == "__None" or key == "publisher_id":
            continue
        place = row.rpartition("-")[2]
        where = _("载体信息第 %(place)s 行 ", place=int(place) + 1) if place.isdecimal() else ""
        # Without a session: this page must also work when the database has failed.
        found.append((f"{where}{column.info['label']}", readable(text, column)))
    return found
