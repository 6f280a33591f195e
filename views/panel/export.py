"""导出 of applications: a sheet with all fields of their details, and a sheet with one line per carrier.

Rows are read in chunks of CHUNK, or fewer with many carriers, each in its own transaction: memory does not grow with
the number of rows, and no writer, vacuum or checkpoint waits for the end of the export.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import access
from models.application import Application
from models.application.carriers import Carrier
from models.certificate import Certificate
from models.certificate.display import USE_HEAD, used_text
from models.certificate.uses import CertificateUse
from models.codes import labels, names_of
from models.columns import readable
from models.database import db, tidy
from models.people.accounts import Account
from models.vocabulary import WordColumn
from views.panel.paging import CHUNK, chunks
from views.panel.spreadsheet import MOST_ROWS, Column, Sheet

MOST_CARRIERS = MOST_ROWS
CARRIERS = 10_000  # in memory at a time, since 500 applications may have 1.5 million
CERTIFICATE = ("certificate", "issued_on", "valid_until")  # fields of the certificate: its number, and two dates
SUMMED = ("unit", "quantity")


@dataclass(frozen=True)
class Line:
    """One application: columns of its row, of its certificate, and of its carriers; `sums`: unit → quantity."""

    row: Row[Any]
    certificate: Row[Any] | None
    carriers: Sequence[Row[Any]]
    sums: dict[str, Decimal]
    uses: Sequence[CertificateUse]  # 核注 and 核销 of its certificate, the earliest first


@dataclass(frozen=True)
class Applications:
    """The applications with these ids, in this order, as far as `reader` sees them at the time they are read."""

    ids: "array[int]"
    reader: Account

    def lines(self, fields: Iterable[str], carrier: Iterable[str] = SUMMED) -> Iterator[Line]:
        """Each application; `fields`: columns of the application, `carrier`: columns of its carriers."""
        with access.as_seen_by(self.reader) as session:
            for keys in chunks(self.ids, CHUNK):
                yield from _lines(session, keys, ("id", "deleted_at", *fields), carrier)

    def units_and_deleted(self) -> tuple[list[str], bool]:
        """(units of the carriers that have a quantity, "" for a missing unit; whether any application is deleted)."""
        units, deleted, is_deleted = set[str](), False, Application.deleted_at.is_not(None)
        with access.as_seen_by(self.reader) as session:
            for keys in chunks(self.ids, CHUNK * 4):
                wanted = select(is_deleted, Carrier.quantity.is_not(None), Carrier.unit).select_from(Application)
                wanted = wanted.outerjoin(Application.carriers).where(Application.id.in_(keys)).distinct()
                found = session.execute(wanted).all()
                session.rollback()
                deleted = deleted or any(is_deleted for is_deleted, _counts, _unit in found)
                units |= {unit or "" for _is_deleted, counts, unit in found if counts}
        return sorted(units, key=lambda unit: (not unit, unit)), deleted

    def any_used(self) -> bool:
        """Whether any of their certificates was used at customs."""
        with access.as_seen_by(self.reader) as session:
            used = (
                select(CertificateUse.id).where(CertificateUse.application_id.in_(keys)).limit(1)
                for keys in chunks(self.ids, CHUNK * 4)
            )
            return any(session.scalar(one) for one in used)


def _lines(session: Session, keys: Sequence[int], fields: Iterable[str], carrier: Iterable[str]) -> Iterator[Line]:
    """The lines in the order of `keys`, by a fixed number of queries, or in halves if they have too many carriers.

    No transaction is open while a line is used.
    """
    carriers = _carriers(session, keys, carrier)
    if carriers is None:
        half = len(keys) // 2
        for part in (keys[:half], keys[half:]):
            yield from _lines(session, part, fields, carrier)
        return
    names = dict.fromkeys(fields)
    rows = {
        row.id: row
        for row in session.execute(
            select(*(getattr(Application, name) for name in names)).where(Application.id.in_(keys))
        )
    }
    granted, uses = _certificates(session, keys), _uses(session, keys)
    session.rollback()
    for key in keys:
        if key in rows:
            yield Line(rows[key], granted.get(key), carriers[key], _sums(carriers[key]), uses[key])


def _certificates(session: Session, keys: Sequence[int]) -> dict[int, Row[Any]]:
    """Application id → number and dates of its certificate, without its snapshot of some KB."""
    names = (Certificate.application_id, Certificate.number, Certificate.issued_on, Certificate.valid_until)
    wanted = select(*names).where(Certificate.application_id.in_(keys))
    rows: list[Row[Any]] = [*session.execute(wanted)]
    return {row.application_id: row for row in rows}


def _carriers(session: Session, keys: Sequence[int], fields: Iterable[str]) -> dict[int, list[Row[Any]]] | None:
    """Application id → its carriers in order; None if several applications have more than CARRIERS."""
    names = ("application_id", "position", *dict.fromkeys((*SUMMED, *fields)))
    wanted = select(*(getattr(Carrier, name) for name in names)).where(Carrier.application_id.in_(keys))
    wanted = wanted.order_by(Carrier.application_id, Carrier.position, Carrier.id)
    rows = session.execute(wanted.limit(CARRIERS + 1) if len(keys) > 1 else wanted).all()
    if len(keys) > 1 and len(rows) > CARRIERS:
        return None
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.application_id].append(row)
    return found


def _uses(session: Session, keys: Sequence[int]) -> dict[int, list[CertificateUse]]:
    """Application id → 核注 and 核销 of its certificate."""
    found: dict[int, list[CertificateUse]] = defaultdict(list)
    wanted = select(CertificateUse).where(CertificateUse.application_id.in_(keys))
    for use in session.scalars(wanted.order_by(CertificateUse.at, CertificateUse.id)):
        session.expunge(use)
        found[use.application_id].append(use)
    return found


def _sums(carriers: Sequence[Row[Any]]) -> dict[str, Decimal]:
    """Unit → sum of the quantities; "" for carriers without a unit."""
    sums: dict[str, Decimal] = {}
    for row in carriers:
        if row.quantity is not None:
            unit = row.unit or ""
            sums[unit] = tidy(sums.get(unit, Decimal()) + row.quantity)
    return sums


def sheets(title: str, found: Applications, fields: Iterable[str], carrier: Iterable[str]) -> list[Sheet]:
    """Two sheets: `title` with those of `fields` that are columns, and 载体信息 with the fields `carrier`."""
    stored = {*Application.__table__.columns.keys(), *CERTIFICATE}
    names = [name for name in dict.fromkeys((*fields, *CERTIFICATE)) if name in stored]
    units, any_deleted = found.units_and_deleted()
    columns = [_column(name) for name in names]
    if found.any_used():
        columns.append(Column(str(USE_HEAD), lambda line: used_text(line.uses) or None))
    if any_deleted:  # only the province sees deleted rows
        columns.append(Column(_("申请人已删除"), lambda line: _("是") if line.row.deleted_at else None))
    of_application = [name for name in names if name not in CERTIFICATE]
    return [
        Sheet(title, [*columns, *_quantities(units)], found.lines(of_application)),
        _carrier_sheet(found, carrier),
    ]


def _column(name: str) -> Column:
    """The column of an application or of its certificate."""
    if name not in CERTIFICATE:
        return _labelled(Application, name, lambda line: line.row)
    return _labelled(Certificate, "number" if name == "certificate" else name, lambda line: line.certificate)


def _labelled(model: Any, name: str, row_of: Callable[[Any], Any]) -> Column:
    """A column of `model`. `row_of(line)`: the row of the model, or None."""
    column = model.__table__.columns[name]
    names: dict[Any, str] = {}
    if "codes" in column.info:
        names = labels(column.info["codes"], db.session())  # one query for all rows
    elif isinstance(column.type, WordColumn):
        names = {word: str(word.label) for word in column.type.words}  # put into words once

    def value(line: Any) -> Any:
        found = getattr(row_of(line), name, None)
        return names.get(found) or readable(found, column) if names else found

    return Column(str(column.info["label"]), value)


def _quantities(units: Sequence[str]) -> list[Column]:
    """进口数量合计 in words (1000 张；20 盒), then a column of numbers for each unit that occurs."""
    names = names_of("unit") | {"": _("未填单位")}

    def in_words(line: Line) -> str:
        known = sorted((unit, total) for unit, total in line.sums.items() if unit)
        parts = [f"{total:f} {names.get(unit, unit)}" for unit, total in known]
        if without := line.sums.get(""):
            parts.append(_("%(total)s（未填单位）", total=f"{without:f}"))
        return "；".join(parts)

    def in_unit(unit: str) -> Column:
        label = _("进口数量（%(unit)s）", unit=names.get(unit, unit))
        return Column(label, lambda line: line.sums.get(unit))

    return [Column(_("进口数量合计"), in_words), *map(in_unit, units)]


def _carrier_sheet(found: Applications, names: Iterable[str]) -> Sheet:
    """载体信息: number and title of the application, number of the certificate, then the fields of the carrier."""
    columns = [
        *(_labelled(Application, name, lambda pair: pair[0].row) for name in ("number", "title")),
        _labelled(Certificate, "number", lambda pair: pair[0].certificate),
        *(_labelled(Carrier, name, lambda pair: pair[1]) for name in ("position", *names)),
    ]
    rows = _Limited((line, each) for line in found.lines(("number", "title"), names) for each in line.carriers)
    return Sheet(str(Application.carriers.info["label"]), columns, rows, rows.left_out)


class _Limited:
    """Iterates over the first MOST_CARRIERS rows; left_out() is correct after the iteration."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self.rows, self.more = rows, False

    def __iter__(self) -> Iterator[Any]:
        for count, row in enumerate(self.rows):
            self.more = count >= MOST_CARRIERS
            if self.more:
                return
            yield row

    def left_out(self) -> str:
        """The note below the sheet if there were more rows; else ""."""
        return _("只导出了前 %(most)s 条，请缩小查询范围后分次导出。", most=MOST_CARRIERS) if self.more else ""
