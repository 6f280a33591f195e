"""Actions of a PDF, automatic and on a click: every path to an action, and every kind of action."""

import io
import itertools
from collections.abc import Callable

import pikepdf
import pytest

from models.files.flaws import Flaw
from tests.corpus.raw import annotation, catalogue, field, outline, page, pdf, stream
from tests.models.conftest import Verdict

# path → (where it is, entry with %s for the action, whether the action runs without a click)
PATHS: dict[str, tuple[Callable[[bytes], dict[int, bytes]], bytes, bool]] = {
    "open": (catalogue, b"/OpenAction %s", True),
    "open, in an array": (catalogue, b"/OpenAction[%s]", True),
    "open, next": (catalogue, b"/OpenAction<</S/GoTo/D[3 0 R/Fit]/Next %s>>", True),
    "open, next of many": (catalogue, b"/OpenAction<</S/Named/N/Print/Next[<</S/NOP/Next %s>>]>>", True),
    "document closes": (catalogue, b"/AA<</WC %s>>", True),
    "document prints": (catalogue, b"/AA<</X 1/WP %s>>", True),
    "page opens": (page, b"/AA<</O %s>>", True),
    "page closes": (page, b"/AA<</C<</S/NOP/Next %s>>>>", True),
    "page steps": (page, b"/PresSteps<</Type/NavNode/NA %s>>", True),
    "link": (annotation, b"/A %s", False),
    "link, next": (annotation, b"/A<</S/URI/URI(https://example.org)/Next %s>>", False),
    "link, previous action": (annotation, b"/PA %s", False),
    "annotation comes into view": (annotation, b"/AA<</PV %s>>", True),
    "field calculates": (field, b"/AA<</C %s>>", True),
    "button": (field, b"/A %s", False),
    "bookmark": (outline, b"/A %s", False),
    "bookmark, next": (outline, b"/A<</S/GoTo/D[3 0 R/Fit]/Next[%s]>>", False),
}
ACTIONS = {
    "script": b"/S/JavaScript/JS(app.alert\\(1\\))",
    "script, name written in hex": b"/#53/J#61vaScript/J#53(app.alert\\(1\\))",
    "script without a kind": b"/JS(app.alert\\(1\\))",
    "program": b"/S/Launch/F(cmd.exe)",
    "program, for Windows": b"/S/Launch/Win<</F(cmd.exe)/P(/c calc)>>",
    "embedded file": b"/S/GoToE/D[0/Fit]/T<</R/C/N(a)>>",
    "share": b"/S/GoToR/F(\\\\\\\\10.0.0.1\\\\a\\\\b.pdf)/D[0/Fit]",
    "share, as a file specification": b"/S/GoToR/F<</Type/Filespec/F(//10.0.0.1/a/b.pdf)>>/D[0/Fit]",
    "share, by its absolute path": b"/S/GoToR/F<</UF(/server/a/b.pdf)>>/D[0/Fit]",
    "thread of a share": b"/S/Thread/F(//server/a.pdf)/D 0",
    "form is sent": b"/S/SubmitForm/F<</FS/URL/F(https://example.org)>>",
    "data come in": b"/S/ImportData/F(a.fdf)",
    "sound": b"/S/Sound/Sound 70 0 R",
    "film": b"/S/Movie/T(a)",
    "rendition": b"/S/Rendition/OP 0/R<</S/MR>>",
    "rich media": b"/S/RichMediaExecute/CMD<</C(play)>>",
    "3D": b"/S/GoTo3DView/V/F",
    "unknown": b"/S/Run/Command(calc)",
    "kind that is no name": b"/S(JavaScript)/JS(x\\(\\))",
    "script as an address": b"/S/URI/URI(java script:alert\\(1\\))",
    "share as an address": b"/S/URI/URI(file://10.0.0.1/a)",
    "share, with many slashes": b"/S/URI/URI(file:////server/a)",
    "share, in Windows' way": b"/S/URI/URI(\\\\\\\\server\\\\a)",
    "program by its protocol": b"/S/URI/URI(ms-msdt:/id PCWDiagnostic)",
}
WITHOUT_CLICK = {
    "page of the web": b"/S/URI/URI(https://example.org)",
    "mail": b"/S/URI/URI(mailto:a@example.org)",
    "document of the web": b"/S/GoToR/F<</FS/URL/F(https://example.org/a.pdf)>>/D[0/Fit]",
}
FORMS: dict[str, Callable[[bytes], tuple[bytes, dict[int, bytes]]]] = {
    "direct": lambda action: (b"<<%s>>" % action, {}),
    "indirect": lambda action: (b"60 0 R", {60: b"<<%s>>" % action}),
    "stream": lambda action: (b"60 0 R", {60: stream(action)}),
}


def constructions() -> dict[str, bytes]:
    """Every path with every action in every form; WITHOUT_CLICK on automatic paths only."""
    files = {}
    for path, form in itertools.product(PATHS, FORMS):
        where, entry, automatic = PATHS[path]
        for action, body in (ACTIONS | (WITHOUT_CLICK if automatic else {})).items():
            place, more = FORMS[form](body)
            files[f"{path} | {action} | {form}"] = pdf(where(entry % place) | more)
    return files


HOSTILE = constructions()


@pytest.mark.slow
def test_no_path_leads_to_a_harmful_action(verdict: Verdict) -> None:
    """FU2, by construction: a dictionary or a stream in its place, direct or indirect."""
    assert len(HOSTILE) > 1000
    assert {name: found for name, content in HOSTILE.items() if (found := verdict(content)) != Flaw.ACTIVE} == {}


PACKED = ["open | script | indirect", "bookmark, next | program | direct", "button | share | direct"]


@pytest.mark.parametrize("name", PACKED)
def test_actions_in_object_streams_are_found_too(verdict: Verdict, name: str) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(HOSTILE[name])) as hostile:
        hostile.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/S /" not in out.getvalue()
    assert verdict(out.getvalue()) == Flaw.ACTIVE
