"""What was changed: as data for the trail, and in words for people."""

from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from flask_babel import gettext as _

from models.application import Application, Carrier
from models.codes import label_of
from models.trail import TrailEntry
from models.vocabulary import AttachmentKind, Reason, Word, WordColumn

OWN_FIELDS = tuple(
    column.key for column in Application.__table__.columns if column.info.get("label") and column.key != "status"
)
CARRIER_FIELDS = tuple(column.key for column in Carrier.__table__.columns if column.info.get("label"))
WITHIN = tuple(name for name in CARRIER_FIELDS if name != "position")
MOST_LINES = 100
Row = dict[str, Any]


def content(application: Application) -> dict[str, Any]:
    """What a person can read of it, as JSON: to compare before and after."""
    fields = {name: _plain(getattr(application, name)) for name in OWN_FIELDS}
    rows = [{name: _plain(getattr(row, name)) for name in CARRIER_FIELDS} for row in application.carriers]
    return fields | {"carriers": rows}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (Decimal, date, Word)) else value


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Field → [before, after], for what differs."""
    return {name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}


def explain(entry: TrailEntry) -> list[str]:
    """A trail entry's changes as lines: 商品名称：“旧” → “新”."""
    lines = []
    for name, (old, new) in (entry.changes or {}).items():
        if name == "carriers":
            lines += _rows(old or [], new or [])
        elif name == "copy":
            lines.append(_("第 %(number)s 次打印", number=new))
        elif name == "reason":
            lines.append(_("作废原因：%(reason)s", reason=Reason(new).label))
        elif name in set(AttachmentKind):
            lines.append(f"{AttachmentKind(name).label}：{_file(old, new)}")
        else:
            lines.append(f"{_label(name)}：{_said(name, old)} → {_said(name, new)}")
    return lines


def _file(old: str | None, new: str | None) -> str:
    """An attachment that came, went, or took another's place."""
    if old and new:
        return _("由“%(old)s”替换为“%(new)s”", old=old, new=new)
    return f"“{new or old}”"


def _rows(old: list[Row], new: list[Row]) -> list[str]:
    """载体信息: how many there were and are; then each row that was added, taken out or changed."""
    lines = [_("载体信息：%(old)s 条 → %(new)s 条", old=len(old), new=len(new))]
    before, after = ([tuple(row[name] for name in WITHIN) for row in rows] for rows in (old, new))
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if old else ():
        if kind == "replace" and j - i == m - k:
            pairs = zip(old[i:j], new[k:m], strict=True)
            lines += [line for was, now in pairs for line in _within(was, now)]
        elif kind != "equal":
            lines += [_("删除原第 %(place)s 条：%(row)s", place=row["position"], row=_row(row)) for row in old[i:j]]
            lines += [_("新增第 %(place)s 条：%(row)s", place=row["position"], row=_row(row)) for row in new[k:m]]
    rest = len(lines) - MOST_LINES
    return lines if rest <= 0 else [*lines[:MOST_LINES], _("另有 %(count)s 处改动。", count=rest)]


def _within(was: Row, now: Row) -> list[str]:
    changed = [name for name in WITHIN if was[name] != now[name]]
    place = _("第 %(place)s 条", place=now["position"])
    return [f"{place} {_label(n, Carrier)}：{_said(n, was[n], Carrier)} → {_said(n, now[n], Carrier)}" for n in changed]


def _row(row: Row) -> str:
    return " ".join(_said(name, row[name], Carrier) for name in WITHIN if row[name] not in (None, ""))


def _label(name: str, table: Any = Application) -> str:
    return str(table.__table__.columns[name].info["label"])


def _said(name: str, value: Any, table: Any = Application) -> str:
    if value in (None, ""):
        return _("（空）")
    column = table.__table__.columns.get(name)
    if column is not None and isinstance(column.type, WordColumn):
        value = column.type.words(value).label
    elif column is not None and "codes" in column.info:
        value = label_of(column.info["codes"], value)
    return f"“{value}”"
