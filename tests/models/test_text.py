"""Parsing of typed text: the value, or a sentence (issue 8, numbers 3, 5 and 6)."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from models.text import (
    INVISIBLE,
    Unreadable,
    check_day,
    clean_code,
    clean_line,
    clean_text,
    is_blank,
    listed_characters,
    normalize_code,
    normalize_identifier,
    parse_day,
    parse_decimal,
    parse_hs_code,
    without_format_characters,
)

UNSEEN = "\u200b\u200e\u202a\u202c\u202d\u2060\ufeff"  # copied along out of web pages, spreadsheets and telephones
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
SPACES = " \u00a0\u2007\u2009\u202f\u3000"
edges = st.text(UNSEEN + SPACES, max_size=4)


@pytest.fixture(scope="module", autouse=True)
def context() -> Iterator[None]:
    """Sentences are translated in an application's context; no database is opened."""
    app: Flask = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})
    with app.app_context():
        yield


def read(parse: Callable[[str], Any], typed: str) -> Any:
    """The value, or None when it is refused with a Chinese sentence."""
    try:
        return parse(typed)
    except Unreadable as refused:
        sentence = str(refused)
    assert "请" in sentence and sentence.endswith("。")
    return None


NUMBERS: dict[str, str | None] = {
    "1000": "1000", "1,000": "1000", "１０００": "1000", "１，０００": "1000", "1，234，567.5": "1234567.5",
    "1 000": "1000", "1\u00a0000": "1000", "1\u2009000\u2009000": "1000000", "1\u3000000": "1000", "1\u200b000": "1000",
    "\t500\r\n": "500", "\u202d500\u202c": "500", "\ufeff12．5": "12.5", ".5": "0.5", "5.": "5", "+5": "5", "-5": "-5",
    "−5": "-5", "0": "0", "007": "7",
    "1,5": None, "1，5": None, "1,00": None, ",500": None, "0,500": None, "1000,000": None, "1,000 000": None,
    "1, 000": None, "1.000,5": None, "1.2.3": None, "12 34": None, "1\t200": None, "1\n200": None, "1e3": None,
    "1E+3": None, "１０００张": None, "¥5": None, "5²": None, "①": None, "½": None, "٣": None, "一千": None,
    "1'000": None, "0x10": None, "NaN": None, "Infinity": None, "1_000": None, "5-6": None, "\u202e500\u202c": None,
    "1、000": None, "1万": None,
}  # fmt: skip


@pytest.mark.parametrize("typed", NUMBERS)
def test_numbers_are_read_in_common_spellings(typed: str) -> None:
    expected = NUMBERS[typed]
    assert read(parse_decimal, typed) == (None if expected is None else Decimal(expected))


@settings(deadline=None)  # a busy machine is no fault
@given(st.decimals(0, 10**13, places=5), st.sampled_from(["", *",，", *SPACES]), st.booleans(), edges, edges)
def test_a_number_is_read_with_any_grouping_and_padding(
    number: Decimal, separator: str, wide: bool, before: str, after: str
) -> None:
    typed = f"{number:,f}".replace(",", separator)
    assert parse_decimal(before + (typed.translate(WIDE) if wide else typed) + after) == number


@pytest.mark.slow
@settings(deadline=None)
@given(st.text("0123456789,. ，　\u200b１２+-eE", max_size=12))
def test_the_digits_of_a_number_are_never_changed(typed: str) -> None:
    """Only separators between groups of three are removed; nothing is added."""
    found = read(parse_decimal, typed)
    if found is None:
        return
    plain = unicodedata.normalize("NFKC", typed).replace("\u200b", "").strip()
    whole, _, part = plain.replace(",", "").replace(" ", "").partition(".")
    assert found == Decimal(f"{whole or 0}.{part or 0}")
    for sign in ", ":
        groups = plain.partition(".")[0].lstrip("+-").split(sign)
        assert all(len(group) == 3 for group in groups[1:])


