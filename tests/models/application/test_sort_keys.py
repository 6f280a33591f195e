"""The order of names in lists: digits, Latin letters, then Chinese by pinyin; the same on every database."""

import random

import pytest
from flask import Flask

from models.application import Application
from models.application.sort_keys import LONGEST, sort_key
from models.database import db

IN_ORDER = [
    "12 首夜曲",
    "《2026 新年音乐会》",
    "ＢＡＣＨ",
    "bach 作品集",
    "Beethoven",
    "Für Elise",
    "阿炳",
    "爸爸",  # ba4 after a1
    "长江之歌",  # chang2, not zhang3
    "《重庆》",  # chong2, not zhong4
    "单簧管",  # dan1
    "妈妈",  # ma1 before ma2
    "麻雀",
    "西安",  # xi1 an1 before xian1
    "先生",
    "银行",  # yin2 hang2, not xing2
    "中国",
]


@pytest.mark.parametrize("seed", range(3))
def test_names_are_sorted_in_dictionary_order(seed: int) -> None:
    mixed = random.Random(seed).sample(IN_ORDER, len(IN_ORDER))
    assert sorted(mixed, key=sort_key) == IN_ORDER


def test_sorting_ignores_width_case_accents_and_punctuation() -> None:
    pinyin = {sort_key(title).split("\t")[0] for title in ("《Ｃａｆé》", "CAFE", " cafe ", "café！")}
    assert pinyin == {"cafe"}


def test_homophones_are_grouped_by_their_characters() -> None:
    """江苏 and 姜苏 have the same pinyin."""
    assert [title[:1] for title in sorted(["江苏", "姜苏", "江苏", "姜苏"], key=sort_key)] in (
        ["姜", "姜", "江", "江"],
        ["江", "江", "姜", "姜"],
    )


def test_a_key_fits_into_its_column() -> None:
    assert len(sort_key("双" * 300)) <= LONGEST
    assert len(sort_key("ﷺ" * 300)) <= LONGEST


def test_sort_keys_follow_changes_of_names(app: Flask) -> None:
    with app.app_context():
        application = Application(title="重庆", publisher_name="银行")
        assert application.title_sort == sort_key("重庆")
        assert application.publisher_sort == sort_key("银行")
        application.title = application.publisher_name = None
        assert (application.title_sort, application.publisher_sort) == (None, None)
        db.session.rollback()
