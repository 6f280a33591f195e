"""Password policy by NIST SP 800-63B-4, 3.1.1.2: minimum length and a local strength estimate, no composition rules."""

from collections.abc import Iterable

from flask_babel import gettext as _

from models.workflow import Refused

SHORTEST = 10  # characters
STRONG = 3  # zxcvbn's score: at least 10**8 guesses, by lists of common passwords, repetition, rows of keys, dates
LONGEST_JUDGED = 72  # zxcvbn accepts at most 72 characters: longer passwords are judged by their beginning
PRODUCT = (
    "filing", "beian", "guangpan", "chuban", "jinkou", "jingwai", "jiagong",
    "备案", "光盘", "出版", "出版社", "进口", "境外", "加工", "系统", "密码",
)  # fmt: skip


def password_refusal(password: str, about: Iterable[str | None] = ()) -> str | None:
    """Why this password is refused, or None. `about`: words that others know about its owner (names, unit)."""
    if len(password) < SHORTEST:
        return _("密码至少 %(shortest)s 位，请换一个。", shortest=SHORTEST)
    from zxcvbn import zxcvbn  # loads 90,000 words: only where a password is judged

    if zxcvbn(password[:LONGEST_JUDGED], user_inputs=_easily_known(about))["score"] < STRONG:
        return _("这个密码容易被猜到：它是常见密码，或由重复、连续的字符、日期、用户名、姓名、单位名称组成，请换一个。")
    return None


def assert_strong(password: str, about: Iterable[str | None] = ()) -> None:
    """Raises Refused for a password that others could guess."""
    if sentence := password_refusal(password, about):
        raise Refused(sentence)


def _easily_known(about: Iterable[str | None]) -> list[str]:
    """The words of a person and of the product, and the pinyin of the Chinese ones."""
    from pypinyin import lazy_pinyin  # 55 MB

    words = [word for word in (*PRODUCT, *about) if word and len(word) > 1]
    return words + ["".join(lazy_pinyin(word)) for word in words if not word.isascii()]
