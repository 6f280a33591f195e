"""The order of Chinese names in lists: by pinyin, as a dictionary has it, on every database alike."""

import re
import unicodedata
from functools import lru_cache

from sqlalchemy import String

MOST_SPELLED, MOST_WRITTEN = 160, 60  # signs of pinyin (about 30 characters), then of the text itself
LONGEST = MOST_SPELLED + 1 + MOST_WRITTEN
# Compared byte by byte: a database's own collation may skip blanks and marks. SQLite does so anyway.
SortKey = String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql")


@lru_cache(maxsize=20_000)
def sort_key(text: str) -> str:
    """What sorts `text`: digits, then Latin letters, then Chinese characters by syllable and tone.

    Width, case, accents and punctuation do not count. 重庆 is chong2 qing4: the reading is that of the whole word.
    Of texts that sound alike, the same ones stand together, for the text itself follows.
    """
    from pypinyin import Style, lazy_pinyin  # 55 MB: not for the processes that never sort

    folded = "".join(sign for sign in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(sign))
    parts = lazy_pinyin(
        folded, style=Style.TONE3, neutral_tone_with_five=True, errors=lambda others: f"\0{_bare(others)}"
    )
    # «~» sorts after every Latin letter, a tone before it: 西安 ~xi1~an1 before 先 ~xian1.
    spelled = "".join(part[1:] if part.startswith("\0") else f"~{part}" for part in parts).strip()
    return f"{spelled[:MOST_SPELLED]}\t{folded[:MOST_WRITTEN]}"


def _bare(others: str) -> str:
    """What is no Chinese: letters and digits, with one blank between words."""
    return re.sub(r"[\W_]+", " ", others) if re.search(r"\w", others) else ""
