"""503 while the database does not answer or cannot be written; the error page returns the submitted form."""

from flask import Flask, current_app, redirect, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from models.database import db, is_unavailable, release, replica
from views.entrance.security import fill_with_sentence

RETRY_AFTER = 30  # seconds


def init_app(app: Flask) -> None:
    app.register_error_handler(SQLAlchemyError, handle_database_error)


def handle_database_error(error: SQLAlchemyError) -> BaseResponse:
    """503 while the database is unavailable; a GET that read from the replica is redirected to itself, then without it.

    Raises any other database error again, which becomes a 500.
    """
    if not is_unavailable(error):
        raise error
    current_app.logger.error("the database is unavailable", exc_info=error)
    if replica.report_failure(db.session()) and request.method == "GET":
        release()
        return redirect(request.full_path.rstrip("?"), 307)  # the same page, read from the primary
    release()
    response = current_app.response_class(status=503)
    response.retry_after = RETRY_AFTER
    return fill_with_sentence(
        response, _("系统暂时无法访问数据库，请稍后重试；如仍未解决，请把事件编号告知系统管理员。")
    )
