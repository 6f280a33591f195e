"""Code lists. Customs districts change and live in a table the operator can import; the others ship with the code."""

import csv
import re
from functools import cache
from importlib.resources import files

import pycountry
from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.codes.search import english_keys, pinyin_keys
from models.db import Base, db
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
    """The code that a person means by `010-张`, `010` or `张`; raises Refused when there is none, or more than one."""
    words = words.strip()
    names = names_of(name)
    for candidate in (words, words.upper()):
        if candidate in names:
            return candidate
    meant = [code for code, label in names.items() if words in (label, f"{code}-{label}")] or [
        code for code, label in names.items() if words.casefold() in label.casefold()
    ]
    if len(meant) == 1:
        return meant[0]
    raise Refused(_("“%(words)s”不在代码表中，请从下拉列表中选择。", words=words))


def authority_of(province: str) -> str:
    """受理机关: the press authority of the publisher's province (联合公告 2016 年第 2 号)."""
    return f"{names_of('province')[province]}新闻出版局"


def import_districts(session: Session, rows: list[dict[str, str]]) -> tuple[int, int]:
    """Replace the table by `rows` (code, name): how many are current, how many ended by it. All or nothing.

    The caller commits.
    """
    wrong = [row["code"] for row in rows if not re.fullmatch("[0-9]{4}", row["code"]) or not row["name"]]
    if wrong or not rows:
        raise Refused(
            _(
                "关区代码须为四位数字并带名称，有误的代码：%(codes)s。",
                codes="、".join(wrong[:10]) or _("（文件中没有数据）"),
            )
        )
    current = {row["code"]: row["name"][:50] for row in rows}
    known = list(session.scalars(select(District)))
    ending = [district for district in known if not district.ended and district.code not in current]
    for district in known:
        district.ended = district.code not in current
        district.name = current.pop(district.code, district.name)
    session.add_all(District(code=code, name=name) for code, name in current.items())
    session.flush()
    return len({row["code"] for row in rows}), len(ending)


def seed_districts(session: Session) -> None:
    """The sample table of `codes/district.csv`, when there is none yet."""
    if session.scalar(select(District).limit(1)) is None:
        session.add_all(District(code=code, name=name) for code, name in _read("district").items())