DAYS: dict[str, date | None] = {
    **dict.fromkeys(
        ["2027-01-05", "2027-1-5", "2027/1/5", "2027.1.5", "20270105", "2027年1月5日", "2027年01月05号", "2027 1 5",
         "２０２７－０１－０５", "２０２７年１月５日", " 2027-01-05 ", "2027 - 1 - 5", "2027 年 1 月 5 日", "2027–1–5",
         "2027−1−5", "\u200b2027-01-05\ufeff", "2027\u200b-01-05", "\u202a2027/1/5\u202c", "2027-01-05 00:00:00",
         "2027/1/5 0:00", "2027年1月5"],
        date(2027, 1, 5),
    ),
    "2028-02-29": date(2028, 2, 29), "0001-12-22": date(1, 12, 22),
    **dict.fromkeys(
        ["2027-02-30", "2027-13-01", "2027-00-10", "20270230", "0000-01-01", "27-1-5", "1/5/2027", "2027-1/5", "2027-1",
         "202701", "2027010", "202701051", "45000", "明天", "2027-01-05 12:30", "2027-1-5-6", "２０２７年", "2027²-1-5",
         "\u202e2027-01-05"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("typed", DAYS)
def test_dates_are_read_in_common_spellings(typed: str) -> None:
    assert read(parse_day, typed) == DAYS[typed]


@settings(deadline=None)
@given(
    st.dates(),
    st.sampled_from(["{0:04}-{1}-{2}", "{0:04}/{1:02}/{2:02}", "{0:04}.{1}.{2:02}", "{0:04}{1:02}{2:02}",
                     "{0:04}年{1}月{2}日", "{0:04} {1} {2}"]),
    st.booleans(), edges, edges,
)  # fmt: skip
def test_every_date_is_read_in_every_spelling(day: date, spelling: str, wide: bool, before: str, after: str) -> None:
    typed = spelling.format(day.year, day.month, day.day)
    assert parse_day(before + (typed.translate(WIDE) if wide else typed) + after) == day


def test_a_day_must_be_within_the_bounds_of_its_field() -> None:
    """Absolute, or as a distance from today; both bounds are included."""
    for day in (date(1, 12, 22), date(1899, 12, 31), date(2200, 1, 1), date(9999, 12, 31)):
        with pytest.raises(Unreadable, match=r"^请填写 1900-01-01 至 2199-12-31 之间的日期。$"):
            check_day(day)
    check_day(date(1900, 1, 1))
    check_day(date(2199, 12, 31))
    with pytest.raises(Unreadable, match="请填写"):
        check_day(date(2020, 1, 1), timedelta(days=-366), timedelta(days=366))


CODES: dict[Callable[[str], str | None], dict[str, str | None]] = {
    parse_hs_code: {
        "8523499030": "8523499030", "  8523499030": "8523499030", "8523.4990.30": "8523499030", "85234990": "85234990",
        "8523 4990 30": "8523499030", "８５２３．４９９０．３０": "8523499030", "8523-4990-30\u200b": "8523499030",
        "\u202a85234990\u202c": "85234990", "\u200b": None,
    },
    normalize_code: {
        "12320000466000101w": "12320000466000101W", "１２３２ 0000 4660 0010 1W\u3000": "12320000466000101W",
        "1232-0000466000101—W\ufeff": "12320000466000101W", "\u3164": None,
    },
    normalize_identifier: {
        "978-7-5399-0000-0": "978-7-5399-0000-0", "ISBN 978–7–5399–0000–0": "978-7-5399-0000-0",
        "９７８ 7 5399 0000 0": "978-7-5399-0000-0", "9787111075660": "9787111075660", "isrc cn-c18-26-00090":
        "CN-C18-26-00090", "CN　C18 26\u200b 00090": "CN-C18-26-00090", " ": None,
    },
    clean_line: {
        "０２５－８３２１００００": "025-83210000", "+86 025\u00a0 8321 0000": "+86 025 8321 0000",
        "\u202d13800000000\u202c": "13800000000", "IFPI\u200b LV26": "IFPI LV26", "\u200e": None,
    },
    clean_code: {
        "ISRC CN-C18-26-0009-0/V·J4\ufeff": "ISRC CN-C18-26-0009-0/V·J4",
        "苏文（2026）\u200b18 号": "苏文（2026）18 号", "ＨＴ－２０２６／０1ａ，乙": "HT-2026/01a，乙",
    },
}  # fmt: skip


@pytest.mark.parametrize(("parse", "typed"), [(parse, typed) for parse, table in CODES.items() for typed in table])
def test_a_code_is_read_with_any_spacing_and_padding(parse: Callable[[str], str | None], typed: str) -> None:
    stored = CODES[parse][typed]
    assert parse(typed) == stored
    assert stored is None or parse(stored) == stored


@pytest.mark.parametrize("parse", CODES)
def test_a_code_with_a_direction_override_is_refused(parse: Callable[[str], str | None]) -> None:
    """U+202E shows 85234990 as 09943258."""
    with pytest.raises(Unreadable, match=r"^开头有改变文字顺序的隐藏字符（U\+202E），请删去后重新输入这一处。$"):
        parse("\u202e85234990")


TEXTS: dict[str, str | None] = {
    "\u200b": None, "\u3164": None, "\u2800 \u115f\u1160": None, "\ufe0f": None, "\x00\x01": None, "\u00ad\u180e": None,
    "\U000e0041": None, "\u202e": None, "": None, " \n\u3000": None,
    "探戈\u200b精选": "探戈精选", "\ufeff探戈 精选\u200e\u00a0": "探戈 精选", "\u202a探戈\u202c": "探戈",
    "探戈\u202e": "探戈",
    "探\u200d戈": "探戈", "探\u00ad戈": "探戈", "探\U000e0041戈": "探戈", "A\u200eB": "AB", "Cafe\u0301": "Café",
    "葛\U000e0100": "葛\U000e0100", "葛\U000e0100\u200b ": "葛\U000e0100", "\U000e0100葛": "葛",
    "邉\ufe00\ufe00": "邉\ufe00\ufe00",
    "👨\u200d👩": "👨\u200d👩", "🏴\U000e0067\U000e0062\U000e007f": "🏴\U000e0067\U000e0062\U000e007f",
    "می\u200cخواهم": "می\u200cخواهم", "क्\u200dष": "क्\u200dष", "שלום\u200f!": "שלום\u200f!",
    "ᠮᠣᠩ\u180e\u1820": "ᠮᠣᠩ\u180e\u1820",
}  # fmt: skip


@pytest.mark.parametrize("typed", TEXTS)
def test_free_text_loses_only_characters_without_effect(typed: str) -> None:
    """Joiners, marks and selectors stay where a script needs them; names need variation selectors."""
    assert clean_text(typed) == TEXTS[typed]
    assert is_blank(typed) == (TEXTS[typed] is None)


@pytest.mark.parametrize("sign", "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")
def test_bidirectional_controls_are_refused_by_name_and_place(sign: str) -> None:
    """Issue 9, 26: U+202E in a title."""
    with pytest.raises(Unreadable) as refused:
        clean_text(f"探戈{sign}精选")
    sentence = f"“探戈”后面有改变文字顺序的隐藏字符（U+{ord(sign):04X}），请删去后重新输入这一处。"
    assert str(refused.value) == sentence


@settings(deadline=None)
@given(
    st.text(
        st.sampled_from("探A ש\u200b\u200d\u200e\u202a\u202e\u2067\ufe0f\ufeff\x00\n\U000e0041") | st.characters(),
        max_size=30,
    )
)
def test_cleaned_text_is_visible_and_cleaning_is_idempotent(typed: str) -> None:
    try:
        cleaned = clean_text(typed)
    except Unreadable:
        return
    assert (cleaned is None) == is_blank(typed)
    if cleaned is not None:
        assert clean_text(cleaned) == cleaned
        assert not is_blank(cleaned[0])


def test_every_format_character_of_unicode_is_known() -> None:
    """All of category Cf except the marks drawn around or under digits."""
    drawn = {0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD, *range(0x0600, 0x0606)}
    formats = {code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"}
    assert {code for code in formats if without_format_characters(chr(code))} == drawn
    assert len(INVISIBLE) > 20


def test_cleaning_long_runs_of_blanks_takes_linear_time() -> None:
    """A pattern anchored only at the end would take quadratic time: a minute instead of milliseconds."""
    text = f"甲{' ' * 300_000}乙"
    assert clean_text(text) == text


def test_a_sentence_names_ten_characters_at_most() -> None:
    """The sentence is stored in a cookie."""
    assert listed_characters("\ue123") == "（U+E123）"
    assert listed_characters(chr(0xE000 + n) for n in range(300)).endswith("（U+E009） 等 300 个")
