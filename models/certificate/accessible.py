"""Adds the parts of PDF/UA-1 (ISO 14289-1) that WeasyPrint leaves out: papers are both PDF/A-3 and PDF/UA-1.

The functions change the objects of pydyf in place, before the file is written. References are texts: b"12 0 R".
"""

from collections.abc import Iterator
from typing import Any

Element = dict[str, Any]  # a structure element; its kids K are references, and numbers of marked content
PIXEL = 0.75  # points
# The claim of PDF/UA-1, and the schema that PDF/A requires for properties of other standards (ISO 19005-3, 6.6.2.3).
CLAIM = """<rdf:Description xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" rdf:about="">\
<pdfuaid:part>1</pdfuaid:part></rdf:Description>\
<rdf:Description xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"\
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"\
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" rdf:about=""><pdfaExtension:schemas><rdf:Bag>\
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Indicates, which part of ISO 14289 standard is followed</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""


def complete(pdf: Any, heights: list[float]) -> bool:
    """Set the scope of table heads, make artifacts of running feet, and correct the boxes of figures.

    `heights`: of the pages, in points. Returns whether the paper may claim PDF/UA: not where a table is irregular,
    because a page ends in the rows of one head.
    """
    tree = list(_tree(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])))
    for element, above in tree:
        if element.get("S") in ("/TH", "/TD"):
            _set_scope(element, above)
        elif element.get("S") == "/Figure":
            page = pdf.page_references.index(element["Pg"])
            element["A"]["BBox"][:] = _box(element["A"]["BBox"], heights[page])
    _unlink(pdf, {id(element) for element, _above in tree})
    return all(_is_regular(pdf, element) for element, _above in tree if element["S"] == "/Table")


def _set_scope(cell: Element, above: tuple[Any, ...]) -> None:
    """Replace WeasyPrint's lists of heads, which name all heads of a row for each of its cells, by the scope."""
    cell.pop("ID", None)
    cell["A"].pop("Headers", None)
    if cell["S"] == "/TH":
        cell["A"]["Scope"] = "/Column" if "/THead" in above else "/Row"


def _is_regular(pdf: Any, table: Element) -> bool:
    """Whether all rows are equally wide, and no cell reaches below the last one."""
    widths: set[int] = set()
    reaching: dict[int, int] = {}  # column → number of further rows that a cell above covers
    for row in (each for each, _above in _tree(pdf, table) if each["S"] == "/TR"):
        columns = {column: rows - 1 for column, rows in reaching.items() if rows}
        for cell in (_at(pdf, kid)["A"] for kid in row["K"]):
            for _each in range(cell.get("ColSpan", 1)):
                free = next(n for n in range(len(columns) + 1) if n not in columns)
                columns[free] = cell.get("RowSpan", 1) - 1
        widths.add(len(columns))
        reaching = columns
    return len(widths) == 1 and not any(reaching.values())


def _box(box: list[float], height: float) -> list[float]:
    """Convert pixels below the top of the page to points above its bottom."""
    left, top, right, bottom = (side * PIXEL for side in box)
    return [left, height - bottom, right, height - top]


def _unlink(pdf: Any, known: set[int]) -> None:
    """Make artifacts of marked content that is not in the tree: running heads and feet (ISO 14289-1, 7.8)."""
    numbers = _at(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    for page, reference in enumerate(pdf.page_references):
        owners = numbers[2 * page + 1]
        strangers = [mark for mark, owner in enumerate(owners) if id(_at(pdf, owner)) not in known]
        stream = _at(pdf, _at(pdf, reference)["Contents"]).stream
        for mark in strangers:
            owners[mark] = "null"
            _make_artifact(stream, mark)


def _make_artifact(stream: list[Any], mark: int) -> None:
    """Change `/Span <</MCID mark>> BDC` in the instructions of a page."""
    (place,) = [n for n, part in enumerate(stream) if isinstance(part, dict) and part.get("MCID") == mark]
    stream[place - 1] = "/Artifact"
    del stream[place]["MCID"]
    stream[place]["Type"] = "/Pagination"


def _tree(pdf: Any, element: Element, above: tuple[Any, ...] = ()) -> Iterator[tuple[Element, tuple[Any, ...]]]:
    """Every element below this one, and the types of those above it."""
    for kid in element.get("K", ()):
        if isinstance(kid, bytes):
            below = _at(pdf, kid)
            if below.get("Type") == "/StructElem":
                yield below, above
                yield from _tree(pdf, below, (*above, below["S"]))


def _at(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
