"""/healthz: whether the house is well, for whoever watches over it; what is not is one word a line, and no secret."""

from collections.abc import Iterator

from flask import Flask, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import access
from models.certificate import paper_queue
from models.customs import health as exchange
from models.database import version
from views.certificate import paper_worker
from views.resources import pace, store


def init_app(app: Flask) -> None:
    """Hang the one page on the application."""
    app.add_url_rule("/healthz", view_func=health)


def health() -> Response:
    """`ok`, or 503 with: database, store, overdue, set_aside, rejected (messages to customs), papers and
    papers_set_aside (papers that no worker has made in time, or could not make).

    `?details` adds a line with the kind and version of the database, once that has answered.
    """
    wrong = list(ills())
    lines = [*(wrong or ["ok"]), *filter(None, [version() if "details" in request.args else None])]
    return Response("".join(f"{line}\n" for line in lines), 503 if wrong else 200, mimetype="text/plain")


def ills() -> Iterator[str]:
    """What is not well now."""
    try:
        with access.everything() as session:
            session.scalar(select(1))
            found = exchange.health(session, pace()).ill + paper_queue.unwell(session, paper_worker.pace())
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        yield "database"
        found = []
    try:
        next(store().place.keys("00"), None)
    except Exception:  # whatever kind of store it is
        current_app.logger.exception("the store cannot be used")
        yield "store"
    yield from found
