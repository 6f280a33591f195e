"""Adds a signature to a paper and keeps PDF 1.7, as PDF/A-3 requires (ISO 19005-3, 6.1.2); pyHanko declares PDF 2.0."""

from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

VERSION = (1, 7)


class ArchivalWriter(IncrementalPdfFileWriter):
    """An incremental update that keeps the PDF version of the file."""

    output_version = VERSION

    def ensure_output_version(self, version: Any) -> None:
        """Keeps the version: for readers of PDF 1.7, PAdES is declared as extension ESIC."""

    def register_extension(self, ext: Any) -> None:
        """Leaves out extensions of PDF 2.0; the one for elliptic curves is not needed to verify."""
        if ext.base_version == "/1.7":
            super().register_extension(ext)

    def tag_last_field(self) -> None:
        """Put the last form field at the end of the structure tree, under the name of the last picture: the seal's.

        PDF/UA-1 (ISO 14289-1, 7.18) requires a name for readers and an element Form around every field. A PDF
        without tags stays as it is.
        """
        if "/StructTreeRoot" not in self.root:
            return
        tree, field = self.root["/StructTreeRoot"], self.root["/AcroForm"]["/Fields"].raw_get(-1)
        widget, document = field.get_object(), tree["/K"].raw_get(0)
        name = next((figure["/Alt"] for figure in _figures(document.get_object()) if "/Alt" in figure), widget["/T"])
        numbers, page = tree["/ParentTree"]["/Nums"], widget.raw_get("/P")
        place = DictionaryObject({_TYPE: NameObject("/OBJR"), NameObject("/Obj"): field, NameObject("/Pg"): page})
        form = self.add_object(
            DictionaryObject(
                {
                    _TYPE: NameObject("/StructElem"),
                    NameObject("/S"): NameObject("/Form"),
                    NameObject("/P"): document,
                    NameObject("/Pg"): page,
                    NameObject("/K"): place,
                }
            )
        )
        key = NumberObject(max(list(numbers)[::2], default=-1) + 1)
        widget[NameObject("/TU")] = TextStringObject(str(name))
        widget[NameObject("/StructParent")] = key
        document.get_object()["/K"].append(form)
        numbers.extend([key, form])
        for changed in (widget, document.get_object(), numbers):
            self.update_container(changed)


_TYPE = NameObject("/Type")


def _figures(element: Any) -> Iterator[Any]:
    """The figures below an element, the last first; lazily, because reading all those of long tables takes seconds."""
    kids = element.get("/K", ())
    for each in reversed(list(kids)) if isinstance(kids, ArrayObject) else [kids]:
        kid = each.get_object()
        if isinstance(kid, DictionaryObject):
            if kid.get("/S") == "/Figure":
                yield kid
            yield from _figures(kid)
