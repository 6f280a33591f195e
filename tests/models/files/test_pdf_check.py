"""Check of a PDF: each flaw by its structure, and honest files that only look suspicious."""

import io

import pikepdf
import pytest

from models.files.flaws import Flaw
from tests.corpus.raw import BASIC, PAGE, annotation, catalogue, field, page, pdf, stream, update
from tests.models.conftest import Verdict

SCRIPT = b"<</S/JavaScript/JS(x\\(\\))>>"
SPECIFICATION = b"<</Type/Filespec/F(a.exe)/EF<</F 61 0 R>>>>"
PROGRAM = {61: stream(b"/Type/EmbeddedFile", b"MZ\x90\0")}


def unlisted(content: bytes, body: bytes) -> bytes:
    """Insert an object that is not in the cross-reference table, but is the last one found by searching the file."""
    at = content.rindex(b"xref\n0 1")
    return (content[:at] + body + content[at:]).replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(body)))


STRUCTURES: dict[str, tuple[bytes, Flaw]] = {
    "script in the names": (pdf(catalogue(b"/Names<</JavaScript<</Names[(a) %s]>>>>" % SCRIPT)), Flaw.ACTIVE),
    "script deep in the names": (
        pdf(
            catalogue(b"/Names 50 0 R")
            | {50: b"<</JavaScript 51 0 R>>", 51: b"<</Kids[52 0 R]>>", 52: b"<</Limits[(a)(a)]/Names[(a) 53 0 R]>>"}
            | {53: SCRIPT}
        ),
        Flaw.ACTIVE,
    ),
    "names in a stream": (
        pdf(catalogue(b"/Names 50 0 R") | {50: stream(b"/JavaScript<</Names[(a) 53 0 R]>>"), 53: SCRIPT}),
        Flaw.ACTIVE,
    ),
    "name tree and leaf in streams": (
        pdf(
            catalogue(b"/Names<</JavaScript 51 0 R>>")
            | {51: stream(b"/Kids[52 0 R]"), 52: stream(b"/Names[(a) 53 0 R]"), 53: stream(b"/JS(x)")}
        ),
        Flaw.ACTIVE,
    ),
    "catalogue in a stream": (
        pdf(BASIC | {1: stream(b"/Type/Catalog/Pages 2 0 R/OpenAction 53 0 R"), 53: SCRIPT}),
        Flaw.BROKEN,
    ),
    "events in a stream": (pdf(page(b"/AA 50 0 R") | {50: stream(b"/O 53 0 R"), 53: SCRIPT}), Flaw.ACTIVE),
    "script at a place of its maker": (
        pdf(catalogue(b"/Own<</Deep[<</Deeper 53 0 R>>]>>") | {53: SCRIPT}),
        Flaw.ACTIVE,
    ),
    "object that the table does not name": (
        unlisted(pdf(catalogue(b"/OpenAction 60 0 R")), b"60 0 obj\n%s\nendobj\n" % SCRIPT),
        Flaw.ACTIVE,
    ),
    "catalogue that the table does not name": (
        unlisted(pdf(BASIC), b"1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction %s>>\nendobj\n" % SCRIPT),
        Flaw.ACTIVE,
    ),
    "last revision": (update(pdf(BASIC), catalogue(b"/OpenAction 60 0 R") | {60: SCRIPT}), Flaw.ACTIVE),
    "dynamic form": (pdf(catalogue(b"/AcroForm<</XFA[(template) 60 0 R]>>") | {60: stream(b"")}), Flaw.ACTIVE),
    "dynamic form in one stream": (
        pdf(catalogue(b"/AcroForm 50 0 R") | {50: b"<</XFA 60 0 R>>", 60: stream(b"")}),
        Flaw.ACTIVE,
    ),
    "data in another file": (pdf(BASIC | {4: stream(b"/F(//server/a)")}), Flaw.ACTIVE),
    "page of another file": (pdf(page(b"/Ref<</F(//server/a.pdf)/Page 0>>")), Flaw.ACTIVE),
    "base of all addresses": (pdf(catalogue(b"/URI<</Base(file://server/)>>")), Flaw.ACTIVE),
    "rendition in the names": (
        pdf(catalogue(b"/Names<</Renditions<</Names[(a)<</Type/Rendition/S/MR>>]>>>>")),
        Flaw.ACTIVE,
    ),
    **{
        f"annotation that plays: {kind.decode()}": (pdf(annotation(b"", kind)), Flaw.ACTIVE)
        for kind in (b"RichMedia", b"Movie", b"Sound", b"Screen", b"3D", b"#33D")
    },
    "file": (pdf(catalogue(b"/Names<</EmbeddedFiles<</Names[(a)%s]>>>>" % SPECIFICATION) | PROGRAM), Flaw.EMBEDDED),
    "file, in streams": (
        pdf(
            catalogue(b"/Names<</EmbeddedFiles 50 0 R>>")
            | {50: stream(b"/Names[(a) 51 0 R]"), 51: stream(b"/UF(a.exe)/EF 52 0 R"), 52: stream(b"/F 61 0 R")}
            | PROGRAM
        ),
        Flaw.EMBEDDED,
    ),
    "associated file": (pdf(page(b"/AF[%s]" % SPECIFICATION) | PROGRAM), Flaw.EMBEDDED),
    "file as an annotation": (pdf(annotation(b"/FS" + SPECIFICATION, b"FileAttachment") | PROGRAM), Flaw.EMBEDDED),
    "data as an annotation": (
        pdf(annotation(b"/FS" + SPECIFICATION.replace(b"exe", b"json"), b"FileAttachment") | {61: stream(b"", b"{}")}),
        Flaw.EMBEDDED,
    ),
    "program called data": (pdf(page(b"/AF[%s]" % SPECIFICATION.replace(b"exe", b"xml")) | PROGRAM), Flaw.EMBEDDED),
    "program that has two names": (
        pdf(page(b"/AF[%s]" % SPECIFICATION.replace(b"a.exe)", b"a.xml)/UF(a.exe)")) | {61: stream(b"", b"<a/>")}),
        Flaw.EMBEDDED,
    ),
    "data that are a page": (
        pdf(
            page(b"/AF[%s]" % SPECIFICATION.replace(b"exe", b"xml"))
            | {61: stream(b"", b'<a xmlns="http://www.w3.org/1999/xhtml"/>')}
        ),
        Flaw.EMBEDDED,
    ),
    "document that needs a password, in a cover": (
        pdf(page(b"/AF[%s]" % SPECIFICATION.replace(b"/EF", b"/AFRelationship/EncryptedPayload/EF")) | PROGRAM),
        Flaw.LOCKED,
    ),
    "no page": (pdf({1: BASIC[1], 2: b"<</Type/Pages/Kids[]/Count 0>>"}), Flaw.EMPTY),
    "lock of a certificate": (
        pdf(BASIC | {70: b"<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4>>"}, b"/Encrypt 70 0 R/ID[(a)(a)]"),
        Flaw.LOCKED,
    ),
    "lock of a server": (pdf(BASIC, b"/Encrypt<</Filter/FOPN_foweb/V 1>>/ID[(a)(a)]"), Flaw.LOCKED),
    "cut in an update": (update(pdf(BASIC), {4: stream(b"", bytes(900))})[:-1200], Flaw.CUT),
    "cut before its end": (pdf(BASIC)[:-25], Flaw.CUT),
    "no root": (pdf(BASIC).replace(b"/Root", b"/Boot"), Flaw.BROKEN),
}


