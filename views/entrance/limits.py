"""Limits of request bodies: only a POST has its form parsed, up to 64 KB unless LARGER allows more."""

from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

import flask
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, ServiceUnavailable
from werkzeug.formparser import FormDataParser


@dataclass(frozen=True)
class Limit:
    """Bytes of the whole body (None: MAX_CONTENT_LENGTH), bytes of its fields without files, and number of parts."""

    body: int | None
    fields: int
    parts: int


SMALL = Limit(body=64 << 10, fields=64 << 10, parts=500)  # 200 ticked rows with their versions
FILE = Limit(body=None, fields=256 << 10, parts=20)  # the parser counts up to 64 KB of a file too
LONG_FORM = Limit(body=8 << 20, fields=8 << 20, parts=70_000)  # 3,000 carrier rows, and as many that they replace
# By endpoint. Anonymous visitors reach only verify.upload, which takes a single file.
LARGER = {
    "verify.upload": FILE,
    "applications.upload": FILE,
    "blanks.save_form": FILE,
    "districts.preview": FILE,
    "calendar.preview": FILE,
    "calendar.replace": Limit(body=1 << 20, fields=1 << 20, parts=20),
    "districts.replace": Limit(body=8 << 20, fields=8 << 20, parts=20),  # the rows of the preview, signed
    "applications.carrier_preview": Limit(body=9 << 20, fields=9 << 20, parts=40),  # a file, or pasted text
    "applications.carrier_take": Limit(body=9 << 20, fields=9 << 20, parts=40),  # the cells of a preview page
    "applications.autosave": LONG_FORM,
    "applications.create_view": LONG_FORM,
    "applications.edit_view": LONG_FORM,
}


class Parser(FormDataParser):
    """Errors of the form parser become 400 for a malformed body, 503 for a full disk."""

    def parse(self, *args: Any, **options: Any) -> Any:
        try:
            stream, form, files = super().parse(*args, **options)
        except HTTPException:
            raise
        except OSError as full:  # the disk for temporary files
            current_app.logger.exception("no space for the temporary file of an upload")
            raise ServiceUnavailable from full
        except Exception as malformed:
            raise BadRequest from malformed
        if None in form or None in files:  # a part without a name
            raise BadRequest
        return stream, form, files

    def _parse_urlencoded(self, stream: IO[bytes], *rest: Any) -> Any:
        """As Werkzeug's, which has no limit on the number of fields here: each costs some 300 bytes of memory."""
        body = stream.read()
        if self.max_form_parts is not None and body.count(b"&") >= self.max_form_parts:
            raise RequestEntityTooLarge
        return super()._parse_urlencoded(BytesIO(body), *rest)


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
    app.after_request(close_if_unread)


def limit() -> None:
    """Set the limits of this request by its endpoint."""
    limit_to(LARGER.get(request.endpoint or "", SMALL))


def close_if_unread(response: Response) -> Response:
    """Send `Connection: close` when a refused body may be unread; else the client's next request would be lost."""
    large = (request.content_length or 0) > SMALL.fields
    connection = request.environ.get("gunicorn.socket")
    if response.status_code >= 400 and (large or response.status_code in (408, 413, 429)):
        getattr(connection, "end_connection", lambda: None)()  # views/entrance/server.py
    return response


def limit_to(chosen: Limit) -> None:
    """Set the limits of this request; call it before anything reads the body."""
    body = chosen.body
    if request.mimetype != "multipart/form-data":  # Werkzeug bounds the fields of multipart bodies alone
        body = min(chosen.fields, body or chosen.fields)
    if body is not None:
        request.max_content_length = body
    request.max_form_memory_size, request.max_form_parts = chosen.fields, chosen.parts
