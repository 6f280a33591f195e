"""Which room imports from which: `python -m tests.rooms` writes the table into the README."""

import ast
from functools import cache

from tests import ROOT

BEGIN, END = "<!-- rooms: python -m tests.rooms -->\n", "<!-- rooms end -->\n"


def room_of(module: str) -> str:
    """`models/customs/outbox.py` → `customs`; `models/clock.py` → `clock`."""
    return module.split("/")[1].removesuffix(".py")


def modules_imported(source: str) -> set[str]:
    """Every module, and name of a module, that runs imported: at the top, in functions, `import a.b` and
    `from a import b` alike. Not what only a type checker reads, under `if TYPE_CHECKING:`."""
    tree = ast.parse(source)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "the house writes imports with the whole path"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def rooms_imported(source: str) -> set[tuple[str, str]]:
    """(tree, room) of every import of a module of models and views."""
    parts = (module.split(".") for module in modules_imported(source))
    return {
        (names[0], names[1] if len(names) > 1 else "__init__") for names in parts if names[0] in {"models", "views"}
    }


@cache
def arrows() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Each room of models and views, and the other rooms that its files import from."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for house in ("models", "views"):
        for path in sorted((ROOT / house).glob("**/*.py")):
            room = (house, room_of(path.relative_to(ROOT).as_posix()))
            if room[1] not in {"__init__", "migrations"}:
                found.setdefault(room, set()).update(rooms_imported(path.read_text(encoding="utf-8")) - {room})
    return found


def table(order: list[tuple[str, str]]) -> str:
    """Markdown: each room of models and of views, and the rooms of the same tree that it imports from."""
    lines, counts = ["| room | imports from |", "|---|---|"], {"models": 0, "views": 0}
    for house, room in order:
        others = [name for found, name in sorted(arrows()[house, room], key=order.index) if found == house]
        counts[house] += len(others)
        lines.append(f"| {house}/{room} | {' · '.join(others)} |")
    summary = "{models} arrows between the rooms of models, {views} between those of views, none of them backwards."
    return "\n".join([*lines, "", summary.format(**counts)]) + "\n"


def main() -> None:
    """Replace the table in the README by the present one."""
    from tests.test_house import ORDER

    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    readme.write_text(before + BEGIN + table(ORDER) + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
