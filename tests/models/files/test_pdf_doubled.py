"""A duplicate name in a dictionary: qpdf uses the last, other readers the first, so no check sees both."""

import io

import pikepdf
import pytest

from models.files.flaws import Flaw
from tests.corpus.raw import BASIC, annotation, catalogue, page, pdf, stream, update
from tests.models.conftest import Verdict

SCRIPT, HARMLESS = b"<</S/JavaScript/JS(app.alert\\(1\\))>>", b"<</S/GoTo/D[3 0 R/Fit]>>"
DOUBLED = {
    "catalogue, script first": catalogue(b"/OpenAction%s/OpenAction%s" % (SCRIPT, HARMLESS)),
    "catalogue, script last": catalogue(b"/OpenAction%s/OpenAction%s" % (HARMLESS, SCRIPT)),
    "written in hex": catalogue(b"/Open#41ction%s/OpenAction%s" % (SCRIPT, HARMLESS)),
    "null last": catalogue(b"/OpenAction%s/OpenAction null" % SCRIPT),
    "type of the catalogue": catalogue(b"/Type/Catalog"),
    "pages": catalogue(b"/Pages 2 0 R"),
    "kind of an action": catalogue(b"/OpenAction<</S/JavaScript/S/GoTo/JS(x\\(\\))/D[3 0 R/Fit]>>"),
    "events of a page": page(b"/AA<</O%s>>/AA<<>>" % SCRIPT),
    "action of a link": annotation(b"/A%s/A%s" % (SCRIPT, HARMLESS)),
    "kind of an annotation": annotation(b"/Subtype/Screen"),
    "address": annotation(b"/A<</S/URI/URI(javascript:x\\(\\))/URI(https://example.org)>>"),
    "names": catalogue(b"/Names<</JavaScript<</Names[(a)%s]>>>>/Names<<>>" % SCRIPT),
}


@pytest.mark.parametrize("name", DOUBLED)
def test_a_duplicate_key_that_affects_actions_is_refused(verdict: Verdict, name: str) -> None:
    assert verdict(pdf(DOUBLED[name])) in (Flaw.AMBIGUOUS, Flaw.ACTIVE)


def test_a_second_root_in_the_trailer_is_refused(verdict: Verdict) -> None:
    other = BASIC | {7: b"<</Type/Catalog/Pages 2 0 R/OpenAction%s>>" % SCRIPT}
    assert verdict(pdf(other, trailer=b"/Root 7 0 R/Root 1 0 R")) == Flaw.AMBIGUOUS


def test_a_duplicate_key_in_an_object_stream_is_found(verdict: Verdict) -> None:
    """In which every program of today packs its objects."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(catalogue(b"/OpenOther%s/OpenAction%s" % (SCRIPT, HARMLESS))))) as plain:
        plain.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=False)
    assert verdict(out.getvalue()) == Flaw.ACTIVE, "a script anywhere is"
    quiet = out.getvalue().replace(b"/S /JavaScript", b"/S /Named     ").replace(b"/JS ", b"/N  ")
    assert verdict(quiet) == "application/pdf"
    doubled = quiet.replace(b"/OpenOther ", b"/OpenAction")
    assert doubled != quiet
    assert verdict(doubled) == Flaw.AMBIGUOUS


@pytest.mark.parametrize("entries", [b"/Producer(a)/Producer(b)", b"/Lang(zh)/Lang(zh)", b"/PageMode/UseNone" * 2])
def test_a_harmless_duplicate_key_is_accepted(verdict: Verdict, entries: bytes) -> None:
    """Honest programs do this now and then."""
    assert verdict(pdf(catalogue(entries))) == "application/pdf"


def test_an_object_redefined_in_a_later_revision_is_no_duplicate(verdict: Verdict) -> None:
    """As every signature and every comment is added."""
    first = pdf(catalogue(b"/OpenAction%s" % HARMLESS) | {60: stream(b"/Type/Own")})
    assert verdict(update(first, catalogue(b"/OpenAction%s" % HARMLESS))) == "application/pdf"
