"""Bundler: joins the style sheets of the panel (with their pictures inlined), and its scripts, into one file each.

It runs when the process starts. A script may use two forms of `import`, both of files of this folder, and may export
functions and constants by name; anything else, or an import of a name that is not exported, raises ValueError and stops
the start.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

Contents = Mapping[str, bytes]  # path in the folder → content
PICTURE = re.compile(r'url\("([^":]+\.svg)"\)')
IMPORT = re.compile(r'^import (?:\{ (.+) \} from )?"(\.\.?/[^"]+)";$', re.M)
EXPORT = re.compile(r"^export (?=(?:async function|function|const) ([\w$]+))", re.M)
LEFT = re.compile(r"^(?:import|export)\b.*$", re.M)


def sheet(contents: Contents, parts: Sequence[str]) -> bytes:
    """The style sheets in this order, with the SVG files they name inlined as data URLs."""
    return "".join(_with_pictures(contents, part) for part in parts).encode()


def _with_pictures(contents: Contents, name: str) -> str:
    def embedded(named: re.Match[str]) -> str:
        picture = contents[_beside(name, named[1])].decode()
        return f'url("data:image/svg+xml,{quote(picture)}")'

    return PICTURE.sub(embedded, contents[name].decode())


def script(contents: Contents, entry: str) -> bytes:
    """A module and all its imports as one script: each in its own function scope, in the order of execution."""
    ordered: dict[str, str] = {}
    _join(contents, entry, ordered)
    return "".join(ordered.values()).encode()


def _join(contents: Contents, name: str, ordered: dict[str, str]) -> None:
    if name in ordered:
        return
    ordered[name] = ""  # imported again further down, it is not joined twice
    text = contents[name].decode()
    for names, other in IMPORT.findall(text):
        other = _beside(name, other)
        given = EXPORT.findall(contents[other].decode())
        for each in filter(None, (part.partition(" as ")[0] for part in names.split(", "))):
            if each not in given:  # joined, it would be undefined until it is called
                raise ValueError(f"{name}: {each} is not exported by {other}")
        _join(contents, other, ordered)
    exported = EXPORT.findall(text)
    text = EXPORT.sub("", IMPORT.sub(lambda found: _imported(name, *found.groups()), text))
    if left := LEFT.search(text):
        raise ValueError(f"{name}: {left[0]}")
    del ordered[name]  # inserted again, after its imports
    ordered[name] = f"const {_object(name)} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();\n"


def _imported(name: str, names: str | None, other: str) -> str:
    """`import { a, b as c } from "./other.js";` as names in the scope of the importing module."""
    return f"const {{ {names.replace(' as ', ': ')} }} = {_object(_beside(name, other))};" if names else ""


def _object(name: str) -> str:
    """The variable that holds the exports of a module; no module uses such a name itself."""
    return re.sub(r"\W", "_", name)


def _beside(name: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), other))
