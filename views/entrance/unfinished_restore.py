"""While a restore is unfinished no page is shown: the database may hold half of the register."""

from flask import Flask, Response, current_app, request

from models.backup import unfinished_restore
from views.entrance import security

CHECKED = "filing-restore-checked"


def init_app(app: Flask) -> None:
    """Answer no request on a database that is only half restored."""
    app.extensions[CHECKED] = False
    app.before_request(refuse_while_unfinished)


def refuse_while_unfinished() -> Response | None:
    """503 and a sentence for every page; asked of the database until it was found whole once."""
    if current_app.extensions[CHECKED] or request.endpoint in security.STATIC | {"health"}:
        return None
    if unfinished_restore.is_there():
        return security.say(Response(status=503), unfinished_restore.sentence())
    current_app.extensions[CHECKED] = True
    return None
