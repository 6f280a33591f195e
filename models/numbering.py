"""All numbers of the register: 申请单号 and 证明编号 (our format; customs accepts at most 32 characters).

申请单号: `SQ` + year + 8 digits. 证明编号: `Z` + province (first 2 digits of GB/T 2260) + year + 6 digits + 2 check
digits, ISO 7064 Mod 97-10 (GB/T 17710) over all characters before them, Z counting as 35. All but the Z are digits, so
that letters typed for digits can be corrected. Every wrong digit and every swap of two neighbours is detected. Former
numbers, recognised by their length, end in one check character (Mod 37,36); they stay valid.
"""

import re
from datetime import date

from sqlalchemy import String, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.iso7064 import mod_37_36, mod_97_10

from models.database import Base
from models.database.locks import Lock, wait_for
from models.signing.typed_code import LOOK_ALIKES, plain

APPLICATIONS = "SQ"
APPLICATION = re.compile(rf"{APPLICATIONS}\d{{12}}", re.ASCII)
SERIAL = re.compile(r"\d{1,8}", re.ASCII)
DIGITS = re.compile(r"\d{9,12}", re.ASCII)  # of a number without the letters before it, or its first ones
BODY = re.compile(r"Z\d{12}", re.ASCII)  # the number without its check digits


class Serial(Base):
    """The last number used in a series and year; rolled back with its transaction, so that there are no gaps."""

    __tablename__ = "serial"

    series: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


def reserve(session: Session, series: str, year: int, count: int = 1) -> int:
    """Reserve `count` numbers and return the last. Locks the series until the caller's transaction ends."""
    last = _add(session, series, year, count)
    if last is None:  # the first of its year: another transaction may be inserting it
        wait_for(session, Lock.SERIES, f"{series}{year}")
        last = _add(session, series, year, count)
    if last is None:
        session.connection().execute(insert(Serial).values(series=series, year=year, last=count))
        return count
    return last


def _add(session: Session, series: str, year: int, count: int) -> int | None:
    """Add `count` to the last number and return it; None for a series without numbers in this year."""
    row = Serial.__table__.c
    given = update(Serial).where(row.series == series, row.year == year).values(last=row.last + count)
    return session.connection().execute(given.returning(row.last)).scalar()


def numbers_ending_in(session: Session, serial: str) -> list[str]:
    """申请单号 with these digits after the year, of each year so far; "123" is "00000123". `serial`: as SERIAL.

    At most a few, each of which the unique index finds: part of the digits would take an index of its own.
    """
    years = session.scalars(select(Serial.year).where(Serial.series == APPLICATIONS).order_by(Serial.year))
    return [format_number(APPLICATIONS, year, int(serial)) for year in years]


def format_number(series: str, year: int, serial: int) -> str:
    """The number as text: 8 digits for applications, 6 and two check digits for certificates."""
    if series == APPLICATIONS:
        return f"{series}{year}{serial:08d}"
    return _checked(f"{series}{year}{serial:06d}")


def _checked(body: str) -> str:
    return body + str(mod_97_10.calc_check_digits(body))


def _checked_formerly(body: str) -> str:
    """Append the check character of former numbers, which are still verified but no longer issued."""
    return body + str(mod_37_36.calc_check_digit(body))


def application_number(session: Session, day: date) -> str:
    """The next 申请单号; locks the series until the transaction ends. That of a deleted draft is not used again."""
    return format_number(APPLICATIONS, day.year, reserve(session, APPLICATIONS, day.year))


def certificate_series(province: str) -> str:
    """`Z` + the first two digits of the province (GB/T 2260)."""
    return f"Z{province[:2]}"


def certificate_number(session: Session, province: str, day: date) -> str:
    """The next 证明编号, without gaps in a province and year; locks the series until the transaction ends."""
    series = certificate_series(province)
    return format_number(series, day.year, reserve(session, series, day.year))


def parse_number(typed: str) -> str:
    """The certificate number in `typed`; case, width, blanks and dashes are ignored, and O, I, L read as digits.

    Any other text is returned in capitals without blanks and dashes.
    """
    number = plain(typed)
    body = number[:1] + number[1:13].translate(LOOK_ALIKES)
    if not BODY.fullmatch(body):
        return number
    end = number[13:].translate(LOOK_ALIKES)
    if len(end) == 2:
        return body + end
    former = _checked_formerly(body)  # its last character may be a letter or a digit: correct it by the check
    return former if end == former[13:].translate(LOOK_ALIKES) else body + number[13:]


def parse_message_id(typed: str) -> str:
    """The id of a customs message in `typed`: a certificate number, with or without a dash and the version."""
    certificate, dash, version = typed.strip().rpartition("-")
    if dash and is_certificate_number(parse_number(certificate)):
        return f"{parse_number(certificate)}-{plain(version)}"
    return parse_number(typed) if is_certificate_number(parse_number(typed)) else typed


def is_certificate_number(number: str) -> bool:
    """Whether form and check digits are valid, of current and former numbers; whether it was issued is not checked."""
    body = number[:13]
    return BODY.fullmatch(body) is not None and number in (_checked(body), _checked_formerly(body))
