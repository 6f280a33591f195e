"""申请单号 and 证明编号: their form, their check character, their sequence."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from stdnum.iso7064 import mod_37_36, mod_97_10

from models.numbering import (
    Serial,
    application_number,
    certificate_number,
    format_number,
    is_certificate_number,
    parse_message_id,
    parse_number,
)
from tests.models.conftest import SystemSession

LONGEST_FOR_CUSTOMS = 32  # CertCode X(32)
DIGITS = "0123456789"
WIDE = {code: code + 0xFEE0 for code in range(0x30, 0x5B)}


def test_numbers_have_their_documented_format(system_session: SystemSession) -> None:
    """SQ + year + 8 digits; Z + province + year + 6 digits + 2 check digits (ISO 7064 Mod 97-10)."""
    with system_session() as session:
        assert application_number(session, date(2026, 3, 1)) == "SQ202600000001"
        number = certificate_number(session, "320000", date(2026, 3, 1))
    assert number[:-2] == "Z322026000001"
    assert mod_97_10.is_valid(number)
    assert len(number) <= LONGEST_FOR_CUSTOMS


def test_thirty_numbers_are_consecutive(system_session: SystemSession) -> None:
    """RC2: another system ran out of letters after 26."""
    with system_session() as session:
        numbers = [certificate_number(session, "440000", date(2026, 3, 1)) for _ in range(30)]
    assert [int(number[7:13]) for number in numbers] == list(range(1, 31))
    assert all(is_certificate_number(number) for number in numbers)


def test_every_province_and_year_has_its_own_sequence(system_session: SystemSession) -> None:
    with system_session() as session:
        numbers = [
            certificate_number(session, province, date(year, 6, 1))[:-2]
            for province, year in (("320000", 2026), ("440000", 2026), ("320000", 2027), ("320000", 2026))
        ]
        assert application_number(session, date(2027, 1, 1)) == "SQ202700000001"
    assert numbers == ["Z322026000001", "Z442026000001", "Z322027000001", "Z322026000002"]


@pytest.mark.slow
def test_a_number_that_is_rolled_back_is_given_to_the_next(system_session: SystemSession) -> None:
    with system_session() as session:
        first = certificate_number(session, "320000", date(2026, 3, 1))
        session.rollback()
        assert certificate_number(session, "320000", date(2026, 3, 1)) == first
        session.commit()
        assert certificate_number(session, "320000", date(2026, 3, 1)) != first


def test_the_last_number_is_stored(system_session: SystemSession) -> None:
    with system_session() as session:
        for _ in range(3):
            application_number(session, date(2026, 3, 1))
        session.commit()
    with system_session() as session:
        [serial] = session.scalars(select(Serial))
        assert (serial.series, serial.year, serial.last) == ("SQ", 2026, 3)


BODIES = [
    f"Z{province}{year}{serial:06d}" for province in (11, 32, 82) for year in (2026, 2099) for serial in range(40)
]


@pytest.mark.parametrize("body", BODIES)
def test_every_wrong_digit_and_every_swap_of_neighbours_is_detected(body: str) -> None:
    """Every digit at every place, check digits too; former numbers missed one swap in 300."""
    number = format_number(body[:3], int(body[3:7]), int(body[7:]))
    assert (number[:-2], is_certificate_number(number)) == (body, True)
    slips = {number[:at] + sign + number[at + 1 :] for at in range(15) for sign in DIGITS}
    slips |= {number[:at] + number[at + 1] + number[at] + number[at + 2 :] for at in range(14)}
    assert [slip for slip in slips - {number} if is_certificate_number(slip)] == []


def test_no_single_error_in_any_number_is_missed() -> None:
    """The proof for all numbers: Mod 97-10 adds up what each place is worth, and 97 divides no difference of one slip.

    A wrong digit changes the sum by 1 to 9 times a power of ten; neighbours exchanged by 9 times that.
    """
    places = [10**place for place in range(14)]
    assert all(by * place % 97 for place in places for by in range(1, 10))
    assert all(by * (10 * place - place) % 97 for place in places for by in range(1, 10))


@pytest.mark.parametrize("body", BODIES[::40])
def test_a_body_has_exactly_two_valid_numbers(body: str) -> None:
    """The current one of 15 characters and the former one of 14."""
    pairs = [body + first + second for first in DIGITS for second in DIGITS]
    assert len([number for number in pairs if is_certificate_number(number)]) == 1
    singles = [body + sign for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    assert [number for number in singles if is_certificate_number(number)] == [body + mod_37_36.calc_check_digit(body)]


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
def test_an_invalid_number_is_recognised(number: str) -> None:
    assert not is_certificate_number(number)


def test_the_check_characters_of_the_first_numbers() -> None:
    """Computed once by hand, to detect a change of either algorithm."""
    known = ("Z322026000001", "Z322026000002", "Z442026000001")
    for body in known:
        check = 98 - int(f"35{body[1:]}00") % 97
        assert format_number(body[:3], int(body[3:7]), int(body[7:])) == f"{body}{check:02d}"
        product = 36
        for sign in body:
            total = (product + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(sign)) % 36 or 36
            product = total * 2 % 37
        check = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(37 - product) % 36]
        assert is_certificate_number(body + check)


LETTERS_FOR_DIGITS = [str.maketrans("01", letters) for letters in ("OI", "OL", "oi", "ol")]


@pytest.mark.slow
@given(st.integers(1, 999_999), st.integers(11, 82), st.integers(2020, 2099))
def test_look_alikes_in_a_number_are_corrected(serial: int, province: int, year: int) -> None:
    """In current and former numbers; other errors are left to the check digits."""
    present = format_number(f"Z{province}", year, serial)
    former = present[:13] + mod_37_36.calc_check_digit(present[:13])
    for number in (present, former):
        for worse in (*LETTERS_FOR_DIGITS, str.maketrans("OIL", "011")):
            assert parse_number("Z" + number[1:].translate(worse)) == number
        spaced, full_width = f" {number[:7].lower()} - {number[7:].lower()}", number.translate(WIDE)
        assert (parse_number(spaced), parse_number(full_width), parse_number(parse_number(number))) == (
            number,
            number,
            number,
        )
        other = number[:-1] + ("8" if number[-1] != "8" else "9")
        assert parse_number(other) == other
        for strange in (f"{number}00", "Z" + "查" * 13, number[:5] + "A" + number[6:]):
            assert parse_number(strange) == strange
    assert (parse_number(""), parse_number("Z"), parse_number("SQ202600000001")) == ("", "Z", "SQ202600000001")


@pytest.mark.parametrize("typed", ["Z322026000001{}-3", " z322026ooooo1{} - 3 ", "Z32-2026-000001-{}-3"])
def test_a_message_id_is_read_in_any_spelling(typed: str) -> None:
    number = format_number("Z32", 2026, 1)
    assert parse_message_id(typed.format(number[13:])) == f"{number}-3"
    assert parse_message_id(typed.format(number[13:]).strip()[:-2].strip(" -")) == number
    assert parse_message_id("Z32-3") == "Z32-3"
