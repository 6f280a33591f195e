"""Text on the paper: numbers are not broken, other scripts are extracted as filed (issue 9, 33 and 37)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest

from models.certificate.fonts import undrawable
from tests.apps import PreparedApp
from tests.views.looks import certificate, fonts, pdf
from views.certificate.paper_text import typeset

SCRIPTS = {  # words of the language, and the font that has them
    "Mongolian": ("ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ", "Noto-Sans-Mongolian"),
    "Uyghur": ("ئۇيغۇر تىلى", "Noto-Naskh-Arabic"),
    "Kazakh": ("قازاق ءتىلى", "Noto-Naskh-Arabic"),
    "Tibetan": ("བོད་སྐད་ཀྱི་དེབ།", "DDC-Uchen"),
    "Yi": ("ꆈꌠꁱꂷ", "Noto-Sans-Yi"),
    "Thai": ("ภาษาไทย", "Noto-Serif-Thai"),
    "Devanagari": ("हिन्दी भाषा", "Noto-Serif-Devanagari"),
    "Hebrew": ("שלום עולם", "Noto-Serif-Hebrew"),
    "Lao": ("ພາສາລາວ", "Noto-Serif-Lao"),
    "Tai Le": ("ᥖᥭᥰᥖᥬᥲ", "Noto-Sans-Tai-Le"),
    "New Tai Lue": ("ᦎᦷᦅᧃ", "Noto-Sans-New-Tai-Lue"),
    "Lisu": ("ꓡꓲꓢꓴ", "Noto-Sans-Lisu"),
    "Korean": ("조선말", "Noto-Serif-CJK-SC"),
    "extension G": ("\U00030000\U00030021", "BabelStone-Han"),
    "extension H": ("\U00031350", "BabelStone-Han"),
}
RIGHT_TO_LEFT = {"Uyghur", "Kazakh", "Hebrew"}
MARKS_OF_ORDER = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@pytest.fixture(autouse=True)
def context(on_sqlite: PreparedApp) -> Iterator[None]:
    """An application for settings and translations."""
    with on_sqlite.app.app_context():
        yield


def lines_of(document: bytes, folder: Path) -> list[str]:
    """The text of a paper by pdftotext, without the directional marks that it adds."""
    (folder / "paper.pdf").write_bytes(document)
    command = ["pdftotext", "-layout", str(folder / "paper.pdf"), "-"]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return read.translate(MARKS_OF_ORDER).splitlines()


def places(document: bytes, words: str) -> list[float]:
    """Left edges of these characters on the first page, in points."""
    text = pypdfium2.PdfDocument(document)[0].get_textpage()
    read = text.get_text_range()
    return [text.get_charbox(read.index(sign))[0] for sign in words]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_printed_in_its_font_and_extracted_unchanged(script: str, tmp_path: Path) -> None:
    """Its letters are in an embedded font, and every word can be copied from the PDF."""
    words, font = SCRIPTS[script]
    assert undrawable([words]) == []
    document = pdf(certificate(1, title=words, manufacturer=f"甲《{words}》乙"))
    assert font in fonts(document).replace(" Regular", "")
    title, manufacturer = (
        next(line for line in lines_of(document, tmp_path) if label in line) for label in ("商品名称", "境外加工企业")
    )
    for word in words.split():
        assert word in title
        assert word in manufacturer
    if script not in RIGHT_TO_LEFT:  # of which each program writes the order otherwise
        assert f"甲《{words}》乙".replace(" ", "") in manufacturer.replace(" ", "")
    with pikepdf.open(tmp_path / "paper.pdf") as opened:
        used = [
            item for item in opened.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Subtype") == "/Type0"
        ]
        assert used
        assert [item for item in used if "/ToUnicode" not in item] == []


@pytest.mark.parametrize("words", ["ئۇيغۇر تىلى", "שלום עולם"])
def test_a_run_from_right_to_left_does_not_move_its_neighbours(words: str) -> None:
    """In a Chinese title the number after the run stays after it; without isolation it would move before it."""
    document = pdf(certificate(1, title=f"甲{words}7580 乙"))
    (first, run, number, last) = places(document, f"甲{words[0]}7乙")
    assert first < run < number < last


def test_numbers_in_a_right_to_left_title_follow_its_order() -> None:
    """The first word is at the right, then the number, then the last word at the left."""
    document = pdf(certificate(1, title="شىنجاڭ 7580 تىلى"))
    right, number, left = places(document, "ش7ت")
    assert left < number < right


LONG_CODES = ["123456789 / 0123.12345", "123456789/0123.12345", "ISRC CN-C18-26-0009-0/V·J4", "978-7-88518-210-6"]


@pytest.mark.parametrize("code", LONG_CODES)
def test_a_number_is_never_broken(code: str, tmp_path: Path) -> None:
    """In the narrowest columns too: lines end after a blank or a separator, and each number is on one line."""
    row: dict[str, Any] = {"position": "1", "kind": "黑胶唱片", "specification": code, "quantity": "1234567890123"}
    row |= {"unit": "010-张", "name": f"名称{code}", "catalogue_number": code, "unit_price": "1234567890.25"}
    row |= {"currency": "USD-美元", "note": code}
    document = pdf(certificate(0, carriers=[row], catalogue_number=code))
    text = pypdfium2.PdfDocument(document)[0].get_textpage()
    read = text.get_text_range()
    numbers = ["1234567890123", "1234567890.25", *code.replace("/", " ").replace("-", " ").replace("·", " ").split()]
    for number in numbers:
        tight = [(at, sign) for at, sign in enumerate(read) if not sign.isspace()]
        whole = "".join(sign for _at, sign in tight)
        at, found = whole.find(number), 0
        while at >= 0:
            heights = {round(text.get_charbox(tight[n][0], loose=True)[1]) for n in range(at, at + len(number))}
            assert len(heights) == 1, number
            at, found = whole.find(number, at + 1), found + 1
        assert found


def test_a_code_longer_than_its_line_breaks_between_its_parts_first() -> None:
    assert typeset("1500") == "1500"
    assert typeset("第 12 卷") == "第 12 卷"
    assert typeset("0123.12345") == '<b class="code">0123.12345</b>'
    assert typeset("1/2") == '<b class="code"><b class="code">1/</b><b class="code">2</b></b>'


def test_markup_in_a_field_is_escaped() -> None:
    assert typeset("<b>1</b> & שלום <i>") == '&lt;b&gt;1&lt;/b&gt; &amp; <bdi class="rtl">שלום</bdi> &lt;i&gt;'.replace(
        "&lt;b&gt;1&lt;/b&gt;", typeset("<b>1</b>")
    )
    assert "<i>" not in typeset('"<i>x</i>9999999')
