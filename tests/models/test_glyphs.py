"""Nothing missing: what no font can draw stops the grant, and what passes is on the paper (GB 18030-2022)."""

import io

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select

from models import access, press
from models.certificate import Certificate
from models.glyphs import named, undrawable
from models.vocabulary import Action
from models.workflow import Refused
from tests.cast import take
from tests.conftest import Making, Recording
from views.certificate import order
from views.office import keys

RARE = "䶮㛃𬀩𫍯𠮷"  # in names of people and places; levels 1 to 3 of the standard
SAMPLES = {
    "the last of extension B": "\U0002a6d6",
    "extension G": "\U00030000",
    "a variation selector": "葛\U000e0100城",
    "composed": "Café",
    "combining": "e\u0301 a\u0308\u0323",
    "a mark of another script": "\u093f",
    "Hebrew": "שלום",
    "Arabic": "العربية",
    "Thai": "ไทย",
    "Korean": "한글",
    "emoji, joined": "👨\u200d👩",
    "private use": "\ue123",
    "a line separator": "甲\u2028乙",
}


def printed_text(app: Flask, key: int) -> str:
    """The text of the paper; raises when a glyph is missing."""
    with app.app_context(), access.everything() as session:
        granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
        paper, _page, _box = press.set_in_type(order(granted, "320000", keys())[0])
    return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(io.BytesIO(paper)))


def test_rare_characters_of_names_are_printed(app: Flask, make_application: Making) -> None:
    """They are in the fonts that the house installs, and can be copied out of the file."""
    assert RARE in printed_text(app, make_application(status="filed", title=RARE))


def test_what_is_not_stopped_is_printed(app: Flask, make_application: Making) -> None:
    """Whatever fonts there are: what they have is on the paper, and `undrawable` knows what they have."""
    passed = [text for text in SAMPLES.values() if not undrawable([text])]
    assert SAMPLES["composed"] in passed
    text = printed_text(app, make_application(status="filed", title="；".join(passed)))
    assert [sample for sample in passed if sample.isascii() and sample not in text] == []


@pytest.mark.parametrize("what", [*SAMPLES, "unassigned", "an order of its own"])
def test_what_cannot_be_printed_stops_the_grant_by_name_and_changes_nothing(
    app: Flask, make_application: Making, on_record: Recording, what: str
) -> None:
    """The sentence names each such character, and what to do about it."""
    own = {"unassigned": "甲\u0378\U0010fffe乙", "an order of its own": "\u202e987\u2066"}
    text = (SAMPLES | own)[what]
    missing = undrawable([text])
    if not missing:
        assert what in SAMPLES, "these no font has"
        return
    key = make_application(status="pending", copyright_owner=text)
    before = on_record(key)
    with pytest.raises(Refused) as refused:
        take(app, Action.GRANT, key, "publisher")
    assert str(refused.value) == (
        f"无法打印字符 {named(missing)}，请退回申请人改用其他写法，或联系系统管理员增补字体。"
    )
    assert on_record(key) == before


def test_a_sentence_names_characters_without_being_turned_around_by_them() -> None:
    assert named(["\U0002a6d6", "\u202e"]) == "𪛖（U+2A6D6）、（U+202E）"


def test_joiners_selectors_and_line_ends_need_no_glyph() -> None:
    assert undrawable(["甲\u200d乙\ufe00\U000e0100\n\t\u00ad"]) == []
    assert undrawable([]) == []
