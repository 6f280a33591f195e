"""Search keys of the options of a code list, besides code and name: pinyin, pinyin initials, English."""

from functools import cache, lru_cache

import pycountry
from pypinyin import Style, lazy_pinyin


@lru_cache(maxsize=20_000)
def pinyin_keys(name: str) -> str:
    """Initials and full pinyin of a Chinese name, in lower case: «pjhg pujianghaiguan»; "" for an ASCII name."""
    if name.isascii():
        return ""
    styles = (Style.FIRST_LETTER, Style.NORMAL)
    return " ".join("".join(lazy_pinyin(name, style=style, errors="ignore")) for style in styles).strip()


@cache
def english_keys(alpha_3: str) -> str:
    """Two-letter code and ISO's names of a country, in lower case without blanks: «us unitedstates»."""
    country = pycountry.countries.get(alpha_3=alpha_3)
    names = (getattr(country, name, "") for name in ("alpha_2", "name", "common_name", "official_name"))
    return " ".join("".join(name.casefold().split()) for name in names if name)
