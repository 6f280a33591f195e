"""常用意见 of the reviewer's own province: add, change, move and remove, with a trail."""

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models import opinions
from models.codes import names_of
from models.database import db
from models.deadlines.provinces import ProvinceChange
from models.language import in_chinese
from models.log import Operation
from models.opinions import StockOpinion
from models.vocabulary import Action
from models.workflow import Refused
from views.panel.fields import number_of
from views.panel.logged import note
from views.panel.saving import commit_then_flash
from views.panel.screen import Screen


class StockOpinionScreen(Screen):
    """The part of 本省设置 for 常用意见. A refused form is shown again as typed."""

    opens = frozenset({"opinions", "save_opinion"})

    @expose("/opinions/")
    def opinions(self) -> Any:
        """The opinions of every act, each in its own form, and the trail of changes."""
        return self.opinion_page()

    @expose("/opinions/<any(add, change, remove, up, down):what>/", methods=("POST",))
    def save_opinion(self, what: str) -> Any:
        """Add, change, move or remove one opinion, and commit."""
        row = None if what == "add" else self.opinion_of(request.form.get("id"))
        act = row.act if row else request.form.get("act", "")
        if act not in opinions.WITH_OPINION:
            abort(400)
        if not commit_then_flash(lambda: write(what, row, Action(act))):
            return self.opinion_page(request.form), 422
        return redirect(f"{self.get_url('.opinions')}#opinions-{act}")

    def opinion_of(self, key: str | None) -> StockOpinion:
        """The opinion with this id; 404 if the province has none."""
        number = number_of(key)
        found = db.session.query(StockOpinion).filter(StockOpinion.id == number) if number is not None else None
        return (found and found.one_or_none()) or abort(404)

    def opinion_page(self, typed: Any = None) -> Any:
        """The page; `typed`: fields of a refused form."""
        return self.render("screens/opinions.html", most=opinions.MOST_WORDS, typed=typed or {})


def write(what: str, row: StockOpinion | None, act: Action) -> str:
    """Add, change, move or remove the opinion of the submitted form; returns the sentence to show. Raises Refused."""
    words, version = request.form.get("words", ""), number_of(request.form.get("version"))
    if row is None:
        changed: Any = opinions.add(db.session(), act, words, current_user)
    elif what == "remove":
        changed = opinions.remove(db.session(), row, version, current_user)
    elif what in ("up", "down"):
        if "words" in request.form and words.replace("\r\n", "\n").strip() != row.words:
            raise Refused(_("这条常用意见的改动还没有保存，请先点击保存，再移动。"))
        changed = opinions.move(db.session(), row, version, what == "up", current_user)
    else:
        changed = opinions.change(db.session(), row, version, words, current_user)
    if changed:  # without its words: only the province reads its stock opinions
        note(Operation.PROVINCE_CHANGED, province_name(changed), _l("常用意见（%(act)s）", act=act.label))
    return _("已保存。")


def province_name(entry: ProvinceChange) -> str:
    """In Chinese, as the log stores it."""
    with in_chinese():
        return names_of("province")[entry.province]
