"""Password policy."""

import pytest
from flask import Flask

from models.people.accounts import Account, Organisation, matches
from models.people.passwords import password_refusal
from models.vocabulary import Role, Trade
from models.workflow import Refused

ABOUT = ("zhangsan", "张三丰", "江苏文艺音像出版社")


@pytest.mark.parametrize("password", ["", "Ab1", "kX9#qLm2v"])
def test_a_short_password_is_refused(app: Flask, password: str) -> None:
    with app.app_context():
        assert password_refusal(password) == "密码至少 10 位，请换一个。"


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaa1",  # issue 9, 26
        "abcdefghij",
        "1234567890",
        "密码密码密码密码密码1",
        "Password123",
        "P@ssw0rd2026",
        "1qaz2wsx3edc",
        "qwertyuiop1",
        "iloveyou1234",
        "13812345678",
        "zhangsan2026",
        "ZhangSan1234",
        "zhangsanfeng1",
        "江苏文艺音像出版社2026",
        "guangpan2026",
        "光盘备案光盘备案12",
        "filing12345",
    ],
)
def test_a_guessable_password_is_refused(app: Flask, password: str) -> None:
    """NIST SP 800-63B-4, 3.1.1.2: common ones, repetition, sequences, words of the person and the product."""
    with app.app_context():
        assert "容易被猜到" in str(password_refusal(password, ABOUT))


@pytest.mark.parametrize(
    "password",
    ["demo-Pass-2026", "vlqhtzmbroxk", "829471650338", "茉莉花开半夜雨声又起江南", "three grey lamps hum"],
)
def test_no_kind_of_character_is_required(app: Flask, password: str) -> None:
    with app.app_context():
        assert password_refusal(password, ABOUT) is None


def test_a_password_that_contains_the_names_of_its_account_is_refused(app: Flask) -> None:
    unit = Organisation(credit_code="91110000600037341L", name="某某唱片公司", trade=Trade.PUBLISHER)
    account = Account(username="mingzi", name="钱多多", role=Role.PUBLISHER, organisation=unit)
    with app.app_context():
        for password in ("某某唱片公司2026", "mingzi12345", "qianduoduo12"):
            with pytest.raises(Refused, match="容易被猜到"):
                account.set_password(password)
        account.set_password("demo-Pass-2026")
    assert matches(account.password_hash, "demo-Pass-2026")
