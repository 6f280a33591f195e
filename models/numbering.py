"""All numbers of the register: 申请单号 and 证明编号 (our format; customs takes at most 32 characters)."""

from datetime import date

from sqlalchemy import String
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.iso7064 import mod_37_36

from models.database import Base
from models.signing.check_code import LOOK_ALIKES

APPLICATIONS = "SQ"


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
    """A number as people read it: applications have 8 digits, certificates 6 and a check character."""
    if series == APPLICATIONS:
        return f"{series}{year}{serial:08d}"
    body = f"{series}{year}{serial:06d}"
    return body + str(mod_37_36.calc_check_digit(body))


def application_number(session: Session, day: date) -> str:
    """`SQ` + year + 8 digits, given when the draft is born, never reused; gaps allowed."""
    return spelled(APPLICATIONS, day.year, reserve(session, APPLICATIONS, day.year))


def certificate_series(province: str) -> str:
    """`Z` + the first two digits of the province (GB/T 2260)."""
    return f"Z{province[:2]}"


def certificate_number(session: Session, province: str, day: date) -> str:
    """`Z` + province + year + 6 digits + check character (ISO 7064 Mod 37,36), without gaps in a province and year."""
    series = certificate_series(province)
    return spelled(series, day.year, reserve(session, series, day.year))


def meant(typed: str) -> str:
    """A certificate's number as a person meant it who took O for 0, or I and L for 1, or the other way round."""
    body = typed[:1] + typed[1:13].translate(LOOK_ALIKES)
    if len(typed) != 14 or not (body[1:].isascii() and body[1:].isdigit()):
        return typed
    check = str(mod_37_36.calc_check_digit(body))
    return body + (check if check.translate(LOOK_ALIKES) == typed[13].translate(LOOK_ALIKES) else typed[13])


def is_certificate_number(number: str) -> bool:
    """Whether the form and the check character are right; says nothing about the register."""
    return len(number) == 14 and number.startswith("Z") and bool(mod_37_36.is_valid(number))
