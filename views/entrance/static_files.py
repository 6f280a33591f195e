"""Style sheets, scripts and pictures, each compressed once; addresses contain a digest of the whole folder.

`/assets/DIGEST/…` may be cached for a year. `/assets/…`, and the digest of another release, which an open page may
still use, are revalidated at each request. Edits are served after a restart.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, request
from flask.sessions import SecureCookieSessionInterface

from views.entrance import joined_files
from views.entrance.joined_files import Contents

mimetypes.add_type("image/webp", ".webp")  # missing in the tables of some machines
DIGEST = re.compile("^[0-9a-f]{16}/")
YEAR = 365 * 24 * 3600  # seconds
SHEETS = (  # of the panel, one per component, in the order of the cascade: later ones override earlier ones
    "tokens", "panel/reset", "panel/controls", "panel/combobox", "panel/calendar", "panel", "panel/frame",
    "panel/messages", "panel/desk", "panel/query", "panel/table", "panel/list", "panel/form", "panel/grid",
    "panel/uploads", "panel/details", "panel/stock", "panel/case", "panel/statistics", "panel/inbox", "panel/help",
    "panel/dialog", "panel/cards", "panel/paper", "panel/contrast",
)  # fmt: skip
ENTRANCE = ("tokens", "entrance/frame", "entrance/form", "entrance/page")  # of the pages before the panel
JOINED: dict[str, Callable[[Contents], bytes]] = {
    "panel/all.css": lambda contents: joined_files.sheet(contents, [f"{sheet}.css" for sheet in SHEETS]),
    "entrance/all.css": lambda contents: joined_files.sheet(contents, [f"{sheet}.css" for sheet in ENTRANCE]),
    "panel/all.js": lambda contents: joined_files.script(contents, "panel.js"),
}


class StaticFiles:
    """The files of a folder, held in memory: 2 MB, mostly pictures of 操作说明, and 60 KB of compressed copies."""

    def __init__(self, folder: Path, joined: Mapping[str, Callable[[Contents], bytes]] | None = None) -> None:
        self.folder, self.joined = folder, joined or {}

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """Path in the folder → content, including the joined files."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        found = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}
        return found | {name: make(found) for name, make in self.joined.items()}

    @cached_property
    def compressed(self) -> dict[str, bytes]:
        """Path → gzip of the content, for files that it makes smaller."""
        packed = {name: gzip.compress(content, mtime=0) for name, content in self.contents.items()}
        return {name: content for name, content in packed.items() if len(content) < len(self.contents[name])}

    @cached_property
    def digest(self) -> str:
        """Digest of all files together, because scripts and style sheets refer to each other."""
        return hashlib.sha256(repr(self.contents).encode()).hexdigest()[:16]

    def answer(self, filename: str) -> Response:
        """One file, as gzip if the browser accepts it; 404 if there is none."""
        name = DIGEST.sub("", filename)
        if name not in self.contents:
            abort(404)
        response = current_app.response_class(self.contents[name], mimetype=mimetypes.guess_type(name)[0])
        if name in self.compressed and request.accept_encodings["gzip"]:
            response.data, response.content_encoding = self.compressed[name], "gzip"
        response.vary.add("Accept-Encoding")
        response.set_etag(f"{self.digest}-{response.content_encoding or 'plain'}")
        response.cache_control.public = True
        if filename.startswith(f"{self.digest}/"):
            response.cache_control.max_age, response.cache_control.immutable = YEAR, True
        else:
            response.cache_control.no_cache = True
        response.make_conditional(request, accept_ranges=True, complete_length=len(response.data))
        return response


WITHOUT_COOKIE = {"static", "status_list"}


class Sessions(SecureCookieSessionInterface):
    """Flask's cookie sessions; cacheable responses set no cookie and no Vary: Cookie, so that caches can store them."""

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        if request.endpoint not in WITHOUT_COOKIE:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Replace Flask's static files, at the same addresses. Raises ValueError when the scripts cannot be joined."""
    files = StaticFiles(Path(str(app.static_folder)), JOINED)
    assert files.digest  # computed now, so that a script that cannot be joined stops the start

    @app.url_defaults
    def with_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = f"{files.digest}/{values['filename']}"

    app.session_interface = Sessions()
    app.view_functions["static"] = files.answer
