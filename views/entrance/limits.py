"""Limits of request bodies: only a POST has its form parsed, up to 64 KB unless LARGER allows more."""

from dataclasses import dataclass
from typing import Any

import flask
from flask import Flask, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable
from werkzeug.formparser import FormDataParser


@dataclass(frozen=True)
class Limit:
    """Bytes of the whole body (None: MAX_CONTENT_LENGTH), bytes of its fields without files, and number of parts."""

    body: int | None
    fields: int
    parts: int


SMALL = Limit(body=64 << 10, fields=64 << 10, parts=200)
FILE = Limit(body=None, fields=256 << 10, parts=20)  # the parser counts up to 64 KB of a file too
LONG_FORM = Limit(body=16 << 20, fields=16 << 20, parts=60_000)  # 3,000 carrier rows
# By endpoint. Anonymous visitors reach only verify.upload, which takes a single file.
LARGER = {
    "verify.upload": FILE,
    "applications.upload": FILE,
    "districts.preview": FILE,
    "districts.replace": Limit(body=8 << 20, fields=8 << 20, parts=20),  # the rows of the preview, signed
    "applications.create_view": LONG_FORM,
    "applications.edit_view": LONG_FORM,
}


class Parser(FormDataParser):
    """Whatever the form parser raises about a malformed body is a 400; about our own disk, a 503."""

    def parse(self, *args: Any, **options: Any) -> Any:
        try:
            stream, form, files = super().parse(*args, **options)
        except HTTPException:
            raise
        except OSError as full:  # the disk for temporary files: not the sender's fault
            current_app.logger.exception("no room for what is being sent")
            raise ServiceUnavailable from full
        except Exception as malformed:
            raise BadRequest from malformed
        if None in form or None in files:  # a part without a name
            raise BadRequest
        return stream, form, files


class Request(flask.Request):
    """Parses a form only in a POST; otherwise a HEAD or GET with a body would reach code written for POST."""

    form_data_parser_class = Parser

    @property
    def want_form_data_parsed(self) -> bool:
        return self.method == "POST" and super().want_form_data_parsed


def init_app(app: Flask) -> None:
    """Set the limits of every request before anything reads its body."""
    app.request_class = Request
    app.before_request_funcs.setdefault(None, []).insert(0, limit)


def limit() -> None:
    """Set the limits of this request by its endpoint."""
    limit_to(LARGER.get(request.endpoint or "", SMALL))


def limit_to(chosen: Limit) -> None:
    """Set the limits of this request; call it before anything reads the body."""
    body = chosen.body
    if request.mimetype != "multipart/form-data":  # Werkzeug bounds the fields of multipart bodies alone
        body = min(chosen.fields, body or chosen.fields)
    if body is not None:
        request.max_content_length = body
    request.max_form_memory_size, request.max_form_parts = chosen.fields, chosen.parts
