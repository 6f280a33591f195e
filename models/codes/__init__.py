"""Code lists. Customs districts are a table, read with the caller's session; all other lists ship with the code."""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files

import pycountry
from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.codes.search import english_keys, pinyin_keys
from models.database import Base
from models.language import CHINESE, closed_up, in_chinese, is_english, listed
from models.text import DASHES, clean_line
from models.workflow import Refused

CLDR = {False: Locale.parse(CHINESE), True: Locale.parse("en")}  # key: whether English is asked for; also below
NAMED_BY_CUSTOM = {
    False: {"HKG": "中国香港", "MAC": "中国澳门", "TWN": "中国台湾"},
    True: {"HKG": "Hong Kong, China", "MAC": "Macao, China", "TWN": "Taiwan, China"},
}
UNNAMED_IN_CLDR = {False: {"XCG": "加勒比盾", "ZWG": "津巴布韦金", "XAD": "阿拉伯记账第纳尔"}, True: {}}
USUAL = {  # listed first (our choice): countries where discs are pressed, currencies that are paid in
    "country": "HKG TWN JPN KOR SGP MYS THA IND DEU CZE AUT NLD FRA GBR ITA SWE POL USA CAN AUS",
    "currency": "CNY USD EUR HKD JPY GBP KRW TWD SGD AUD CAD CHF CZK SEK",
}
MOST_CHOICES = 8  # choices that a refusal lists
# ISO 4217 codes of metals, funds, units of account and tests, in which nobody pays.
NOT_OFFERED = "BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"


class District(Base):
    """关区代码: four digits. A district missing from a newer table stays, with `ended` set: old filings refer to it."""

    __tablename__ = "district"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(4), unique=True, info={"label": _l("关区代码")})
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("关区名称")})
    ended: Mapped[bool] = mapped_column(default=False, info={"label": _l("已停用")})


def _read(name: str, english: bool = False) -> dict[str, str]:
    """Code → name, from the CSV file `name`.csv beside this module."""
    with (files(__package__) / f"{name}.csv").open(encoding="utf-8") as lines:
        return {row["code"]: row["english" if english else "name"] for row in csv.DictReader(lines)}


def _countries(english: bool) -> dict[str, str]:
    """ISO 3166 three-letter code → name of CLDR."""
    names = {c.alpha_3: CLDR[english].territories.get(c.alpha_2, c.name) for c in pycountry.countries}
    return _usual_first("country", dict(sorted((names | NAMED_BY_CUSTOM[english]).items())))


def _currencies(english: bool) -> dict[str, str]:
    """ISO 4217 three-letter code in use → name of CLDR."""
    names = {c.alpha_3: CLDR[english].currencies.get(c.alpha_3, c.name) for c in pycountry.currencies}
    return _usual_first("currency", names | UNNAMED_IN_CLDR[english])


def _usual_first(name: str, names: dict[str, str]) -> dict[str, str]:
    return {code: names[code] for code in USUAL[name].split()} | names


@cache
def _shipped(name: str, english: bool) -> dict[str, str]:
    made = {"country": _countries, "currency": _currencies}.get(name)
    return made(english) if made else _read(name, english)


@cache
def _offered(name: str, english: bool) -> dict[str, str]:
    ended = NOT_OFFERED.split() if name == "currency" else ()
    return {code: label for code, label in _shipped(name, english).items() if code not in ended}


def names_of(name: str, session: Session | None = None) -> dict[str, str]:
    """Code → name of the entries offered in list `name`: province, unit, carrier, country, currency or district.

    In the reader's language, except districts, whose names are data and take a `session`.
    """
    return _districts(session, ~District.ended) if name == "district" else _offered(name, is_english())


def _districts(session: Session | None, *conditions: ColumnElement[bool]) -> dict[str, str]:
    if session is None:
        raise TypeError("customs districts are a table: pass a session")
    current = select(District.code, District.name).where(*conditions).order_by(District.code)
    return dict(session.execute(current).all())


def labels(name: str, session: Session | None = None) -> dict[str, str]:
    """Code → 「010-张」 for a whole list; of districts, which take a `session`, in one query, ended ones included."""
    names = _districts(session) if name == "district" else names_of(name)
    return {code: labelled(code, label) for code, label in names.items()}


def label_of(name: str, code: str, session: Session | None = None) -> str:
    """「010-张」, as the customs guide shows it; the code alone when it is unknown or equals its name.

    Without a `session` a customs district is its code alone.
    """
    if name == "district":
        named = session and session.scalar(select(District.name).where(District.code == code))
        return f"{code}-{named}" if named else code
    return labelled(code, _shipped(name, is_english()).get(code, code))


def labelled(code: str, name: str) -> str:
    """「010-张」; the name alone when the code is a name itself, 「黑胶唱片」."""
    return name if name == code or not code.isascii() else f"{code}-{name}"


@lru_cache(10_000)  # more than all lists have
def search_keys(name: str, code: str, label: str) -> str:
    """Search keys of an option of list `name`, besides code and label, separated by blanks; see codes.search."""
    more = {"country": english_keys, "carrier": _carrier_keys}.get(name)
    return f"{pinyin_keys(label)} {more(code)}" if more else pinyin_keys(label)


