"""Names of downloads: as people gave them (RFC 8187), and a plain one for programs that read ASCII alone (RFC 6266)."""

from urllib.parse import quote

from flask import Response
from werkzeug.http import parse_options_header


def name_plainly(response: Response, name: str, plain: str) -> Response:
    """Give an answer of send_file(), whose file is called `name`, the name `plain` beside it.

    Without one it would be what is left of a Chinese name in ASCII: «-20261126.xlsx». An ASCII name stays.
    """
    if not name.isascii():
        disposition, _names = parse_options_header(response.headers["Content-Disposition"])
        names = {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
        response.headers.set("Content-Disposition", disposition, **names)
    return response
