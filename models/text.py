"""Normalizing and parsing of typed or pasted text. Raises Unreadable; its str() says what to write instead."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import gettext as _

from models import clock
from models.language import listed
from models.workflow import Refused

Bound = date | timedelta  # a day, or a distance from today

# Unicode's Default_Ignorable_Code_Point, interlinear marks, Egyptian joiners, and what no message can carry (control
# characters other than white space, lone surrogates, U+FFFE/F).
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
)
BLANK = r"\s\u2800\U0001d159\U00013441\U00013442\U00016fe4"  # drawn as empty space
SELECTORS = "\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff"  # belong to the character before them
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # all but tab and line feed
FORMATS = re.compile(f"[{INVISIBLE}]")
BLANK_TEXT = re.compile(f"[{BLANK}{INVISIBLE}]*")
START = re.compile(f"^(?:(?!\u202e)[{BLANK}{INVISIBLE}])+")  # an override at the start reverses the text after it
TRAILING = re.compile(f"(?![{SELECTORS}])[{BLANK}{INVISIBLE}]")
REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # bidirectional controls: shown order differs from stored
MIRRORING = re.compile("[\u202b\u202e\u2067]")  # the three of them that run from right to left
USELESS = re.compile("[\u00ad\u200b\u2060-\u2064\u206a-\u206f\ufeff]")  # needed by no script
TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007f]+)|[\U000e0000-\U000e007f]")  # only a flag is spelled with tags
# Joiners count after letters of Arabic and Indic scripts, after Mongolian, and between emoji.
JOINERS = re.compile(
    "(?<![\u0590-\u109f\u1780-\u18af\u1900-\u1cff\u2190-\u2bff\ua800-\uabff\ufe0f\U00010a00-\U00011fff"
    "\U0001f000-\U0001faff])[\u200c\u200d]"
)
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
MARKS = re.compile("[\u061c\u200e\u200f]")  # directional marks: without effect where nothing runs from right to left
WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# Full-width letters, digits and the signs within codes; brackets and commas stay, as Chinese text writes them.
CODE_WIDTHS = {code: plain for code, plain in WIDTHS.items() if chr(plain).isalnum() or chr(plain) in "-./_"}
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣ー"), "-")

DIGITS_OF_HS = re.compile(r"\d\d(?:[-. ]?\d\d){3,4}", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}([, ])\d{3}(?:\1\d{3})*)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
DAY = re.compile(
    r"(\d{4})(?:\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|\s+(\d{1,2})\s+(\d{1,2})|(\d\d)(\d\d)"
    r"|\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?)(?:[T\s]+0?0:00(?::00)?)?",  # midnight: a cell copied out of Excel
    re.ASCII,
)
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
MOST = Decimal(10) ** 13


class Unreadable(Refused, ValueError):
    """The text is not a valid value; str() says what to write. A ValueError, as form fields expect."""


def is_blank(text: str) -> bool:
    """Whether the text is empty or invisible: white space, format and control characters, fillers."""
    return BLANK_TEXT.fullmatch(text) is not None


def without_format_characters(text: str) -> str:
    """`text` without invisible characters; white space stays. For codes, numbers and user names."""
    return FORMATS.sub("", text)


def fold_width(text: str) -> str:
    """Full-width ASCII (１，－) as ASCII, every kind of space as U+0020. NFKC would turn 5² into 52."""
    return re.sub(r"[^\S\t\n\r\v\f\x85\u2028\u2029]", " ", text.translate(WIDTHS))


def _seen(sign: str) -> str:
    return sign if sign.isprintable() else ""


def listed_characters(signs: Iterable[str]) -> str:
    """List of characters for a sentence, at most ten, with code points because some are invisible."""
    found = list(signs)
    first = listed(_("%(code)s（%(name)s）", code=_seen(sign), name=f"U+{ord(sign):04X}") for sign in found[:10])
    return first if len(found) <= 10 else _("%(signs)s 等 %(count)s 个", signs=first, count=len(found))


def clean_text(text: str | None) -> str | None:
    """Free text for storage: NFC, trimmed of invisible characters; None when nothing is visible.

    Characters that no script needs are removed. Bidirectional controls raise Unreadable; at the ends they are trimmed,
    except a right-to-left override at the start.
    """
    if text is None or is_blank(text):
        return None
    text = _trimmed(without_useless(CONTROLS.sub("", text)))
    if found := REORDERING.search(text):
        _refuse_reordering(text, found)
    return unicodedata.normalize("NFC", text)


def without_useless(text: str) -> str:
    """Text without invisible characters that no script needs: zero-width signs, stray joiners and marks."""
    text = TAGS.sub(r"\1", USELESS.sub("", text))
    text = JOINERS.sub("", text)
    return text if RIGHT_TO_LEFT.search(text) else MARKS.sub("", text)


def _trimmed(text: str) -> str:
    end = len(text)
    while end and TRAILING.match(text, end - 1):  # a pattern with $ takes quadratic time on long runs
        end -= 1
    return START.sub("", text[:end])


def _refuse_reordering(text: str, found: re.Match[str]) -> None:
    before = without_format_characters(text[: found.start()])[-10:]
    where = _("“%(before)s”后面", before=before) if before else _("开头")
    sentence = _("%(where)s有改变文字顺序的隐藏字符%(sign)s，请删去后重新输入这一处。")
    raise Unreadable(sentence % {"where": where, "sign": listed_characters(found[0])})


def clean_code(text: str | None) -> str | None:
    """A number or code as typed, in ASCII width, without format characters; None when nothing is visible."""
    if text is None or is_blank(text):
        return None
    if found := MIRRORING.search(text.rstrip()):  # read from right to left, 12 is 21
        _refuse_reordering(text, found)
    return clean_text(without_format_characters(text).translate(CODE_WIDTHS))


def clean_line(text: str | None) -> str | None:
    """As clean_code, in ASCII width and with single blanks: telephone numbers."""
    return " ".join(fold_width(clean_code(text) or "").split()) or None


def clean_capitals(text: str | None) -> str | None:
    """As clean_line, in capitals: SID codes."""
    return (clean_line(text) or "").upper() or None


def _plain(text: str) -> str:
    """As clean_line, with every dash as «-»."""
    return (clean_line(text) or "").translate(DASHES)


def normalize_code(text: str | None) -> str | None:
    """A code of capitals and digits alone, without blanks and dashes: 统一社会信用代码."""
    return re.sub(r"[ -]", "", _plain(text or "")).upper() or None


def normalize_identifier(text: str | None) -> str | None:
    """ISBN, ISRC: capitals, one dash wherever dashes or blanks were typed, without the name in front."""
    bare = re.sub(r"^IS(?:BN|RC)[ :：-]*", "", _plain(text or "").upper())
    return re.sub(r"[ -]+", "-", bare).strip("-") or None


def parse_hs_code(text: str | None) -> str | None:
    """商品编码: 8 or 10 digits, also as 8523.4990.30 or 8523 4990 30."""
    typed = _plain(text or "")
    if typed and not DIGITS_OF_HS.fullmatch(typed):
        raise Unreadable(_("请填写 8 位或 10 位数字。"))
    return re.sub(r"\D", "", typed) or None


def parse_decimal(text: str) -> Decimal:
    """A number in digits; commas or blanks only between groups of three. The caller checks the range."""
    if found := MIRRORING.search(text.rstrip()):
        _refuse_reordering(text, found)
    typed = fold_width(without_format_characters(text)).strip().translate(DASHES)
    if NUMBER.fullmatch(typed):
        return Decimal(re.sub(r"[, ]", "", typed))
    if re.fullmatch(r"[\d., ]+", typed, re.ASCII):
        raise Unreadable(_("逗号、空格只能每三位一个，小数点只能有一个，请写成 1500 或 1.5 这样的数字。"))
    if re.fullmatch(r"[+-]?[\d.]+e[+-]?\d+", typed, re.ASCII | re.IGNORECASE):
        raise Unreadable(_("请写出完整的数字，例如 1000，不要用科学计数法。"))
    raise Unreadable(_("请只填写数字，例如 1000 或 12.5。"))


def parse_day(text: str) -> date:
    """A day as 2027-01-05, 2027/1/5, 2027.1.5, 2027 1 5, 20270105 or 2027年1月5日. check_day() checks its range."""
    typed = DAY.fullmatch(_plain(text))
    if not typed:
        raise Unreadable(_("请按 2026-01-31 的格式填写日期。"))
    year, month, day = (int(part) for part in typed.groups() if part and part.isdigit())
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable(_("没有这一天，请核对后按 2026-01-31 的格式填写日期。")) from None


def check_day(day: date, earliest: Bound = EARLIEST, latest: Bound = LATEST) -> None:
    """Raises Unreadable for a day outside the bounds (both included)."""
    first, last = (clock.today() + bound if isinstance(bound, timedelta) else bound for bound in (earliest, latest))
    if not first <= day <= last:
        raise Unreadable(_("请填写 %(first)s 至 %(last)s 之间的日期。", first=first, last=last))


def check_amount(number: Decimal) -> None:
    """Raises Unreadable unless above zero, with at most 13 digits before the point and 5 after it (customs' limits)."""
    if not 0 < number < MOST:
        raise Unreadable(_("请填写大于 0 的数，整数部分不超过 13 位。"))
    if number != round(number, 5):
        raise Unreadable(_("最多保留 5 位小数。"))


def check_length(text: str | None, most: int) -> None:
    """Raises Unreadable for more than `most` characters."""
    if text and len(text) > most:
        raise Unreadable(_("最多 %(most)s 字，现在 %(length)s 字。", most=most, length=len(text)))


def search_key(words: str) -> str:
    """The key (at most 600 characters) of stored and of searched text; ignores width, case, invisible characters."""
    return unicodedata.normalize("NFKC", without_format_characters(words)).casefold()[:600]