def test_each_harmful_structure_is_refused_with_its_own_flaw(verdict: Verdict) -> None:
    """FU2: active, with an embedded file, locked, cut, empty or broken."""
    assert {name: found for name, (content, flaw) in STRUCTURES.items() if (found := verdict(content)) != flaw} == {}


LOCKS = {
    "user": ({"user": "u", "owner": "o"}, Flaw.LOCKED),
    "owner": ({"user": "", "owner": "o"}, "application/pdf"),
}


@pytest.mark.filterwarnings("ignore:Encryption R=5 is deprecated")
@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("revision", [2, 3, 4, 5, 6])
def test_a_user_password_is_refused_and_an_owner_password_accepted(verdict: Verdict, name: str, revision: int) -> None:
    """FU2: with every encryption algorithm."""
    passwords, expected = LOCKS[name]
    out = io.BytesIO()
    encryption = pikepdf.Encryption(R=revision, aes=revision > 3, metadata=revision > 3, **passwords)  # type: ignore[arg-type]
    with pikepdf.open(io.BytesIO(pdf(BASIC))) as plain:
        plain.save(out, encryption=encryption)
    assert verdict(out.getvalue()) == expected


RESOURCES = b"/Resources<</Font<</JS 50 0 R/EF 50 0 R/XFA 50 0 R>>/XObject<</AA 51 0 R/EF 51 0 R/A 51 0 R>>"
COLOURS = b"/ColorSpace<</JS/DeviceRGB/EF[/ICCBased 4 0 R]>>/Properties<</JavaScript<</Type/OCG/Name(a)>>>>>>"
FORM = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Group<</S/Transparency>>")
HONEST = {
    "objects of number and null": pdf(
        BASIC | {6: b"null", 7: b"12", 8: b"true", 9: b"(text)", 10: b"/Name", 11: b"1.5"}
    ),
    "old Macintosh line ends": pdf(BASIC, line=b"\r"),
    "Windows line ends": pdf(BASIC, line=b"\r\n"),
    "an empty line in front": b"\n" + pdf(BASIC),
    "a mark of byte order in front": b"\xef\xbb\xbf\r\n" + pdf(BASIC),
    "1,100 NUL behind": pdf(BASIC) + bytes(1100),
    "70,000 NUL behind": pdf(BASIC) + bytes(70_000),
    "a line of a mail gateway behind": pdf(BASIC) + b"\r\n--=_NextPart_000_0012--\r\n" * 60,
    "the end cut by a letter": pdf(BASIC).rstrip()[:-1],
    "the end cut by five letters": pdf(BASIC).rstrip()[:-5],
    "a table of references that lies elsewhere": pdf(BASIC).replace(b"startxref\n", b"startxref\n9"),
    "things named as what acts": pdf(
        BASIC
        | {3: PAGE.replace(b"/Resources<<>>", RESOURCES + COLOURS), 51: FORM}
        | {50: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
    ),
    "states of a button": pdf(annotation(b"/AP<</N<</JS 51 0 R/AA 51 0 R>>>>/AS/JS", b"Widget") | {51: FORM}),
    "properties of a document": pdf(BASIC | {50: b"<</Title(/JS)/JS(/JavaScript)/Launch(x)/EF(x)>>"}, b"/Info 50 0 R"),
    "classes and roles of structure": pdf(
        catalogue(b"/StructTreeRoot<</RoleMap<</S/P/JS/Span/Launch/Sect>>/ClassMap<</A<</O/Layout>>>>/K 50 0 R>>")
        | {50: b"<</Type/StructElem/S/Launch/P 1 0 R/A[<</O/Layout/Placement/Block>> 0]/K[<</S/P/K 1>>]>>"}
    ),
    "notes of an editor": pdf(page(b"/PieceInfo<</Maker<</Private<</S/JavaScript/JS(x)/AA<</S/Own>>>>>>>>")),
    "opens at a page": pdf(catalogue(b"/OpenAction[3 0 R/XYZ null null 0]")),
    "opens at a page, by an action": pdf(catalogue(b"/OpenAction<</S/GoTo/D[3 0 R/Fit]>>")),
    "prints when it opens": pdf(catalogue(b"/OpenAction<</Type/Action/S/Named/N/Print>>")),
    "opens the next part of a patent": pdf(page(b"/AA<</O<</S/GoToR/F(pdfdoc?DB=EPODOC&IDX=1)/D[0/Fit]>>>>")),
    "links": pdf(
        page(
            b"/Annots["
            + b"".join(
                b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<<%s>>>>" % action
                for action in (
                    b"/S/URI/URI(https://www.nppa.gov.cn/)",
                    b"/S/URI/URI(www.example.cn:8080/a)",
                    b"/S/URI/URI(mailto:a@example.cn)",
                    b"/S/URI/URI(tel:+86-25-83210000)",
                    b"/S/URI/URI(file:///C:/Users/a/b.docx)",
                    b"/S/URI/URI(C:\\\\Users\\\\a.docx)",
                    b"/S/URI/URI(../a.docx)",
                    b"/S/GoToR/F(part2.pdf)/D[0/Fit]",
                    b"/S/GoToR/F<</Type/Filespec/F(/C/a/part2.pdf)>>/D[0/Fit]",
                    b"/S/ResetForm",
                    b"/S/Hide/T(a)",
                    b"/S/SetOCGState/State[/ON 3 0 R]",
                    b"/S/D",
                )
            )
            + b"]"
        )
    ),
    "a field to fill in": pdf(field(b"/V(a)/MK<</CA(x)>>")),
    "empty trees": pdf(catalogue(b"/Names<</JavaScript<</Names[]>>/EmbeddedFiles<</Names[]>>>>/AA<<>>")),
    "an invoice with its data": pdf(
        page(b"/AF[%s]" % SPECIFICATION.replace(b"a.exe", b"invoice.xml")) | {61: stream(b"", "<发票/>".encode())}
    ),
}


def test_a_structure_that_resembles_an_action_is_accepted(verdict: Verdict) -> None:
    """OU2: freely chosen names, links on a click, and bytes that other programs write before and after the PDF."""
    assert {name: found for name, content in HONEST.items() if (found := verdict(content)) != "application/pdf"} == {}


@pytest.mark.slow
def test_the_walk_terminates_for_any_structure(verdict: Verdict) -> None:
    """FU2: cycles, deep and wide structures terminate."""
    circle = catalogue(b"/OpenAction 60 0 R") | {
        60: b"<</S/GoTo/D[3 0 R/Fit]/Next[60 0 R 61 0 R]>>",
        61: b"[61 0 R 60 0 R]",
    }
    assert verdict(pdf(circle)) == "application/pdf"
    chain = {60 + n: b"<</S/NOP/Next %d 0 R>>" % (61 + n) for n in range(5000)}
    assert verdict(pdf(catalogue(b"/OpenAction 60 0 R") | chain | {5060: b"<</S/NOP>>"})) == "application/pdf"
    assert verdict(pdf(catalogue(b"/OpenAction 60 0 R") | chain | {5060: SCRIPT})) == Flaw.ACTIVE
    assert verdict(pdf(catalogue(b"/Own" + b"[" * 400 + b"]" * 400))) == "application/pdf"
    wide = {60 + n: b"[" + b"[]" * 100_000 + b"]" for n in range(20)}
    assert verdict(pdf(catalogue(b"/Own[%s]" % b" ".join(b"%d 0 R" % n for n in wide)) | wide)) == Flaw.COMPLEX
