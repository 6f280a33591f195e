"""PDFs written object by object, with content that no library writes."""

from collections.abc import Mapping

Objects = Mapping[int, bytes]
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 4 0 R>>"
BASIC: dict[int, bytes] = {
    1: b"<</Type/Catalog/Pages 2 0 R>>",
    2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    3: PAGE,
    4: b"<</Length 5 0 R>>stream\n0 0 m 9 9 l S\nendstream",
    5: b"13",
}


def stream(dictionary: bytes, data: bytes = b"q Q") -> bytes:
    """The entries of a dictionary (without << >>) and data, as a stream."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (dictionary, len(data), data)


def pdf(objects: Objects, trailer: bytes = b"", version: bytes = b"1.7", line: bytes = b"\n") -> bytes:
    """Objects by number, with a cross-reference table; object 1 is the catalogue."""
    return _revision(b"%%PDF-%s%s%%\xe2\xe3\xcf\xd3%s" % (version, line, line), objects, trailer, line)


def update(content: bytes, objects: Objects) -> bytes:
    """An incremental update: these objects replace those of the same number."""
    previous = int(content[content.rfind(b"startxref") + 9 :].split()[0])
    return _revision(content, objects, b"/Prev %d" % previous, b"\n")


def _revision(content: bytes, objects: Objects, trailer: bytes, line: bytes) -> bytes:
    table = [b"0 1", b"0000000000 65535 f "]
    for number, body in sorted(objects.items()):
        table += [b"%d 1" % number, b"%010d 00000 n " % len(content)]
        content += b"%d 0 obj%s%s%sendobj%s" % (number, line, body, line, line)
    begin, size = len(content), max(objects) + 1000
    table.insert(0, b"xref")
    content += b"\n".join(table) + b"\ntrailer%s<</Size %d/Root 1 0 R%s>>%s" % (line, size, trailer, line)
    return content + b"startxref%s%d%s%%%%EOF%s" % (line, begin, line, line)


def catalogue(entries: bytes) -> dict[int, bytes]:
    return BASIC | {1: b"<</Type/Catalog/Pages 2 0 R%s>>" % entries}


def page(entries: bytes) -> dict[int, bytes]:
    return BASIC | {3: PAGE[:-2] + entries + b">>"}


def annotation(entries: bytes, subtype: bytes = b"Link") -> dict[int, bytes]:
    return page(b"/Annots[<</Type/Annot/Subtype/%s/Rect[0 0 9 9]%s>>]" % (subtype, entries))


def field(entries: bytes) -> dict[int, bytes]:
    return catalogue(b"/AcroForm<</Fields[<</FT/Tx/T(a)/Kids[<</T(b)%s>>]>>]>>" % entries)


def outline(entries: bytes) -> dict[int, bytes]:
    items = {50: b"<</Title(1)/Parent 49 0 R/Next 51 0 R>>", 51: b"<</Title(2)/Parent 49 0 R/Prev 50 0 R%s>>" % entries}
    return catalogue(b"/Outlines 49 0 R") | {49: b"<</First 50 0 R/Last 51 0 R/Count 2>>"} | items
