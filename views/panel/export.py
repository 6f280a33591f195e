"""导出 of applications: every field of their details, and a sheet with one line per carrier."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select

from models.application import Application
from models.application.carriers import Carrier
from models.certificate import Certificate
from models.codes import labels, names_of
from models.columns import readable
from models.database import db, tidy
from views.panel.paging import REACH
from views.panel.spreadsheet import Column, Sheet

MOST, MOST_CARRIERS = REACH, 100_000
CERTIFICATE = ("certificate", "issued_on", "valid_until")  # fields of the certificate: its number, and two dates


@dataclass
class Carriers:
    """Carriers by application id: at most MOST_CARRIERS rows, but sums over all; `sums`: id → unit → quantity."""

    rows: dict[int, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    sums: dict[int, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    count: int = 0

    def add(self, row: Row[Any]) -> None:
        """Count a row in; its quantity goes to the sum of its unit, "" while a draft has none."""
        self.count += 1
        if self.count <= MOST_CARRIERS:
            self.rows[row.application_id].append(row)
        if row.quantity is not None:
            sums, unit = self.sums[row.application_id], row.unit or ""
            sums[unit] = tidy(sums.get(unit, Decimal()) + row.quantity)


def sheets(title: str, rows: list[Application], fields: Iterable[str], carrier: Iterable[str]) -> list[Sheet]:
    """The sheet `title` with those of `fields` that are columns, and the sheet 载体信息 with the fields `carrier`.

    The number of queries does not depend on the number of rows. Rows beyond MOST are omitted; the last line says so.
    """
    shown = rows[:MOST]
    keys = [row.id for row in shown]
    granted, carriers = _certificates(keys), _carriers(keys, carrier)
    stored = {*Application.__table__.columns.keys(), *CERTIFICATE}
    columns = [_column(name, granted) for name in dict.fromkeys((*fields, *CERTIFICATE)) if name in stored]
    if any(row.deleted_at for row in shown):  # only the province sees deleted rows
        columns.append(Column(_("申请人已删除"), lambda row: _("是") if row.deleted_at else None))
    return [
        Sheet(title, [*columns, *_quantities(carriers.sums)], shown, _left_out(len(rows), MOST)),
        _carrier_sheet(shown, granted, carriers, carrier),
    ]


def _certificates(keys: Sequence[int]) -> dict[int, Any]:
    """Application id → number and dates of its certificate; not its content, some KB each."""
    wanted = select(
        Certificate.application_id, Certificate.number, Certificate.issued_on, Certificate.valid_until
    ).where(Certificate.application_id.in_(keys))
    return {row.application_id: row for row in db.session.execute(wanted)}


def _carriers(keys: Sequence[int], fields: Iterable[str]) -> Carriers:
    """The carriers of these applications, fetched in batches: each may have 3,000."""
    names = ("application_id", "position", *fields)
    wanted = select(*(getattr(Carrier, name) for name in names)).where(Carrier.application_id.in_(keys))
    ordered = wanted.order_by(Carrier.application_id.desc(), Carrier.position, Carrier.id)
    carriers = Carriers()
    for row in db.session.execute(ordered.execution_options(yield_per=1000)):
        carriers.add(row)
    return carriers


def _column(name: str, granted: dict[int, Any]) -> Column:
    """The column of an application or of its certificate."""
    if name not in CERTIFICATE:
        return _labelled(Application, name, lambda row: row)
    return _labelled(Certificate, "number" if name == "certificate" else name, lambda row: granted.get(row.id))


def _labelled(model: Any, name: str, row_of: Callable[[Any], Any]) -> Column:
    """A column of `model`. `row_of(line)`: the row of the model, or None."""
    column = model.__table__.columns[name]
    names: dict[Any, str] = labels(column.info["codes"]) if "codes" in column.info else {}  # one query for all rows

    def value(line: Any) -> Any:
        found = getattr(row_of(line), name, None)
        return names.get(found) or readable(found, column)

    return Column(str(column.info["label"]), value)


def _quantities(sums: dict[int, dict[str, Decimal]]) -> list[Column]:
    """进口数量合计 in words (1000 张；20 盒), then a column of numbers for each unit that occurs."""
    names = names_of("unit") | {"": _("未填单位")}

    def in_words(row: Application) -> str:
        known = sorted((unit, total) for unit, total in sums.get(row.id, {}).items() if unit)
        parts = [f"{total:f} {names.get(unit, unit)}" for unit, total in known]
        if without := sums.get(row.id, {}).get(""):
            parts.append(_("%(total)s（未填单位）", total=f"{without:f}"))
        return "；".join(parts)

    def in_unit(unit: str) -> Column:
        label = _("进口数量（%(unit)s）", unit=names.get(unit, unit))
        return Column(label, lambda row: sums.get(row.id, {}).get(unit))

    units = sorted({unit for found in sums.values() for unit in found}, key=lambda unit: (not unit, unit))
    return [Column(_("进口数量合计"), in_words), *map(in_unit, units)]


def _carrier_sheet(rows: list[Application], granted: dict[int, Any], carriers: Carriers, names: Iterable[str]) -> Sheet:
    """载体信息: number and title of the application, number of the certificate, then the fields of the carrier."""
    lines = [(row, carrier) for row in rows for carrier in carriers.rows.get(row.id, ())]
    columns = [
        *(_labelled(Application, name, lambda line: line[0]) for name in ("number", "title")),
        _labelled(Certificate, "number", lambda line: granted.get(line[0].id)),
        *(_labelled(Carrier, name, lambda line: line[1]) for name in ("position", *names)),
    ]
    label = str(Application.carriers.info["label"])
    return Sheet(label, columns, lines, _left_out(carriers.count, MOST_CARRIERS))


def _left_out(count: int, most: int) -> str:
    return _("只导出了前 %(most)s 条，请缩小查询范围后分次导出。", most=most) if count > most else ""
