"""Who reaches the database past the session, and so past row security."""

import ast
from pathlib import Path

import pytest

from tests import ROOT
from tests.test_house import MODULES

# What reaches the database past the session's guard, and the modules that need it; a new name has to be argued for.
PASSING_BY = {"exec_driver_sql", "connection", "engine", "raw_connection", "get_bind", "get_engine"}
DESCRIBED = {"columns", "indexes"}  # of a table: what it is, not what it holds
ALLOWED = {
    "models/database/revision.py": {"engine"},  # which migration a database has seen
    # The lock of a migration, the version of the database, time-outs of the health check, which database it is.
    "models/database/__init__.py": {"engine", "exec_driver_sql", "connection", "get_bind"},
    "models/database/locks.py": {"connection", "exec_driver_sql"},  # which database; SQLite's only lock
    "models/database/seals.py": {"connection"},  # a setting that belongs to the engine
    "models/database/settled_keys.py": {"connection", "model.__table__"},  # who writes to a table, and its sequence
    "models/database/computed_columns.py": {"text"},  # the database's own columns
    "models/database/changed_columns.py": {"connection"},  # Alembic's
    "models/database/postgresql.py": {"connection", "exec_driver_sql"},  # time-outs of one transaction
    "models/access/__init__.py": {"connection"},  # the database role of whoever is served from here on
    "models/access/row_security.py": {"text", "engine", "model.__table__"},  # roles, policies; name of the database
    "models/database/replica.py": {"get_bind", "engine"},  # which server
    "models/database/sqlite_queue.py": {"connection"},  # of a cursor of the driver
    "models/application/search.py": {"connection"},  # names of publishers, of no model
    "models/database/search.py": {"text"},  # an index that SQLAlchemy has no words for
    "models/database/publisher_names.py": {"text"},  # a table that triggers fill
    "models/database/uncounted_acts.py": {"text"},  # a table that a trigger fills
    "models/statistics/folding.py": {"connection"},  # INSERT … ON CONFLICT on its own table; that trigger's
    "models/database/triggers.py": {"text"},  # triggers, for which SQLAlchemy has no words
    "models/customs/__init__.py": {"text"},  # the condition of an index
    "models/numbering.py": {"connection", "Serial.__table__"},  # INSERT … ON CONFLICT on its own table
    "views/terminal/upgrading.py": {"connection"},  # the lock of a migration, for its lists
    "views/terminal/searching.py": {"connection"},  # the search index
    "views/terminal/database.py": {"connection"},  # of the owner, to make roles and policies
    "models/backup/__init__.py": {"engine"},  # the whole database, copied
    "models/backup/restoring.py": {"engine", "create_engine"},  # and put back
    # A database of its own, for a trial; whether the restored one has policies.
    "views/terminal/backups.py": {"create_engine", "text", "connection"},
    "models/backup/restore_lock.py": {"connection"},
    "models/backup/unfinished_restore.py": {"engine", "connection"},  # the mark of a database that is half restored
}


def passing_by(path: Path) -> set[str]:
    """The names in a module that reach the database past the session."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    described = {id(node.value) for node in nodes if node.attr in DESCRIBED and isinstance(node.value, ast.Attribute)}
    used = {node.attr for node in nodes if node.attr in PASSING_BY}
    used |= {ast.unparse(node) for node in nodes if node.attr == "__table__" and id(node) not in described}
    used |= {"text" for node in nodes if ast.unparse(node) in {"sa.text", "sqlalchemy.text", "db.text"}}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            used |= {name.name for name in node.names} & {"text", "create_engine"}
    return used


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_only_listed_modules_bypass_the_session(module: str) -> None:
    """AD2: raw SQL and Core are not seen by the guard."""
    assert passing_by(ROOT / module) <= ALLOWED.get(module, set())


def reads_lazily(tree: ast.AST) -> list[int]:
    """The lines of generator expressions that read from an open cursor."""
    firsts = [node.generators[0].iter for node in ast.walk(tree) if isinstance(node, ast.GeneratorExp)]
    calls = [first.func for first in firsts if isinstance(first, ast.Call)]
    return [call.lineno for call in calls if isinstance(call, ast.Attribute) and call.attr in ("scalars", "execute")]


@pytest.mark.parametrize("module", MODULES)
def test_no_generator_expression_reads_from_a_cursor(module: str) -> None:
    """One that stops early leaves it open: SQLite then refuses the next write of this connection as locked."""
    assert reads_lazily(ast.parse((ROOT / module).read_text(encoding="utf-8"))) == []


def test_the_search_for_open_cursors_finds_them() -> None:
    lazily = "any(row for row in session.scalars(query))"
    assert reads_lazily(ast.parse(lazily)) == [1]
    assert reads_lazily(ast.parse(lazily.replace("(query))", "(query).all())"))) == []


def test_the_search_for_raw_sql_finds_it(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from sqlalchemy import text\n"
        "db.session.connection().execute(text('select 1'))\n"
        "db.engine.raw_connection()\n"
        "select(Application.__table__)\n"
        "Application.__table__.columns['title']\n",
        encoding="utf-8",
    )
    assert passing_by(module) == {"text", "connection", "engine", "raw_connection", "Application.__table__"}
