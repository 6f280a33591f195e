"""The application's response class."""

from typing import Any

from flask import Response
from werkzeug.http import parse_range_header


class Answer(Response):
    """Answers range requests in a way that browsers and PDF viewers accept."""

    def make_conditional(
        self, request_or_environ: Any, accept_ranges: bool | str = False, complete_length: int | None = None
    ) -> Any:
        """Ignore every Range but a single one of bytes, as RFC 9110, 14.2 permits; Werkzeug would answer 416.

        Several ranges, an unknown unit, a malformed header and a suffix longer than the file return the whole file.
        """
        environ = getattr(request_or_environ, "environ", request_or_environ)
        asked = parse_range_header(environ.get("HTTP_RANGE"))
        one = asked and asked.units == "bytes" and len(asked.ranges) == 1 and asked.ranges[0]
        if not one or one[0] <= -(complete_length or 0):
            environ.pop("HTTP_RANGE", None)
        return super().make_conditional(environ, accept_ranges, complete_length)