@cache
def _carrier_keys(code: str) -> str:
    """Search keys of the other names of a kind of carrier: without blanks, and their pinyin."""
    others = _other_names().get(code, [])
    return " ".join(dict.fromkeys([*("".join(other.split()) for other in others), *map(pinyin_keys, others)]))


def choosable(name: str) -> list[tuple[str, str]]:
    """(label, search keys) of each entry offered in list `name`, but for districts."""
    return [(labelled(code, label), search_keys(name, code, label)) for code, label in names_of(name).items()]


def code_of(name: str, words: str, session: Session | None = None) -> str:
    """The code that was typed as `010-张`, `010`, `10` or `张`; raises Refused unless exactly one matches.

    Width, case and kind of dash are ignored; leading zeros, which Excel drops, are restored. Names of both languages
    are accepted, and parts of Chinese names. Customs districts take a `session`.
    """
    typed, is_table = _folded(words) if len(words) > 99 else _folded_all((words,))[0], name == "district"
    names = names_of(name, session) if is_table else _offered(name, False)
    matches = _matching(name, names, typed) if is_table or len(typed) > 99 else _in_shipped(name, typed)
    if len(matches) == 1:
        return matches[0]
    raise Refused(_refusal(name, words, matches, session))


@lru_cache(10_000)
def _in_shipped(name: str, typed: str) -> list[str]:
    """As _matching(); cached, because a form of 3,000 carriers looks up 9,000."""
    return _matching(name, _offered(name, False), typed)


def _matching(name: str, names: dict[str, str], typed: str) -> list[str]:
    """The codes that folded words may mean."""
    if code := _typed_code(names, typed):
        return [code]
    labels_by_code = list(zip(names, _folded_all(tuple(names.values())), strict=True))
    english = {} if name == "district" else _offered(name, True)
    return (
        (_carriers(typed) if name == "carrier" else [])
        or _named(names, labels_by_code, typed)
        or [code for code, label in labels_by_code if typed and typed in label]
        or _named(names, list(zip(english, _folded_all(tuple(english.values())), strict=True)), typed)
    )


def _refusal(name: str, words: str, matches: list[str], session: Session | None) -> str:
    if not matches:
        return _("“%(words)s”不在代码表中，请从下拉列表中选择。", words=words)
    if len(matches) > MOST_CHOICES:
        return _("“%(words)s”可指代码表中的 %(count)s 项，请写明代码或全称。", words=words, count=len(matches))
    choices = listed(label_of(name, code, session) for code in matches)
    return closed_up(_("“%(words)s”可指 %(choices)s，请写明其中一种。", words=words, choices=choices))


def _carriers(typed: str) -> list[str]:
    """The kinds of carrier with this name, or, for CD and similar, with this word in their names.

    Blanks, dashes and a last word for any disc do not count: CDROM, DVD 光盘.
    """
    bare = _squeezed(typed)
    called = [code for code, others in _squeezed_names().items() if bare in others]
    return called or [code for code in names_of("carrier") if bare and bare in re.split(r"[^a-z0-9]+", code.casefold())]


@cache
def _other_names() -> dict[str, list[str]]:
    """Code → other names of the kind of carrier (column `also` of carrier.csv), folded."""
    with (files(__package__) / "carrier.csv").open(encoding="utf-8") as lines:
        return {row["code"]: [_folded(each) for each in row["also"].split("/")] for row in csv.DictReader(lines)}


@cache
def _squeezed_names() -> dict[str, set[str]]:
    """Code → its other names and the code itself, squeezed."""
    return {code: {_squeezed(each) for each in (_folded(code), *others)} for code, others in _other_names().items()}


def _squeezed(typed: str) -> str:
    bare = re.sub(r"[\s-]+", "", typed)
    return re.sub(r"(?<=.)(光盘|光碟|碟片|唱片|碟|盘|disc|disk)$", "", bare)


def _named(names: dict[str, str], labels_by_code: list[tuple[str, str]], typed: str) -> list[str]:
    """The codes whose folded label was typed, alone or after the code."""
    return [code for code, label in labels_by_code if typed == label] or [
        code
        for code, label in labels_by_code
        if typed.endswith(label) and _typed_code(names, typed.removesuffix(label).rstrip(" -")) == code
    ]


def _folded(words: str) -> str:
    return (clean_line(words) or "").translate(DASHES).casefold()


@lru_cache(10_000)
def _folded_all(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Folded names of a list, or one short word, which a form of 3,000 carriers repeats."""
    return tuple(map(_folded, labels))


def _typed_code(names: dict[str, str], typed: str) -> str | None:
    """`typed` as a code of `names`, or None; digits are padded with leading zeros to the longest code."""
    code = typed.upper()
    if code.isascii() and code.isdigit():
        code = code.zfill(max(map(len, names), default=0))
    return code if code in names else None


def authority_of(province: str) -> str:
    """受理机关 in Chinese, as stored: the press authority of the publisher's province (联合公告 2016 年第 2 号)."""
    with in_chinese():
        return authority_for_reader(province)


def authority_for_reader(province: str) -> str:
    """受理机关 in the language of the screens."""
    return _("%(province)s新闻出版局", province=names_of("province")[province])


def seed_districts(session: Session) -> None:
    """Add the sample districts of `district.csv` when the table is empty; the caller commits."""
    if session.scalar(select(District).limit(1)) is None:
        session.add_all(District(code=code, name=name) for code, name in _read("district").items())
