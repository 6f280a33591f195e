"""The structure of a tagged PDF, read back: elements, marked content and its owners."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

PAINTS = {"Tj", "TJ", "'", '"', "Do", "sh", "f", "F", "f*", "B", "B*", "b", "b*", "S", "s"}


@dataclass
class Element:
    """A structure element: its type, object, types above it, elements below it and (page, mark) of its content."""

    kind: str
    source: Any
    above: tuple[str, ...]
    kids: list["Element"] = field(default_factory=list)
    marks: list[tuple[Any, int]] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)

    def all(self) -> Iterator["Element"]:
        yield self
        for kid in self.kids:
            yield from kid.all()

    def of(self, *kinds: str) -> list["Element"]:
        return [each for each in self.all() if each.kind in kinds]


def tree(opened: pikepdf.Pdf) -> Element:
    """The element Document, which is alone at the top."""
    (top,) = opened.Root.StructTreeRoot.K
    return _element(top, ())


def _element(source: Any, above: tuple[str, ...]) -> Element:
    found = Element(str(source.S)[1:], source, above)
    kids = source.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if not isinstance(kid, pikepdf.Dictionary):
            found.marks.append((source.Pg.objgen, int(kid)))
        elif kid.get("/Type") == "/OBJR":
            found.objects.append(kid.Obj)
        else:
            assert kid.P.objgen == source.objgen
            found.kids.append(_element(kid, (*above, found.kind)))
    return found


def owners(opened: pikepdf.Pdf) -> dict[int, Any]:
    """The tree of parents: key → element, or list of elements (or null) by mark."""
    numbers = list(opened.Root.StructTreeRoot.ParentTree.Nums)
    return {int(key): owner for key, owner in zip(numbers[::2], numbers[1::2], strict=True)}


def painted(page: pikepdf.Page) -> Iterator[tuple[str, Any]]:
    """(tag, its properties) of each mark of the page, and of what surrounds each painting instruction; no two nest."""
    around: list[tuple[str, Any]] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) in ("BDC", "BMC"):
            assert not around
            around.append((str(operands[0])[1:], operands[1] if len(operands) > 1 else {}))
            yield around[0]
        elif str(operator) == "EMC":
            around.pop()
        elif str(operator) in PAINTS:
            (surrounding,) = around or [("", {})]
            yield surrounding


def is_regular(table: Element) -> bool:
    """Whether the cells of a table, with those that span several rows or columns, fill a rectangle without gaps."""
    rows = table.of("TR")
    filled: set[tuple[int, int]] = set()
    for n, row in enumerate(rows):
        for cell in row.kids:
            spans = cell.source.get("/A", {})
            left = next(column for column in range(len(filled) + 1) if (n, column) not in filled)
            filled |= {
                (n + down, left + right)
                for down in range(int(spans.get("/RowSpan", 1)))
                for right in range(int(spans.get("/ColSpan", 1)))
            }
    width = max(column for _row, column in filled) + 1
    return filled == {(row, column) for row in range(len(rows)) for column in range(width)}
