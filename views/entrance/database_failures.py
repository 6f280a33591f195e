"""A database that does not answer or cannot write: 503, and the page gives back what was typed."""

from flask import Flask, Response, current_app
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from models.database import is_unavailable, release
from views.entrance.security import fill_with_sentence

RETRY_AFTER = 30  # seconds


def init_app(app: Flask) -> None:
    app.register_error_handler(SQLAlchemyError, handle_database_error)


def handle_database_error(error: SQLAlchemyError) -> Response:
    """503 while the database is unavailable; any other error of it is raised again, and becomes a 500."""
    if not is_unavailable(error):
        raise error
    current_app.logger.error("the database cannot be used", exc_info=error)
    release()
    response = Response(status=503)
    response.retry_after = RETRY_AFTER
    return fill_with_sentence(
        response, _("系统暂时无法访问数据库，请稍后重试；如仍未解决，请把事件编号告知系统管理员。")
    )
