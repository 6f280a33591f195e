"""Differences between two states of an application: as data for the trail, and in words for people."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, object_session

from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.columns import readable
from models.vocabulary import AttachmentKind, Reason, Word

OWN_FIELDS = tuple(
    column.key for column in Application.__table__.columns if column.info.get("label") and column.key != "status"
)
CARRIER_FIELDS = tuple(column.key for column in Carrier.__table__.columns if column.info.get("label"))
WITHIN = tuple(name for name in CARRIER_FIELDS if name != "position")
UNSHOWN = ("publisher_id",)  # an id; the name is a field of its own
MOST_LINES = 100
Row = dict[str, Any]


def content(application: Application) -> dict[str, Any]:
    """The content that people can read, as JSON values, for differences()."""
    fields = {name: _plain(getattr(application, name)) for name in OWN_FIELDS}
    rows = [{name: _plain(getattr(row, name)) for name in ("id", *CARRIER_FIELDS)} for row in application.carriers]
    return fields | {"carriers": rows}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (Decimal, date, Word)) else value


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Field → [before, after] for what differs; of carriers only the rows that differ, compared by id."""
    changes = {name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}
    if "carriers" in changes:
        was, now = changes["carriers"]
        changes["carrier_count"] = [len(was), len(now)]
        changes["carriers"] = [absent(was, now), absent(now, was)]
    return changes


def absent(rows: list[Row], others: list[Row]) -> list[Row]:
    """The rows that are missing in `others` or have other content there; the position of a row does not count."""
    contents = {row["id"]: _values(row) for row in others}
    return [row for row in rows if contents.get(row["id"]) != _values(row)]


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in WITHIN)


def explain(entry: TrailEntry) -> list[str]:
    """A trail entry's changes as lines: 商品名称：“旧” → “新”."""
    return explain_changes(entry.changes or {}, object_session(entry))


def explain_changes(changes: dict[str, Any], session: Session | None) -> list[str]:
    """Changes as stored in the trail, as lines for people; without a session customs districts stay without names."""
    lines: list[str] = []
    for name, (old, new) in changes.items():
        if name == "carriers":
            lines += _carrier_lines(old or [], new or [], changes.get("carrier_count"))
        elif name in ("carrier_count", *UNSHOWN):
            continue
        elif name == "copy":
            lines.append(_("第 %(number)s 次打印", number=new))
        elif name == "reason":
            lines.append(_("作废原因：%(reason)s", reason=Reason(new).label))
        elif name in set(AttachmentKind):
            lines.append(_line(AttachmentKind(name).label, _file(old, new)))
        else:
            column = Application.__table__.columns.get(name)
            lines.append(_line(_label(name), f"{_readable(column, old, session)} → {_readable(column, new, session)}"))
    return lines


def _line(label: Any, what: str) -> str:
    return _("%(label)s：%(sentence)s", label=label, sentence=what)


def _file(old: str | None, new: str | None) -> str:
    """The line about an attachment that was added, removed or replaced."""
    if old and new:
        return _("由“%(old)s”替换为“%(new)s”", old=old, new=new)
    return f"“{new or old}”"


def _carrier_lines(old: list[Row], new: list[Row], count: list[int] | None) -> list[str]:
    """载体信息: the number of rows before and after, then the changes, MOST_LINES lines at most."""
    if count is None:  # entries written before 2026-11-25 hold every row, without ids
        count, old, new = [len(old), len(new)], *_without_common(old, new)
    changes = list(_row_changes(old, new))
    lines = []
    if count[0] != count[1]:
        lines.append(_("载体信息：%(old)s 条 → %(new)s 条", old=count[0], new=count[1]))
    elif not changes:
        lines.append(_("载体信息：调整了顺序"))
    lines += [line() for line in islice(changes, MOST_LINES - 1)]
    rest = len(changes) - (MOST_LINES - 1)
    return [*lines, _("另有 %(count)s 处改动。", count=rest)] if rest > 0 else lines


def _without_common(old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
    """Both lists without the rows that stand in both with the same content."""
    common = Counter(map(_values, old)) & Counter(map(_values, new))
    return _minus(old, common.copy()), _minus(new, common)


def _minus(rows: list[Row], common: Counter[tuple[Any, ...]]) -> list[Row]:
    remaining = []
    for row in rows:
        if common[_values(row)]:
            common[_values(row)] -= 1
        else:
            remaining.append(row)
    return remaining


def _row_changes(old: list[Row], new: list[Row]) -> Iterator[Callable[[], str]]:
    """One line for each field that changed and each row added or deleted; rows are paired by id, else by position."""
    key = "id" if all("id" in row for row in (*old, *new)) else "position"
    before, after = {row[key]: row for row in old}, {row[key]: row for row in new}
    for row in new:
        if was := before.get(row[key]):
            yield from (partial(_field_line, name, was, row) for name in WITHIN if was[name] != row[name])
    for row in old:
        if row[key] not in after:
            yield partial(_row_line, _l("删除原第 %(place)s 条：%(row)s"), row)
    for row in new:
        if row[key] not in before:
            yield partial(_row_line, _l("新增第 %(place)s 条：%(row)s"), row)


def _field_line(name: str, was: Row, now: Row) -> str:
    place = _("第 %(place)s 条", place=now["position"])
    column = Carrier.__table__.columns[name]
    change = f"{_readable(column, was[name])} → {_readable(column, now[name])}"
    return _line(f"{place} {_label(name, Carrier)}", change)


def _row_line(sentence: Any, row: Row) -> str:
    return str(sentence) % {"place": row["position"], "row": _row(row)}


def _row(row: Row) -> str:
    columns = Carrier.__table__.columns
    return " ".join(_readable(columns[name], row[name]) for name in WITHIN if row[name] not in (None, ""))


def _label(name: str, table: Any = Application) -> str:
    return str(table.__table__.columns[name].info["label"])


def _readable(column: Any, value: Any, session: Session | None = None) -> str:
    text = readable(value, column, session)
    return _("（空）") if text is None else f"“{text}”"
