"""Code lists. Customs districts change: they are a table that the operator imports. The others ship with the code."""

import csv
from functools import cache, lru_cache
from importlib.resources import files

import pycountry
from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.codes.search import english_keys, pinyin_keys
from models.database import Base, db
from models.text import DASHES, clean_line
from models.workflow import Refused

CHINESE = Locale.parse("zh_Hans_CN")
NAMED_BY_CUSTOM = {"HKG": "中国香港", "MAC": "中国澳门", "TWN": "中国台湾"}
UNNAMED_IN_CLDR = {"XCG": "加勒比盾", "ZWG": "津巴布韦金", "XAD": "阿拉伯记账第纳尔"}
USUAL = {  # listed first (our choice): countries where discs are pressed, currencies that are paid in
    "country": "HKG TWN JPN KOR SGP MYS THA IND DEU CZE AUT NLD FRA GBR ITA SWE POL USA CAN AUS",
    "currency": "CNY USD EUR HKD JPY GBP KRW TWD SGD AUD CAD CHF CZK SEK",
}
# ISO 4217 codes of metals, funds, units of account and tests: nothing is priced in them.
NOT_OFFERED = "BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"


class District(Base):
    """关区代码: four digits. A district missing from a newer table stays, with `ended` set: old filings refer to it."""

    __tablename__ = "district"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(4), unique=True, info={"label": _l("关区代码")})
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("关区名称")})
    ended: Mapped[bool] = mapped_column(default=False, info={"label": _l("已停用")})


def _read(name: str) -> dict[str, str]:
    """Code → name, from the CSV file `name`.csv beside this module."""
    with (files(__package__) / f"{name}.csv").open(encoding="utf-8") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def _countries() -> dict[str, str]:
    """ISO 3166 three-letter code → Chinese name of CLDR."""
    names = {c.alpha_3: CHINESE.territories.get(c.alpha_2, c.name) for c in pycountry.countries}
    return _usual_first("country", dict(sorted((names | NAMED_BY_CUSTOM).items())))


def _currencies() -> dict[str, str]:
    """ISO 4217 three-letter code in use → Chinese name of CLDR."""
    names = {c.alpha_3: CHINESE.currencies.get(c.alpha_3, c.name) for c in pycountry.currencies}
    return _usual_first("currency", names | UNNAMED_IN_CLDR)


def _usual_first(name: str, names: dict[str, str]) -> dict[str, str]:
    return {code: names[code] for code in USUAL[name].split()} | names


@cache
def _shipped(name: str) -> dict[str, str]:
    match name:
        case "country":
            return _countries()
        case "currency":
            return _currencies()
        case _:
            return _read(name)


@cache
def _offered(name: str) -> dict[str, str]:
    ended = NOT_OFFERED.split() if name == "currency" else ()
    return {code: label for code, label in _shipped(name).items() if code not in ended}


def names_of(name: str) -> dict[str, str]:
    """Code → name of the entries offered in list `name`: province, unit, carrier, country, currency or district."""
    if name != "district":
        return _offered(name)
    current = select(District.code, District.name).where(~District.ended)
    return dict(db.session.execute(current.order_by(District.code)).all())


def labels(name: str) -> dict[str, str]:
    """Code → 「010-张」 for a whole list, ended districts included; at most one query."""
    if name == "district":
        names = dict(db.session.execute(select(District.code, District.name)).all())
    else:
        names = names_of(name)
    return {code: code if code == label else f"{code}-{label}" for code, label in names.items()}


def label_of(name: str, code: str, query: bool = True) -> str:
    """「010-张」, as the customs guide shows it; the code alone when it is unknown or equals its name.

    `query=False`: without the database, so that a customs district is its code alone.
    """
    if name == "district":
        if not query:
            return code
        district = db.session.scalar(select(District).where(District.code == code))
        return f"{code}-{district.name}" if district else code
    return labelled(code, _shipped(name).get(code, code))


def labelled(code: str, name: str) -> str:
    """「010-张」; the code alone when it equals its name."""
    return code if name == code else f"{code}-{name}"


def search_keys(name: str, code: str, label: str) -> str:
    """Search keys of an option of list `name`, besides code and label, separated by blanks; see codes.search."""
    keys = pinyin_keys(label)
    return f"{keys} {english_keys(code)}" if name == "country" else keys


def choosable(name: str) -> list[tuple[str, str]]:
    """(label, search keys) of each entry offered in list `name`."""
    return [(labelled(code, label), search_keys(name, code, label)) for code, label in names_of(name).items()]


def code_of(name: str, words: str) -> str:
    """The code that was typed as `010-张`, `010`, `10` or `张`; raises Refused unless exactly one matches.

    Width, case and kind of dash are ignored; leading zeros, which Excel drops, are restored.
    """
    typed, names = _folded(words), names_of(name)
    if code := _typed_code(names, typed):
        return code
    labels_by_code = list(zip(names, _folded_all(tuple(names.values())), strict=True))
    matches = [code for code, label in labels_by_code if typed == label] or [
        code
        for code, label in labels_by_code
        if typed.endswith(label) and _typed_code(names, typed.removesuffix(label).rstrip(" -")) == code
    ]
    matches = matches or [code for code, label in labels_by_code if typed and typed in label]
    if len(matches) == 1:
        return matches[0]
    raise Refused(_("“%(words)s”不在代码表中，请从下拉列表中选择。", words=words))


def _folded(words: str) -> str:
    return (clean_line(words) or "").translate(DASHES).casefold()


@lru_cache(maxsize=16)
def _folded_all(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Folded once a list: a form of 3,000 carriers looks a name up 9,000 times."""
    return tuple(map(_folded, labels))


def _typed_code(names: dict[str, str], typed: str) -> str | None:
    """`typed` as a code of `names`, or None; digits are padded with leading zeros to the longest code."""
    code = typed.upper()
    if code.isascii() and code.isdigit():
        code = code.zfill(max(map(len, names), default=0))
    return code if code in names else None


def authority_of(province: str) -> str:
    """受理机关: the press authority of the publisher's province (联合公告 2016 年第 2 号)."""
    return f"{names_of('province')[province]}新闻出版局"


def seed_districts(session: Session) -> None:
    """Add the sample districts of `district.csv` when the table is empty; the caller commits."""
    if session.scalar(select(District).limit(1)) is None:
        session.add_all(District(code=code, name=name) for code, name in _read("district").items())
