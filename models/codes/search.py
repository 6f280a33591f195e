"""What an option of a code list is found by, beside its code and name: pinyin, initials of pinyin, English."""

from functools import cache, lru_cache

import pycountry
from pypinyin import Style, lazy_pinyin


@lru_cache(maxsize=20_000)
def pinyin_keys(name: str) -> str:
    """Initials and full pinyin of a Chinese name, in small letters: «pjhg pujianghaiguan»; "" where it has none."""
    if name.isascii():
        return ""
    styles = (Style.FIRST_LETTER, Style.NORMAL)
    return " ".join("".join(lazy_pinyin(name, style=style, errors="ignore")) for style in styles).strip()


@cache
def english_keys(alpha_3: str) -> str:
    """ISO's short, common and two-letter names of a country, blanks taken out: «us unitedstates»."""
    country = pycountry.countries.get(alpha_3=alpha_3)
    names = (getattr(country, name, "") for name in ("alpha_2", "name", "common_name", "official_name"))
    return " ".join("".join(name.casefold().split()) for name in names if name)
