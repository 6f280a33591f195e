"""Code lists. Customs districts change and live in a table the operator can import; the others ship with the code."""

import csv
from functools import cache
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
USUAL = {  # first in their list: where discs are pressed (our choice), and what is paid in
    "country": "HKG TWN JPN KOR SGP MYS THA IND DEU CZE AUT NLD FRA GBR ITA SWE POL USA CAN AUS",
    "currency": "CNY USD EUR HKD JPY GBP KRW TWD SGD AUD CAD CHF CZK SEK",
}
# ISO 4217 codes of metals, funds, units of account and tests: nothing is priced in them.
NO_MONEY = "BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"


class District(Base):
    """关区代码: four digits. A district that a newer table lacks is kept, marked ended: old filings cite it."""

    __tablename__ = "district"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(4), unique=True, info={"label": _l("关区代码")})
    name: Mapped[str] = mapped_column(String(50), info={"label": _l("关区名称")})
    ended: Mapped[bool] = mapped_column(default=False, info={"label": _l("已停用")})


def _read(name: str) -> dict[str, str]:
    with (files(__package__) / f"{name}.csv").open(encoding="utf-8") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def _countries() -> dict[str, str]:
    """Three-letter ISO 3166 codes with the Chinese names of CLDR."""
    names = {c.alpha_3: CHINESE.territories.get(c.alpha_2, c.name) for c in pycountry.countries}
    return _usual_first("country", dict(sorted((names | NAMED_BY_CUSTOM).items())))


def _currencies() -> dict[str, str]:
    """Three-letter ISO 4217 codes in use, with the Chinese names of CLDR."""
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


def names_of(name: str) -> dict[str, str]:
    """Code → name of what can be chosen in `province`, `unit`, `carrier`, `country`, `currency` or `district`."""
    if name == "currency":
        return {code: label for code, label in _shipped(name).items() if code not in NO_MONEY.split()}
    if name != "district":
        return _shipped(name)
    current = select(District.code, District.name).where(~District.ended)
    return dict(db.session.execute(current.order_by(District.code)).all())


def labels(name: str) -> dict[str, str]:
    """Code → 「010-张」 for a whole list, ended districts included: one query where a table has many rows."""
    if name == "district":
        names = dict(db.session.execute(select(District.code, District.name)).all())
    else:
        names = names_of(name)
    return {code: code if code == label else f"{code}-{label}" for code, label in names.items()}


def label_of(name: str, code: str) -> str:
    """「010-张」, as the customs guide shows it; a code that is its own name, or unknown, stands alone."""
    if name == "district":
        district = db.session.scalar(select(District).where(District.code == code))
        return f"{code}-{district.name}" if district else code
    return labelled(code, _shipped(name).get(code, code))


def labelled(code: str, name: str) -> str:
    """「010-张」; a code that is its own name stands alone."""
    return code if name == code else f"{code}-{name}"


def search_keys(name: str, code: str, label: str) -> str:
    """What an option of list `name` is found by beside its code and label, keys parted by blanks; see codes.search."""
    keys = pinyin_keys(label)
    return f"{keys} {english_keys(code)}" if name == "country" else keys


def choosable(name: str) -> list[tuple[str, str]]:
    """Each option of a list as (label, search keys)."""
    return [(labelled(code, label), search_keys(name, code, label)) for code, label in names_of(name).items()]


def code_of(name: str, words: str) -> str:
    """The code that a person means by `010-张`, `010`, `10` or `张`; raises Refused for none, or more than one.

    Width, case and kind of dash do not count; zeros that Excel took off the front of a code are put back.
    """
    typed, names = _folded(words), names_of(name)
    if code := _spelled(names, typed):
        return code
    known = [(code, _folded(label)) for code, label in names.items()]
    meant = [code for code, label in known if typed == label] or [
        code
        for code, label in known
        if typed.endswith(label) and _spelled(names, typed.removesuffix(label).rstrip(" -")) == code
    ]
    meant = meant or [code for code, label in known if typed and typed in label]
    if len(meant) == 1:
        return meant[0]
    raise Refused(_("“%(words)s”不在代码表中，请从下拉列表中选择。", words=words))


def _folded(words: str) -> str:
    return (clean_line(words) or "").translate(DASHES).casefold()


def _spelled(names: dict[str, str], typed: str) -> str | None:
    """The code that `typed` spells; of a list of digits, also where its leading zeros are lost."""
    code = typed.upper()
    if code.isascii() and code.isdigit():
        code = code.zfill(max(map(len, names), default=0))
    return code if code in names else None


def authority_of(province: str) -> str:
    """受理机关: the press authority of the publisher's province (联合公告 2016 年第 2 号)."""
    return f"{names_of('province')[province]}新闻出版局"


def seed_districts(session: Session) -> None:
    """The sample table of `codes/district.csv`, when there is none yet."""
    if session.scalar(select(District).limit(1)) is None:
        session.add_all(District(code=code, name=name) for code, name in _read("district").items())
