"""申请单号 and 证明编号: their form, their check character, their sequence."""

from datetime import date

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from stdnum.iso7064 import mod_37_36

from models import access
from models.database import db
from models.numbering import Serial, application_number, certificate_number, is_certificate_number, meant, spelled

LONGEST_FOR_CUSTOMS = 32  # CertCode X(32)


def test_numbers_have_their_form(app: Flask) -> None:
    """Design 2.9: SQ + year + 8 digits; Z + province + year + 6 digits + check character."""
    with app.app_context():
        assert application_number(db.session(), date(2026, 3, 1)) == "SQ202600000001"
        number = certificate_number(db.session(), "320000", date(2026, 3, 1))
    assert number[:-1] == "Z322026000001"
    assert mod_37_36.is_valid(number)
    assert len(number) <= LONGEST_FOR_CUSTOMS


def test_thirty_numbers_follow_each_other(app: Flask) -> None:
    """RC2: elsewhere the letters ran out after 26."""
    with app.app_context():
        numbers = [certificate_number(db.session(), "440000", date(2026, 3, 1)) for _ in range(30)]
    assert [int(number[7:13]) for number in numbers] == list(range(1, 31))
    assert all(is_certificate_number(number) for number in numbers)


def test_every_province_and_every_year_counts_for_itself(app: Flask) -> None:
    with app.app_context():
        taken = [
            certificate_number(db.session(), province, date(year, 6, 1))[:-1]
            for province, year in (("320000", 2026), ("440000", 2026), ("320000", 2027), ("320000", 2026))
        ]
        assert application_number(db.session(), date(2027, 1, 1)) == "SQ202700000001"
    assert taken == ["Z322026000001", "Z442026000001", "Z322027000001", "Z322026000002"]


def test_a_number_that_is_rolled_back_is_given_to_the_next(app: Flask) -> None:
    with app.app_context():
        first = certificate_number(db.session(), "320000", date(2026, 3, 1))
        db.session.rollback()
        assert certificate_number(db.session(), "320000", date(2026, 3, 1)) == first
        db.session.commit()
        assert certificate_number(db.session(), "320000", date(2026, 3, 1)) != first


def test_the_last_number_is_kept(app: Flask) -> None:
    with app.app_context():
        for _ in range(3):
            application_number(db.session(), date(2026, 3, 1))
        db.session.commit()
    with app.app_context(), access.everything() as session:
        [serial] = session.scalars(select(Serial))
        assert (serial.series, serial.year, serial.last) == ("SQ", 2026, 3)


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 13), st.sampled_from("0123456789ABCXYZ"))
def test_a_slip_of_one_sign_is_noticed(digits: str, at: int, sign: str) -> None:
    """ISO 7064 Mod 37,36: whoever types a number from paper is told of a wrong sign."""
    body = f"Z{digits}"
    number = body + mod_37_36.calc_check_digit(body)
    assert is_certificate_number(number)
    slipped = number[:at] + sign + number[at + 1 :]
    assert is_certificate_number(slipped) == (slipped == number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "Z",
        "Z32202600000",
        "SQ202600000001",
        "z322026000001A",
        "Z3220260000010",
        " Z32202600000",
        "Z" * 14,
        "张" * 14,
    ],
)
def test_what_is_no_number_is_told_from_one(number: str) -> None:
    assert not is_certificate_number(number)


def test_the_check_characters_of_the_first_numbers() -> None:
    """Worked out once by hand, so that a change of the algorithm does not go unnoticed."""
    known = ("Z322026000001", "Z322026000002", "Z442026000001")
    for body in known:
        product = 36
        for sign in body:
            total = (product + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(sign)) % 36 or 36
            product = total * 2 % 37
        check = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(37 - product) % 36]
        assert is_certificate_number(body + check)


@given(st.integers(1, 999_999), st.integers(11, 82), st.integers(2020, 2099))
def test_a_number_copied_with_look_alikes_is_the_number_that_was_meant(serial: int, province: int, year: int) -> None:
    """Letters and digits that look alike are put right in both directions, and nothing else is."""
    number = spelled(f"Z{province}", year, serial)
    for worse in (str.maketrans("01", "OI"), str.maketrans("01", "OL"), str.maketrans("OIL", "011")):
        assert meant("Z" + number[1:].translate(worse)) == number
    other = number[:-1] + ("8" if number[-1] != "8" else "9")
    assert meant(other) == other
    for strange in ("", "Z", number + "0", "Z" + "查" * 13, number[:5] + "A" + number[6:]):
        assert meant(strange) == strange
