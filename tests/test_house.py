"""The house's own rules: which way imports flow, who names a status, who may speak SQL."""

import ast
import re
from pathlib import Path

import pytest

from models.vocabulary import Status
from tests import ROOT
from tests.rooms import arrows

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("models", "views")
    for path in (ROOT / room).glob("**/*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "templates").glob("**/*")
    if path.suffix in {".html", ".js", ".css", ".xml", ".txt"}
)


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file it does so."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named |= {f"{node.module}.{name.name}" for name in node.names}
    return named


def rooms(path: Path) -> set[str]:
    """The first part of each import."""
    return {name.split(".")[0] for name in imports_of(path)}


def test_the_house_was_found() -> None:
    assert {"models/workflow/__init__.py", "models/codes/__init__.py", "views/panel/screen.py"} <= set(MODULES)
    assert TEMPLATES


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("models/")])
def test_models_know_nothing_of_the_web(module: str) -> None:
    """Design 3.2, 3.3: app → views → models; of Flask only what opens a database and translates a sentence."""
    web = {"flask", "flask_admin", "flask_login", "flask_wtf", "wtforms", "werkzeug", "jinja2", "markupsafe"}
    found = {name for name in imports_of(ROOT / module) if name.split(".")[0] in web | {"app", "views", "tests"}}
    allowed = {"models/database/__init__.py": {"flask.Flask"}, "models/people/accounts.py": {"flask_login.UserMixin"}}
    assert found <= allowed.get(module, set())


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("views/")])
def test_views_know_nothing_of_the_application_that_holds_them(module: str) -> None:
    """Design 3.2."""
    assert not rooms(ROOT / module) & {"app", "tests"}


def test_the_application_knows_views_and_how_to_open_the_database_only() -> None:
    """Design 3: app.py is SETTINGS and create_app, nothing else."""
    inner = {name for name in imports_of(ROOT / "app.py") if name.split(".")[0] in {"models", "views"}}
    assert inner == {"views", "models.database.init_app"}


# Each room, a folder or a file, imports only from itself and from rooms that stand before it.
MODELS = [
    "vocabulary",
    "clock",
    "sort_keys",
    "workflow",
    "database",
    "text",
    "codes",
    "columns",
    "files",
    "log",
    "people",
    "kept_queries",
    "signing",
    "numbering",
    "application",
    "deadlines",
    "opinions",
    "queue",
    "certificate",
    "customs",
    "notifications",
    "access",
    "verdict",
    "statistics",
    "mail",
    "acts",
    "exchange",
    "checkpoint",
    "integrity",
    "backup",
]
VIEWS = ["translations", "resources", "certificate", "entrance", "panel", "screens", "demo", "terminal"]


ORDER = [*(("models", room) for room in MODELS), *(("views", room) for room in VIEWS)]


def test_every_room_has_its_place() -> None:
    """Design 3: a new room is written into the order first, so that it is known where it may reach."""
    assert set(ORDER) == set(arrows())


@pytest.mark.slow
@pytest.mark.parametrize("room", ORDER, ids="/".join)
def test_a_room_imports_from_rooms_before_it(room: tuple[str, str]) -> None:
    """Design 3: imports run one way, and no two rooms need each other."""
    assert arrows()[room] <= set(ORDER[: ORDER.index(room)])


LONGEST = 250  # lines of a file


@pytest.mark.parametrize("module", MODULES)
def test_a_file_can_be_read_at_a_sitting(module: str) -> None:
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_a_file_of_tests_can_be_read_at_a_sitting() -> None:
    files = (ROOT / "tests").glob("**/*.py")
    assert [file for file in files if len(file.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


STATUSES = {status.value for status in Status}
NAMED: dict[str, set[str]] = {}
RULERS = {
    "models/vocabulary.py",
    *(f"models/workflow/{name}.py" for name in ("statuses", "acts", "customs_acts")),
}


def statuses_named(path: Path) -> set[str]:
    """Every status that a module names, as Status.X or in quotation marks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        node.attr.lower()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "Status"
    }
    spoken = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return (named | spoken) & STATUSES


@pytest.mark.slow
@pytest.mark.parametrize("module", [module for module in MODULES if module not in RULERS])
def test_only_the_vocabulary_and_the_workflow_name_statuses(module: str) -> None:
    """Design 3.1: nobody else lists statuses; the one that may be named is 暂存, in which a row is born."""
    assert statuses_named(ROOT / module) <= NAMED.get(module, {"draft"})


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_names_a_status(template: str) -> None:
    """Design 3.1: colour, label and buttons come from the vocabulary and the workflow."""
    words = set(re.findall(r"""["']([a-z_]+)["']""", (ROOT / template).read_text(encoding="utf-8")))
    assert words & STATUSES == set()


# What reaches the database past the session's guard, and the modules that need it; a new name has to be argued for.
PASSING_BY = {"exec_driver_sql", "connection", "engine", "raw_connection", "get_bind", "get_engine"}
DESCRIBED = {"columns", "indexes"}  # of a table: what it is, not what it holds
ALLOWED = {
    "models/database/revision.py": {"engine"},  # which migration a database has seen
    "models/database/__init__.py": {
        "engine",
        "exec_driver_sql",
        "connection",
        "get_bind",
    },  # the lock of a migration, the version of the database, time-outs of the health check, which database it is
    "models/database/locks.py": {"connection", "exec_driver_sql"},  # which database; SQLite's only lock
    "models/database/computed_columns.py": {"text", "connection"},  # Alembic's connection; the database's own columns
    "models/database/postgresql.py": {"connection", "exec_driver_sql"},  # time-outs of one transaction
    "models/application/search.py": {"get_bind", "connection"},  # which database; names of publishers, of no model
    "models/database/search.py": {"text"},  # an index that SQLAlchemy has no words for
    "models/database/publisher_names.py": {"text"},  # a table that triggers fill
    "models/database/triggers.py": {"text"},  # triggers, for which SQLAlchemy has no words
    "models/customs/__init__.py": {"text"},  # the condition of an index
    "models/numbering.py": {"connection", "get_bind", "Serial.__table__"},  # INSERT … ON CONFLICT on its own table
    "views/terminal/__init__.py": {"connection"},  # the lock of a migration, for its lists; the search index
    "models/backup/__init__.py": {"engine"},  # the whole database, copied
    "models/backup/restoring.py": {"engine", "create_engine"},  # and put back
    "models/backup/restore_lock.py": {"connection"},
    "models/backup/unfinished_restore.py": {"engine"},  # the mark of a database that is half restored
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
def test_only_a_named_few_pass_by_the_session(module: str) -> None:
    """AD2: raw SQL and Core are not seen by the guard."""
    assert passing_by(ROOT / module) <= ALLOWED.get(module, set())


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


def test_no_name_at_the_top_of_a_file_is_given_two_values() -> None:
    """The second would silently reach the functions that were written for the first."""
    twice = []
    for path in sorted(path for room in ("models", "views", "tests") for path in (ROOT / room).glob("**/*.py")):
        names = [
            target.id
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            for target in (node.targets if isinstance(node, ast.Assign) else [])
            if isinstance(target, ast.Name)
        ]
        twice += [(path.name, name) for name in {*names} if names.count(name) > 1]
    assert twice == []


def test_a_function_can_be_seen_at_once() -> None:
    """25 lines between its docstring and its end."""
    long = []
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[ast.get_docstring(node) is not None :]
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                long += [(module, node.name, lines)] if lines > 25 else []
    assert long == []
