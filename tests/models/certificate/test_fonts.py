"""Fonts: a character without a glyph stops the grant, and every other one is on the paper (GB 18030-2022)."""

import html
import io
import subprocess
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from sqlalchemy import select, update

from models import access
from models.acts.completeness import Incomplete
from models.acts.papers import order
from models.application import Application
from models.certificate import Certificate, typesetting
from models.certificate.fonts import UNSEEN, _drawn, _fonts, undrawable
from models.certificate.typesetting import Order
from models.database import db
from models.signing.keys import Keys
from models.text import is_blank, listed_characters
from models.vocabulary import Action
from models.workflow import Refused
from tests.apps import without_triggers
from tests.cast import account_of, perform_step
from tests.conftest import MakeApplication, StoredRows
from views.certificate import page
from views.resources import keys

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
STOPPED = {
    "unassigned": "甲\u0378\U0010fffe乙",
    "an order of its own": "\u202e987\u2066",
    "private use": "\ue123",
    "Egyptian": "\U00013000",
    "a mark between lines": "\ufff9",
    "shorthand": "\U0001bca0",
}  # which none of the fonts has
HEBREW_AND_ARABIC = "שלוםالعربية"  # read back from right to left, and in other shapes


def printed_text(app: Flask, key: int) -> str:
    """The text of the paper; raises when a glyph is missing."""
    with app.app_context(), access.everything() as session:
        granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
        paper, _page, _box = typesetting.render_pdf(order(granted, "320000", keys(), page))
    return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(io.BytesIO(paper)))


@pytest.mark.slow
def test_rare_characters_of_names_are_printed(app: Flask, make_application: MakeApplication) -> None:
    """They are in the installed fonts, and can be copied from the PDF."""
    assert RARE in printed_text(app, make_application(status="filed", title=RARE))


@pytest.mark.slow
def test_every_drawable_character_is_printed(app: Flask, make_application: MakeApplication) -> None:
    """With any fonts: `undrawable` agrees with the printed paper."""
    passed = [text for text in SAMPLES.values() if not undrawable([text])]
    assert {SAMPLES["composed"], SAMPLES["the last of extension B"]} <= set(passed)
    passed_letters = {sign for sign in "".join(passed) if sign.isalpha() and sign not in HEBREW_AND_ARABIC}
    text = unicodedata.normalize("NFC", printed_text(app, make_application(status="filed", title="；".join(passed))))
    assert sorted(passed_letters - set(text)) == []


@pytest.mark.slow
def test_no_invisible_character_stops_typesetting(app: Flask) -> None:
    """Every control, format character and selector of Unicode that `undrawable` passes leaves no box on the paper."""
    spans = [range(first, last + 1) for first, last in UNSEEN]
    signs = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cc", "Cf"}]
    signs += [chr(code) for span in spans for code in span]
    passed = [sign for sign in signs if not undrawable([sign])]
    assert len(passed) > 4000
    for before in ("甲", "e", "\U0002a6d6"):
        text = html.escape("".join(f"{before}{sign}\n" for sign in passed))
        page = f'<html lang="zh-CN"><title>{before}</title><p>{text}</p><div id="seal"></div>'
        typesetting.render_pdf(Order(page, "{}", date(2026, 1, 1), Keys(Path()), "320000"))


def test_invisible_characters_are_not_granted(app: Flask, make_application: MakeApplication) -> None:
    """Saved before texts were cleaned: the snapshot holds no zero-width sign, and the register agrees with itself."""
    key = make_application(status="pending", title="茉\u200b莉\u200d花\ufeff\u2060")
    perform_step(app, Action.GRANT, key, "publisher")
    with app.app_context(), access.everything() as session:
        granted = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
        assert granted.snapshot["title"] == "茉莉花"
    assert app.test_cli_runner().invoke(args=["trail", "verify"]).exit_code == 0


@pytest.mark.parametrize("what", STOPPED)
def test_an_unprintable_character_stops_the_grant_and_changes_nothing(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, what: str
) -> None:
    """The last check, should 申报 have let it pass: each such character is named, and what to do about it."""
    text = STOPPED[what]
    missing = undrawable([text])
    key = make_application(status="pending")
    with app.app_context(), db.engine.begin() as connection, without_triggers(connection):
        connection.execute(update(Application).values(copyright_owner=text))
    before = stored_rows(key)
    with pytest.raises(Refused) as refused:
        perform_step(app, Action.GRANT, key, "publisher")
    assert str(refused.value) == f"无法打印字符 {listed_characters(missing)}，请退回申请人改用其他写法。"
    assert stored_rows(key) == before


@pytest.mark.parametrize("what", STOPPED)
def test_an_unprintable_character_is_refused_at_submission(make_application: MakeApplication, what: str) -> None:
    """Issue 9, 33: by field and character, before the authority sees it."""
    text = STOPPED[what]
    signs = listed_characters(undrawable([text]))
    with pytest.raises(Incomplete) as refused:
        make_application(status="pending", copyright_owner=text)
    sentence = f"著作权人中的字符 {signs} 无法打印，请改用其他写法。"
    assert refused.value.missing == {"copyright_owner": sentence}


@pytest.mark.parametrize("whose", ["signer", "seal"])
def test_every_printed_text_is_checked_before_the_grant(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """The names of reviewer and seal, too: every granted certificate can be printed."""
    key = make_application(status="pending")
    with app.app_context():
        if whose == "signer":
            account_of("reviewer").name = "陈\ue123"
            db.session.commit()
        else:
            sealed = replace(keys().signer("320000"), name="江苏省新闻出版局\ue123")
            monkeypatch.setattr(Keys, "signer", lambda *_: sealed)
    before = stored_rows(key)
    with pytest.raises(Refused, match=r"（U\+E123） 无法打印，请联系系统管理员"):
        perform_step(app, Action.GRANT, key, "publisher")
    assert stored_rows(key) == before


def test_a_grant_without_fontconfig_is_refused(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_application(status="pending")
    for known in (_drawn, _fonts):
        known.cache_clear()
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "")
        with pytest.raises(Refused, match="服务器缺少 fontconfig"):
            perform_step(app, Action.GRANT, key, "publisher")
    perform_step(app, Action.GRANT, key, "publisher")


def test_a_sentence_names_bidirectional_controls_without_containing_them() -> None:
    assert listed_characters(["\U0002a6d6", "\u202e"]) == "𪛖（U+2A6D6）、（U+202E）"


def test_joiners_selectors_and_line_ends_need_no_glyph() -> None:
    assert undrawable(["甲\u200d乙\ufe00\U000e0100\n\t\u00ad"]) == []
    assert undrawable([]) == []


@pytest.mark.slow
def test_a_character_drawn_as_nothing_counts_as_blank() -> None:
    """Otherwise a title of such characters would be filed and printed blank."""
    described = ["fc-match", "--format=%{file}\n%{index}", "Noto Serif CJK SC"]
    file, index = subprocess.run(described, capture_output=True, text=True, check=True).stdout.split("\n")
    font = TTFont(file, fontNumber=int(index), lazy=True)
    glyphs = font.getGlyphSet()
    empty = set()
    for code, name in font.getBestCmap().items():
        if unicodedata.category(chr(code)) != "Lo" or unicodedata.name(chr(code), "").endswith("FILLER"):
            pen = BoundsPen(glyphs)
            glyphs[name].draw(pen)
            if pen.bounds is None:
                empty.add(chr(code))
    assert {" ", "\u3000", "\u3164"} <= empty
    assert [sign for sign in empty if not is_blank(sign)] == []
