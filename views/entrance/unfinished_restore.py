"""Refuses every page while a restore runs or is unfinished: the database may be incomplete."""

from flask import Flask, Response, request

from models.backup import unfinished_restore
from models.database import db
from views.entrance import security
from views.entrance.login import is_public


def init_app(app: Flask) -> None:
    app.before_request_funcs.setdefault(None, []).insert(0, refuse_while_unfinished)


def refuse_while_unfinished() -> Response | None:
    """503 except for static files and /healthz. Queries the database each time: a restore may begin at any moment."""
    if request.endpoint in security.STATIC | {"health"}:
        return None
    # A public page holds no connection of the request's session: many use a session of their own.
    if not (unfinished_restore.is_unfinished() if is_public() else unfinished_restore.is_marked(db.session())):
        return None
    response = Response(status=503, headers={"Retry-After": "30"})
    return security.fill_with_sentence(response, unfinished_restore.sentence())
