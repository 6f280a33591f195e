"""Code lists: what ships with the code, and the customs districts that the operator replaces."""

import csv

import pycountry
import pytest
from flask import Flask
from sqlalchemy import select

from models import codes
from models.codes import (
    USUAL,
    District,
    authority_of,
    code_of,
    label_of,
    names_of,
    search_keys,
    seed_districts,
)
from models.codes.search import computed_keys, pinyin_keys
from models.database import db
from models.workflow import Refused
from tests.conftest import ActAs
from tests.models.codes import pinyin


@pytest.mark.parametrize(
    ("name", "code", "label"),
    [
        ("unit", "010", "010-张"),
        ("unit", "140", "140-盒"),
        ("unit", "059", "059-万张"),
        ("province", "320000", "320000-江苏"),
        ("country", "HKG", "HKG-中国香港"),
        ("country", "MAC", "MAC-中国澳门"),
        ("country", "TWN", "TWN-中国台湾"),
        ("country", "DEU", "DEU-德国"),
        ("currency", "CNY", "CNY-人民币"),
        ("carrier", "CD-DA", "CD-DA"),
        ("carrier", "黑胶唱片", "黑胶唱片"),
        ("district", "2201", "2201-浦江海关"),
    ],
)
def test_a_code_is_shown_with_its_name(app: Flask, name: str, code: str, label: str) -> None:
    with app.app_context():
        shown = label_of(name, code, db.session())
    assert shown.startswith(label) if name == "province" else shown == label


@pytest.mark.parametrize("name", ["province", "unit", "carrier", "country", "currency", "district"])
def test_an_unknown_code_is_shown_without_a_name(app: Flask, name: str) -> None:
    """An old filing may refer to a code missing from a newer table."""
    with app.app_context():
        assert label_of(name, "????", db.session()) == "????"


def test_the_lists_are_complete(app: Flask) -> None:
    """domain.md: 34 provinces of GB/T 2260, and the three regions under their Chinese names."""
    with app.app_context():
        provinces = names_of("province")
        assert len([code for code in provinces if code.endswith("0000")]) == 34
        assert len(names_of("country")) >= 249
        assert {"LD", "VCD", "SACD", "MD", "黑胶唱片", "BD", "UHD-BD"} <= set(names_of("carrier"))
        assert len(names_of("unit")) >= 19
        assert all(len(code) == 3 and code.isascii() and code.isdigit() for code in names_of("unit"))
        assert all(len(code) == 4 for code in names_of("district", db.session()))
        assert all(name for listed in ("province", "unit", "country") for name in names_of(listed).values())


def test_every_province_has_its_authority(app: Flask) -> None:
    """联合公告 2016 年第 2 号: the press authority of the publisher's province."""
    with app.app_context():
        assert authority_of("320000") == "江苏省新闻出版局"
        assert all(authority_of(code).endswith("新闻出版局") for code in names_of("province"))


@pytest.mark.parametrize("words", ["010-张", "010", " 010 ", "张"])
def test_a_code_is_found_by_code_by_name_and_by_both(app: Flask, words: str) -> None:
    """手册 第一章: 通过模糊查询录入关键字后选择相关数据."""
    with app.app_context():
        assert code_of("unit", words) == "010"


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("district", "浦江海关", "2201"),
        ("district", "浦江", "2201"),
        ("country", "deu", "DEU"),
        ("country", "德国", "DEU"),
        ("carrier", "cd-rom", "CD-ROM"),
    ],
)
def test_a_code_is_found_by_a_unique_part_in_any_case(app: Flask, name: str, words: str, code: str) -> None:
    with app.app_context():
        assert code_of(name, words, db.session()) == code


