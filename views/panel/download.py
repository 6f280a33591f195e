"""File names of downloads: the original one (RFC 8187), and one in ASCII for programs that read no other (RFC 6266)."""

from urllib.parse import quote

from flask import Response
from werkzeug.http import parse_options_header


def add_ascii_name(response: Response, name: str, plain: str) -> Response:
    """Add the ASCII file name `plain` to a response of send_file() whose file is named `name`; not if that is ASCII.

    Werkzeug would drop the Chinese characters of `name`: «-20261126.xlsx».
    """
    if not name.isascii():
        disposition, _names = parse_options_header(response.headers["Content-Disposition"])
        names = {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
        response.headers.set("Content-Disposition", disposition, **names)
    return response
