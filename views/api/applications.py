"""Applications as JSON objects: one page of the list, and one application in full."""

from dataclasses import dataclass
from typing import Any

from flask import abort
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, false, select, tuple_
from sqlalchemy.orm import Query, joinedload

from models.application import Application, disclosure
from models.application.attachments import Attachment
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.columns import displayed
from models.database import db
from models.numbering import APPLICATION
from models.people.accounts import Account
from views.api.parameters import ListQuery, format_cursor
from views.api.values import TEXT, Field, Schema, as_json, coded, columns, schema_of, word

CERTIFICATE = columns(Certificate, "number", "issued_on", "valid_until", "authority", "signer")
CARRIER = columns(Carrier, "position", *displayed(Carrier))
ATTACHMENT = columns(Attachment, "kind", "name", "media_type", "size", "uploaded_at")
ENTRY = (
    *columns(TrailEntry, "at"),
    Field("act", coded, lambda entry: word(entry.what)),
    *columns(TrailEntry, "actor_name", "before", "after", "opinion"),
)
TRAIL = (*ENTRY, Field("changes", lambda: array(TEXT), explain))
DELETED = Field("deleted", lambda: {"type": "boolean"}, lambda row: row.deleted_at is not None)  # 申请人已删除
SUMMARY = (
    *columns(Application, *dict.fromkeys(("number", "status", "province", *displayed(Application), "submitted_at"))),
    DELETED,
    Field("certificate", lambda: or_null(CERTIFICATE), lambda row: of_row(CERTIFICATE, row.certificate)),
)


CERTIFICATE_ALONE = joinedload(Application.certificate).load_only(  # without its content, some KB each
    *(getattr(Certificate, field.name) for field in CERTIFICATE)
)


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def or_null(fields: tuple[Field, ...]) -> Schema:
    return schema_of(fields, type=["object", "null"])


def of_row(fields: tuple[Field, ...], row: Any) -> dict[str, Any] | None:
    return as_json(fields, row) if row is not None else None


def listed(name: str, fields: tuple[Field, ...]) -> Field:
    """A member that is a list of objects; `name`: the attribute of the application that holds the rows."""
    return Field(
        name.removeprefix("current_"),
        lambda: array(schema_of(fields)),
        lambda row: [as_json(fields, each) for each in getattr(row, name)],
    )


def number_of_other(name: str, other: Any) -> Field:
    """A certificate number or null; `other(row)`: the application or certificate that it is read from, or None."""
    return Field(name, lambda: {"type": ["string", "null"]}, lambda row: getattr(other(row), "number", None))


WHOLE = (
    *SUMMARY,
    number_of_other("replaces", lambda row: row.replaces),
    number_of_other("replaced_by", lambda row: row.certificate and row.certificate.replaced_by),
    listed("carriers", CARRIER),
    listed("current_attachments", ATTACHMENT),
)


@dataclass(frozen=True)
class Listing:
    """A list: which applications (all, or those with a certificate), and the members of each item."""

    fields: tuple[Field, ...]
    only: tuple[ColumnElement[bool], ...] = ()
    options: tuple[Any, ...] = (CERTIFICATE_ALONE,)

    def rows(self) -> Query[Application]:
        """The query for the applications that the account sees."""
        return db.session.query(Application).options(*self.options).filter(*self.only)

    def items(self, rows: list[Application]) -> list[dict[str, Any]]:
        return [as_json(self.fields, row) for row in rows]


APPLICATIONS = Listing(SUMMARY)


def page(listing: Listing, asked: ListQuery) -> dict[str, Any]:
    """{"items": newest first, "next": the cursor of the next page or None}; a keyset, equally fast at any depth."""
    form, dated = asked.form, asked.form.since.data or asked.form.until.data
    order: list[Any] = [Application.applied_on, Application.id] if dated else [Application.id]
    query: Any = form.narrow(listing.rows())
    if asked.matches_no_row:
        query = query.filter(false())
    if asked.after is not None:
        key, day = asked.after
        query = query.filter(tuple_(*order) < ((day, key) if dated else (key,)))
    rows = query.order_by(*(column.desc() for column in order)).limit(asked.limit + 1).all()
    last = rows[asked.limit - 1] if len(rows) > asked.limit else None
    return {
        "items": listing.items(rows[: asked.limit]),
        "next": format_cursor(last.id, last.applied_on) if last is not None else None,
    }


def details(number: str, by: Account) -> dict[str, Any]:
    """One application; 404 for a number that this account does not see."""
    if not APPLICATION.fullmatch(number):  # PostgreSQL rejects NUL and lone surrogates with an error
        abort(404)
    session = db.session()
    row = session.scalar(select(Application).where(Application.number == number)) or abort(404)
    entries = disclosure.history(session, row, by)
    return as_json(WHOLE, row) | {"trail": [_trail_entry(entry, explained) for entry, explained in entries]}


def _trail_entry(entry: TrailEntry, explained: bool) -> dict[str, Any]:
    """An entry; of one whose changes are not read, a sentence that says where they are."""
    if explained:
        return as_json(TRAIL, entry)
    return as_json(ENTRY, entry) | {"changes": [_("较新的改动已很多，这一条的改动请在办理过程中查看。")]}