@pytest.mark.parametrize("words", ["", "没有这个关区", "9999"])
def test_an_unknown_text_is_refused(app: Flask, words: str) -> None:
    with app.app_context(), pytest.raises(Refused, match="不在代码表中，请从下拉列表中选择"):
        code_of("district", words, db.session())


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("carrier", "CD", "“CD”可指 CD-DA、CD-ROM、CD-I、PHOTO-CD、CD-R、CD-RW，请写明其中一种。"),
        ("carrier", "CD光盘", "“CD光盘”可指 CD-DA、CD-ROM、CD-I、PHOTO-CD、CD-R、CD-RW，请写明其中一种。"),
        ("country", "刚果", "“刚果”可指 COD-刚果（金）、COG-刚果（布），请写明其中一种。"),
        ("currency", "元", "“元”可指代码表中的 26 项，请写明代码或全称。"),
    ],
)
def test_an_ambiguous_text_is_refused_with_the_choices(app: Flask, name: str, words: str, sentence: str) -> None:
    with app.app_context(), pytest.raises(Refused) as refused:
        code_of(name, words)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("CDROM", "CD-ROM"),
        ("cd rom 光盘", "CD-ROM"),
        ("音乐CD", "CD-DA"),
        ("DVD光盘", "DVD"),
        ("DVD-9", "DVD"),
        ("DVD+RW", "DVD±RW/RAM"),
        ("ＤＶＤ－Ｒ", "DVD±R"),
        ("蓝光碟", "BD"),
        ("Blu-ray Disc", "BD"),
        ("4K UHD", "UHD-BD"),
        ("黑胶", "黑胶唱片"),
        ("LP", "黑胶唱片"),
    ],
)
def test_a_carrier_kind_is_found_by_its_common_names(app: Flask, words: str, code: str) -> None:
    with app.app_context():
        assert code_of("carrier", words) == code


def test_every_common_name_means_one_carrier_kind(app: Flask) -> None:
    with app.app_context():
        every = [name for names in codes._other_names().values() for name in names if name]
        assert len(every) == len(set(every))


def test_the_sample_table_is_added_once(act_as: ActAs) -> None:
    """A table that the operator has changed is not overwritten."""
    with act_as("operator"):
        before = names_of("district", db.session())
        db.session.scalars(select(District).filter_by(code="2201")).one().name = "另一个名字"
        seed_districts(db.session())
        db.session.commit()
        assert names_of("district", db.session()) == before | {"2201": "另一个名字"}
        assert len(db.session.scalars(select(District)).all()) == len(before)


@pytest.mark.parametrize(
    ("name", "code", "keys"),
    [
        ("district", "2201", {"pjhg", "pujianghaiguan"}),
        ("unit", "140", {"h", "he"}),
        ("currency", "EUR", {"oy", "ouyuan"}),
        ("country", "KOR", {"hg", "hanguo", "kr", "southkorea", "korea,republicof"}),
        ("country", "DEU", {"dg", "deguo", "de", "germany", "federalrepublicofgermany"}),
        ("carrier", "MO", {"磁光盘", "cgp", "ciguangpan"}),
        ("carrier", "CD-ROM", {"数据cd", "sj", "shuju"}),
    ],
)
def test_an_option_is_found_by_pinyin_and_a_country_by_english_too(
    app: Flask, name: str, code: str, keys: set[str]
) -> None:
    """Issue 8, 13: initials and full pinyin; a name with a special reading (重庆) is read as a word."""
    with app.app_context():
        assert set(search_keys(name, code, names_of(name, db.session())[code]).split()) == keys
    assert pinyin_keys("重庆关区") == "cqgq chongqingguanqu"


def test_frequent_options_come_first_and_the_others_by_code(app: Flask) -> None:
    """Countries with disc factories, common currencies; every list is complete, each code once."""
    with app.app_context():
        lists = ("country", "currency", "district")
        countries, currencies, districts = (list(names_of(name, db.session())) for name in lists)
    assert countries[:3] == ["HKG", "TWN", "JPN"] and currencies[:3] == ["CNY", "USD", "EUR"]
    assert set(countries) == {country.alpha_3 for country in pycountry.countries}
    rest = countries[len(USUAL["country"].split()) :]
    assert rest == sorted(rest) and districts == sorted(districts)


def test_metals_funds_and_test_codes_are_not_offered_as_currencies(app: Flask) -> None:
    """ISO 4217 lists them, but no price uses them. A stored one is still shown with its name."""
    with app.app_context():
        offered = names_of("currency")
        assert not set(offered) & {"XTS", "XXX", "XAU", "XAG", "XDR", "CHE", "USN"}
        assert {"XAF", "XCD", "XOF", "XPF"} <= set(offered)
        assert all(not name.isascii() for name in offered.values())
        assert label_of("currency", "XAU") == "XAU-黄金"
        with pytest.raises(Refused):
            code_of("currency", "XAU")


def test_the_search_keys_that_are_shipped_are_those_that_would_be_computed() -> None:
    """Words may be missing, which are computed then; python -m tests.models.codes.pinyin adds them."""
    with pinyin.FILE.open(encoding="utf-8") as lines:
        shipped = {row["name"]: row["keys"] for row in csv.DictReader(lines)}
    assert len(shipped) > 500
    assert shipped == {name: computed_keys(name) for name in shipped}
