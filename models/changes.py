"""What was changed: as data for the trail, and in words for people."""

from datetime import date
from decimal import Decimal
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
            lines.append(_("载体信息：%(old)s 条 → %(new)s 条", old=len(old or ()), new=len(new or ())))
        elif name == "copy":
            lines.append(_("第 %(number)s 次打印", number=new))
        elif name == "reason":
            lines.append(_("作废原因：%(reason)s", reason=Reason(new).label))
        elif name in set(AttachmentKind):
            lines.append(f"{AttachmentKind(name).label}：{_said(name, new or old)}")
        else:
            lines.append(f"{_label(name)}：{_said(name, old)} → {_said(name, new)}")
    return lines


def _label(name: str) -> str:
    return str(Application.__table__.columns[name].info["label"])


def _said(name: str, value: Any) -> str:
    if value in (None, ""):
        return _("（空）")
    column = Application.__table__.columns.get(name)
    if column is not None and isinstance(column.type, WordColumn):
        value = column.type.words(value).label
    elif column is not None and "codes" in column.info:
        value = label_of(column.info["codes"], value)
    return f"“{value}”"
