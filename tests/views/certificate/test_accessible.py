"""PDF/UA-1 (ISO 14289-1): the conditions of the Matterhorn protocol that a machine can check, on signed papers."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from lxml import etree

from tests.conftest import MakeApplication
from tests.views.certificate import structure
from tests.views.looks import certificate, pdf

STANDARD = {"Document", "Sect", "Part", "Div", "NonStruct", "H1", "P", "Span", "Figure", "Form"} | {
    "Table", "THead", "TBody", "TR", "TH", "TD",
}  # fmt: skip
BELOW = {"Table": {"THead", "TBody"}, "THead": {"TR"}, "TBody": {"TR"}, "TR": {"TH", "TD"}}
UA, PDFA = "{http://www.aiim.org/pdfua/ns/id/}", "http://www.aiim.org/pdfa/ns/"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


@pytest.fixture(params=[2, 60], ids=["one page", "several pages"])
def opened(
    make_application: MakeApplication, printed_paper: Any, request: pytest.FixtureRequest
) -> Iterator[pikepdf.Pdf]:
    key = make_application(status="filed", carriers=request.param)
    with pikepdf.open(BytesIO(printed_paper(key))) as paper:
        assert (len(paper.pages) > 1) == (request.param > 2)
        yield paper


def test_the_claim_is_described_for_pdfa(opened: pikepdf.Pdf) -> None:
    """Matterhorn 05, 06, 07, 11; ISO 19005-3, 6.6.2.3: a property of no standard schema has a description."""
    metadata = etree.fromstring(opened.Root.Metadata.read_bytes())
    described = f"{{{PDFA}schema#}}namespaceURI"
    (schema,) = metadata.iter(described)
    assert (metadata.xpath("//@*[name()='pdfuaid:part']"), schema.get(f"{RDF}resource")) == (["1"], UA[1:-1])
    properties = {name.rpartition("}")[2]: value for each in metadata.iter(f"{RDF}Description") for name, value in
                  each.attrib.items() if name.startswith(f"{{{PDFA}property#}}")}  # fmt: skip
    assert (properties["name"], properties["valueType"], properties["category"]) == ("part", "Integer", "internal")
    assert metadata.xpath("string(//*[local-name()='title'])").startswith("赴境外加工光盘进口备案证明")
    assert bool(opened.Root.ViewerPreferences.DisplayDocTitle)
    assert (str(opened.Root.Lang), bool(opened.Root.MarkInfo.Marked)) == ("zh-CN", True)
    assert not opened.Root.MarkInfo.get("/Suspects", False)


def test_all_content_is_in_the_structure_or_an_artifact(opened: pikepdf.Pdf) -> None:
    """Matterhorn 01: each mark belongs to one element that the tree leads to, and the other way round."""
    document, parents = structure.tree(opened), structure.owners(opened)
    owned = {mark: each.source.objgen for each in document.all() for mark in each.marks}
    assert len(owned) == sum(len(each.marks) for each in document.all())
    for page in opened.pages:
        around = list(structure.painted(page))
        marks = {int(properties["/MCID"]) for tag, properties in around if tag != "Artifact"}
        assert marks == {mark for where, mark in owned if where == page.objgen}
        of_page = list(parents[int(page.StructParents)])
        assert {n: each.objgen for n, each in enumerate(of_page) if each is not None} == {
            mark: owner for (where, mark), owner in owned.items() if where == page.objgen
        }
        assert any(tag == "Artifact" and properties.get("/Type") == "/Pagination" for tag, properties in around)
    forms = [each for each in opened.objects if isinstance(each, pikepdf.Stream) and each.get("/Subtype") == "/Form"]
    assert not any(b"/MCID" in form.read_bytes() for form in forms)


def test_elements_are_of_standard_types_and_tables_are_regular(opened: pikepdf.Pdf) -> None:
    """Matterhorn 02, 09, 14, 15: what the running heads repeat is no content, every head has its scope."""
    document = structure.tree(opened)
    assert {each.kind for each in document.all()} <= STANDARD
    assert (len(document.of("H1")), document.kids[0].kind) == (1, "H1")
    tables = document.of("Table")
    for table in tables:
        assert structure.is_regular(table)
        for each in table.all():
            assert {kid.kind for kid in each.kids} <= BELOW.get(each.kind, STANDARD)
    heads = [head for table in tables for head in table.of("TH")]
    for head in heads:
        assert str(head.source.A.Scope) == ("/Column" if "THead" in head.above else "/Row")
    assert {str(head.source.A.Scope) for head in heads} == {"/Column", "/Row"}


def test_pictures_and_the_signature_have_words_and_a_place(opened: pikepdf.Pdf) -> None:
    """Matterhorn 13, 21, 28: the field of the signature is in an element Form, named as the seal under it."""
    document = structure.tree(opened)
    code, seal = document.of("Figure")
    assert str(code.source.Alt).startswith("查验二维码：http")
    (widget,) = (each for page in opened.pages for each in page.get("/Annots", []))
    (form,) = document.of("Form")
    assert [each.objgen for each in form.objects] == [widget.objgen]
    assert structure.owners(opened)[int(widget.StructParent)].objgen == form.source.objgen
    assert str(widget.TU) == str(seal.source.Alt) == "江苏省新闻出版局（演示）电子印章"
    assert [float(side) for side in seal.source.A.BBox] == pytest.approx([float(side) for side in widget.Rect], abs=1)
    assert all(str(page.Tabs) == "/S" for page in opened.pages if "/Annots" in page)
    (attached,) = {each.objgen: each for each in opened.Root.AF}.values()
    assert (str(attached.F), str(attached.UF), str(attached.Desc)) == (
        "snapshot.json",
        "snapshot.json",
        "备案证明的内容",
    )


def test_every_glyph_has_its_character(opened: pikepdf.Pdf) -> None:
    """Matterhorn 10, 31: fonts are embedded, and map every code that is shown to Unicode."""
    for page in opened.pages:
        fonts = {name: _mapped(font) for name, font in page.Resources.Font.items()}
        current = ""
        for operands, operator in pikepdf.parse_content_stream(page):
            current = str(operands[0]) if str(operator) == "Tf" else current
            if str(operator) == "TJ":
                shown = b"".join(bytes(part) for part in operands[0] if isinstance(part, pikepdf.String))
                assert {shown[n : n + 2].hex() for n in range(0, len(shown), 2)} <= fonts[current]


def _mapped(font: Any) -> set[str]:
    """The codes that an embedded font maps to characters."""
    (inner,) = font.DescendantFonts
    assert str(font.Encoding) == "/Identity-H"
    assert {"/FontFile2", "/FontFile3"} & set(inner.FontDescriptor.keys())
    assert str(inner.Subtype) != "/CIDFontType2" or "/CIDToGIDMap" in inner
    return {code.lower() for code in re.findall(r"<([0-9a-fA-F]{4})> <", font.ToUnicode.read_bytes().decode())}


def test_a_table_that_a_page_cuts_under_a_head_of_several_rows_claims_nothing(context: None) -> None:
    """Such a table has no head on the second page, and the head on the first reaches below the last row."""
    long = {"contract_number": "A" * 300, "copyright_owner": "权" * 900, "manufacturer": "x y " * 700}
    for facts, expected in (({}, True), (long, False)):
        paper = pdf(certificate(2, **facts))
        with pikepdf.open(BytesIO(paper)) as read:
            assert all(structure.is_regular(table) for table in structure.tree(read).of("Table")) is expected
            assert (b"pdfuaid:part" in read.Root.Metadata.read_bytes()) is expected
