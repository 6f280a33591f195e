"""Checks that a database is of this application and of this release, by its schema revision."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_babel import gettext as _
from sqlalchemy import Connection, inspect

from models.database import db, migrate, search, sqlite

VERSION = "alembic_version"
FIRST = "application"  # a table that every release has had


def current() -> str | None:
    """The revision of the schema; None: the database has no tables yet. Raises SQLAlchemyError."""
    if sqlite.is_absent(db.engine):
        return None
    with db.engine.connect() as connection:
        return "、".join(MigrationContext.configure(connection).get_current_heads()) or None


def refusal(building: bool = False) -> str | None:
    """Why this database cannot be used, or None: it has no tables, or is of another program or release.

    `building`: for commands that create the tables: missing and old ones are accepted. Raises SQLAlchemyError.
    """
    if sqlite.is_absent(db.engine):
        return None if building else _empty()
    with db.engine.connect() as connection:
        return _refusal(connection, building)


def _refusal(connection: Connection, building: bool) -> str | None:
    names = {name for name in inspect(connection).get_table_names() if not name.startswith(search.PREFIX)}
    heads = MigrationContext.configure(connection).get_current_heads()
    if not names - {VERSION}:
        return None if building else _empty()
    steps = ScriptDirectory(str(migrate.directory))
    known = {step.revision for step in steps.walk_revisions()}
    if not heads or FIRST not in names:
        return _("这个数据库属于其他程序。请在 FILING_SQLALCHEMY_DATABASE_URI 中写明本系统的数据库。")
    if not known.issuperset(heads):
        return _("数据库来自更新的版本或其他程序（%(heads)s），请先升级本系统。", heads="、".join(heads))
    if building or set(heads) == set(steps.get_heads()):
        return None
    return _("数据库结构是以前版本的，请先运行 flask --app app upgrade。")


def _empty() -> str:
    return _("数据库是空的，请先运行 flask --app app upgrade。")
