"""All numbers of the register: 申请单号 and 证明编号 (our format; customs takes at most 32 characters).

申请单号: `SQ` + year + 8 digits. 证明编号: `Z` + province (first 2 digits of GB/T 2260) + year + 6 digits + 2 check
digits, ISO 7064 Mod 97-10 (GB/T 17710), computed over all that stands before them, Z counting as 35. Apart from the Z
all are digits: no character is taken for another, and letters typed for digits can be put right. Every wrong digit and
every exchange of two neighbours is detected. Former numbers end in one check character instead (Mod 37,36), which could
be O or I: their length tells them apart, they stay as they were issued, and are verified as before.
"""

import re
from datetime import date

from sqlalchemy import String
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.iso7064 import mod_37_36, mod_97_10

from models.database import Base
from models.signing.check_code import LOOK_ALIKES, plain

APPLICATIONS = "SQ"
BODY = re.compile(r"Z\d{12}", re.ASCII)  # what the check digits are computed over


class Serial(Base):
    """The last number given in a series and year. It rolls back with the act that took it: no gaps in what is kept."""

    __tablename__ = "serial"

    series: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


def reserve(session: Session, series: str, year: int, count: int = 1) -> int:
    """The last of `count` new numbers; concurrent takers wait for each other's transaction (row lock or one writer)."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Serial).values(series=series, year=year, last=count)
    statement = statement.on_conflict_do_update(
        index_elements=["series", "year"], set_={"last": Serial.__table__.c.last + count}
    )
    return int(session.connection().execute(statement.returning(Serial.__table__.c.last)).scalar_one())


def spelled(series: str, year: int, serial: int) -> str:
    """A number as people read it: applications have 8 digits, certificates 6 and two check digits."""
    if series == APPLICATIONS:
        return f"{series}{year}{serial:08d}"
    return _checked(f"{series}{year}{serial:06d}")


def _checked(body: str) -> str:
    return body + str(mod_97_10.calc_check_digits(body))


def _checked_formerly(body: str) -> str:
    """As certificates were numbered first; such numbers are still verified, but not given any more."""
    return body + str(mod_37_36.calc_check_digit(body))


def application_number(session: Session, day: date) -> str:
    """`SQ` + year + 8 digits, given when the draft is born, never reused; gaps allowed."""
    return spelled(APPLICATIONS, day.year, reserve(session, APPLICATIONS, day.year))


def certificate_series(province: str) -> str:
    """`Z` + the first two digits of the province (GB/T 2260)."""
    return f"Z{province[:2]}"


def certificate_number(session: Session, province: str, day: date) -> str:
    """The next 证明编号, without gaps in a province and year; the caller's transaction locks the series."""
    series = certificate_series(province)
    return spelled(series, day.year, reserve(session, series, day.year))


def meant(typed: str) -> str:
    """The certificate's number that a person typed, whatever the case, width, blanks and dashes.

    Where only a digit can stand, O is read as 0, I and L as 1. What is no such number comes back in capitals.
    """
    number = plain(typed)
    body = number[:1] + number[1:13].translate(LOOK_ALIKES)
    if not BODY.fullmatch(body):
        return number
    end = number[13:].translate(LOOK_ALIKES)
    if len(end) == 2:
        return body + end
    former = _checked_formerly(body)  # its last character may be a letter or a digit: the one that is right was meant
    return former if end == former[13:].translate(LOOK_ALIKES) else body + number[13:]


def meant_message(typed: str) -> str:
    """A customs message's number that a person typed: that of its certificate, or this with a dash and its version."""
    certificate, dash, version = typed.strip().rpartition("-")
    if dash and is_certificate_number(meant(certificate)):
        return f"{meant(certificate)}-{plain(version)}"
    return meant(typed) if is_certificate_number(meant(typed)) else typed


def is_certificate_number(number: str) -> bool:
    """Whether form and check digits are right, of present and former numbers; says nothing about the register."""
    body = number[:13]
    return BODY.fullmatch(body) is not None and number in (_checked(body), _checked_formerly(body))
