"""The question before an act and the result after it, formatted for one row (texts: models/workflow/acts.py)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask_babel import gettext as _

from models.application import Application
from models.language import closed_up
from models.vocabulary import Word
from models.workflow import presentation
from views.panel.display import Button

Link = tuple[Any, str]  # (label, address)


def facts_of(row: Application) -> dict[str, str]:
    """Values for the placeholders in the texts of an act. Call it before the act, because 删除 hides the row."""
    return {"number": row.number, "authority": row.authority or "", "applicant": row.applicant_name, "certificate": ""}


def question(action: Word, facts: dict[str, str]) -> str:
    """The question of the dialog before an act; "" for an act without one."""
    return closed_up(str(presentation(action).question) % facts)


def button(action: Word, address: str, facts: dict[str, str], refusal: str | None, hidden: bool = False) -> Button:
    """The button of an act, which posts to `address`; dimmed with its `refusal`, if any."""
    act = presentation(action)
    return Button(
        name=action.value,
        label=action.label,
        address=address,
        ask=question(action, facts),
        refusal=refusal,
        opinion=act.opinion,
        remark=act.remark,
        grounds=act.grounds,
        reason=act.reason,
        opens=act.opens,
        hint=act.hint,
        hidden=hidden,
        style=act.style,
    )


def result(action: Word, facts: dict[str, str], links: Iterable[Link], shown_on: str) -> dict[str, Any]:
    """Context of result.html after an act, without a link to the page on which it is shown."""
    ways = [(str(label), address) for label, address in links if page(address) != page(shown_on)]
    return {"title": str(presentation(action).done), "words": str(presentation(action).result) % facts, "links": ways}


def page(address: str) -> tuple[str, Any]:
    """What identifies a page: the path, and the id of the row."""
    parts = urlsplit(address)
    return parts.path, parse_qs(parts.query).get("id")


def saved(marks: int, at: Any) -> str:
    """The sentence after 保存 of a draft at `at`; `marks`: number of cells that have to be corrected."""
    when = at.strftime("%H:%M")
    if marks:
        return _("已于 %(when)s 保存；有 %(marks)s 处还需改正，见红字。", when=when, marks=marks)
    return _("已于 %(when)s 保存。", when=when)
