"""Rules of the code: directions of imports, who may name a status, lengths."""

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
    """Every module that a file imports, at any place in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named |= {f"{node.module}.{name.name}" for name in node.names}
    return named


def rooms(path: Path) -> set[str]:
    """The first part of each import."""
    return {name.split(".")[0] for name in imports_of(path)}


def test_the_modules_and_templates_are_found() -> None:
    assert {"models/workflow/__init__.py", "models/codes/__init__.py", "views/panel/screen.py"} <= set(MODULES)
    assert TEMPLATES


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("models/")])
def test_models_import_no_web_library(module: str) -> None:
    """Design 3.2, 3.3: app → views → models; of Flask only what opens a database and translates a sentence."""
    web = {"flask", "flask_admin", "flask_login", "flask_wtf", "wtforms", "werkzeug", "jinja2", "markupsafe"}
    found = {name for name in imports_of(ROOT / module) if name.split(".")[0] in web | {"app", "views", "tests"}}
    allowed = {"models/database/__init__.py": {"flask.Flask"}, "models/people/accounts.py": {"flask_login.UserMixin"}}
    assert found <= allowed.get(module, set())


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("views/")])
def test_views_do_not_import_the_application(module: str) -> None:
    """Design 3.2."""
    assert not rooms(ROOT / module) & {"app", "tests"}


def test_the_application_imports_only_views_and_the_opening_of_the_database() -> None:
    """Design 3: app.py is SETTINGS and create_app, nothing else."""
    inner = {name for name in imports_of(ROOT / "app.py") if name.split(".")[0] in {"models", "views"}}
    assert inner == {"views", "models.database.init_app"}


# Each room, a folder or a file, imports only from itself and from rooms that stand before it.
MODELS = [
    "language",
    "vocabulary",
    "clock",
    "workflow",
    "database",
    "text",
    "codes",
    "columns",
    "files",
    "log",
    "people",
    "saved_queries",
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
    "sign_on",
    "checkpoint",
    "integrity",
    "backup",
]
VIEWS = ["translations", "resources", "certificate", "entrance", "panel", "screens", "api", "demo", "terminal"]

ORDER = [*(("models", room) for room in MODELS), *(("views", room) for room in VIEWS)]


def test_every_room_has_its_place() -> None:
    """Design 3: a new room is written into the order first, so that it is known where it may reach."""
    assert set(ORDER) == set(arrows())


@pytest.mark.slow
@pytest.mark.parametrize("room", ORDER, ids="/".join)
def test_a_room_imports_only_rooms_before_it(room: tuple[str, str]) -> None:
    """Design 3: imports run one way, and no two rooms need each other."""
    assert arrows()[room] <= set(ORDER[: ORDER.index(room)])


LONGEST = 250  # lines of a file


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_not_too_long(module: str) -> None:
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_a_test_module_is_not_too_long() -> None:
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
    """Design 3.1: no other module lists statuses; only 暂存, the first status, may be named."""
    assert statuses_named(ROOT / module) <= NAMED.get(module, {"draft"})


def test_the_function_that_moves_a_status_names_no_act() -> None:
    """Design 3.2: what an act does stands in its record and its effect."""
    tree = ast.parse((ROOT / "models/acts/filing.py").read_text(encoding="utf-8"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert [node.attr for node in attributes if ast.unparse(node.value) == "Action"] == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_names_a_status(template: str) -> None:
    """Design 3.1: colour, label and buttons come from the vocabulary and the workflow."""
    words = set(re.findall(r"""["']([a-z_]+)["']""", (ROOT / template).read_text(encoding="utf-8")))
    assert words & STATUSES == set()


def test_no_module_level_name_is_assigned_twice() -> None:
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


def test_no_function_body_is_longer_than_25_lines() -> None:
    """25 lines between its docstring and its end."""
    long = []
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[ast.get_docstring(node) is not None :]
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                long += [(module, node.name, lines)] if lines > 25 else []
    assert long == []
