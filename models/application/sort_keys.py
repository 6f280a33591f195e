"""Sort keys for Chinese text: pinyin order, as in a dictionary, the same on every database."""

import re
import unicodedata
from functools import lru_cache

from sqlalchemy import String

MOST_PINYIN, MOST_TEXT = 160, 60  # characters of pinyin (about 30 Chinese characters), then of the text itself
LONGEST = MOST_PINYIN + 1 + MOST_TEXT
# Collation C compares bytes: PostgreSQL's locale collations may skip blanks and punctuation. SQLite compares bytes.
SortKey = String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql")


@lru_cache(maxsize=20_000)
def sort_key(text: str) -> str:
    """The key (at most LONGEST characters) by which `text` sorts: digits, Latin letters, then Chinese characters.

    Chinese characters sort by syllable and tone, read as whole words: 重庆 is chong2 qing4. Width, case, accents and
    punctuation are ignored. The text follows the pinyin, so that equal texts stand together among homophones.
    """
    from pypinyin import Style, lazy_pinyin  # imported here: it takes 55 MB; processes that never sort do without

    folded = "".join(sign for sign in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(sign))
    parts = lazy_pinyin(
        folded, style=Style.TONE3, neutral_tone_with_five=True, errors=lambda others: f"\0{_letters_and_digits(others)}"
    )
    # «~» sorts after every Latin letter; the tone digit before them: 西安 ~xi1~an1 sorts before 先 ~xian1.
    pinyin = "".join(part[1:] if part.startswith("\0") else f"~{part}" for part in parts).strip()
    return f"{pinyin[:MOST_PINYIN]}\t{folded[:MOST_TEXT]}"


def _letters_and_digits(others: str) -> str:
    """Text without Chinese characters, reduced to letters and digits with one blank between words; "" if none."""
    return re.sub(r"[\W_]+", " ", others) if re.search(r"\w", others) else ""
