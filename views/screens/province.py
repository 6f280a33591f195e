"""本省设置: settings of a province, changed by its reviewers, with a trail of changes."""

from typing import Any

from flask import abort, flash, redirect
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional, StopValidation
from wtforms.widgets import TextInput

from models import deadlines, opinions
from models.database import db
from models.deadlines import provinces
from models.deadlines.provinces import BOUNDS, SETTINGS, ProvinceChange, ProvinceSettings
from models.language import in_chinese
from models.log import Operation
from models.vocabulary import OPTIONAL, Role
from models.workflow import Refused
from views.entrance.relying_party import party
from views.panel.checks import REQUIRED
from views.panel.fields import VersionField
from views.panel.logged import note
from views.panel.screen import labels_of
from views.panel.ticks import TicksField
from views.screens.stock_opinions import StockOpinionScreen, province_name

LABELS = labels_of(ProvinceSettings)
LONGEST = 10  # characters of a number; NumberRange raises for numbers too large for a float


class WholeField(IntegerField):
    """A whole number from `least` to `most`; with `may_be_blank` None for nothing."""

    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        least: int = 1,
        most: int = 1,
        may_be_blank: bool = False,
        **kwargs: Any,
    ) -> None:
        self.sentence = _("请填写 %(least)s 至 %(most)s 的整数。", least=least, most=most)
        filled = Optional() if may_be_blank else InputRequired(REQUIRED)
        within = NumberRange(least, most, self.sentence)
        super().__init__(label, [filled, within], render_kw={"inputmode": "numeric"}, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            if any(len(typed.strip()) > LONGEST for typed in valuelist):
                raise ValueError
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(self.sentence) from None

    def pre_validate(self, form: Any) -> None:
        if self.process_errors and any(typed.strip() for typed in self.raw_data or ()):  # one sentence at a time
            raise StopValidation


def field_of(name: str) -> Any:
    """The form field of a setting."""
    if name == "required_kinds":
        return TicksField(LABELS[name], words=OPTIONAL)
    if name not in BOUNDS:
        return BooleanField(LABELS[name])
    least, most = BOUNDS[name]
    may_be_blank = bool(ProvinceSettings.__table__.columns[name].nullable)
    return WholeField(LABELS[name], least=least, most=most, may_be_blank=may_be_blank)


class ProvinceScreen(StockOpinionScreen):
    """The settings of the reviewer's own province."""

    roles = frozenset({Role.REVIEWER})
    edit_template = "screens/province.html"
    form_columns = ("version", *SETTINGS)
    form_extra_fields = {"version": VersionField()} | {name: field_of(name) for name in SETTINGS}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(ProvinceSettings, db, **kwargs)

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        """GET: the form. POST: save it."""
        return self.show_or_save_form(provinces.settings_of(db.session(), current_user.province) or abort(404))

    def save(self, form: Any, model: ProvinceSettings) -> int:
        """Write changed settings with trail and log, and recompute due dates; returns how many moved.

        Raises Refused.
        """
        if form.version.expected != model.version:
            raise Refused(_("设置刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请对照变更记录核对后再保存。"))
        values = {name: form[name].data for name in SETTINGS}
        values["required_kinds"] = frozenset(values["required_kinds"])
        if values["keys_required"] and not model.keys_required:
            party()  # raises Refused where no browser could use a key: nobody of the province could sign in any more
        changes = provinces.change(db.session(), model, values, current_user)
        with in_chinese():
            for entry in changes:
                note(Operation.PROVINCE_CHANGED, province_name(entry), shown_change(entry))
        # Unchanged, the settings are not locked, and another computation of the due dates may be under way.
        return deadlines.recompute(db.session(), model.province) if changes else 0

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        form.version.data = model.version
        return super().show_refusal_in_form(refused, form, model)

    def after_saving(self, row: int, form: Any) -> Any:
        recomputed = _("已保存，重新计算了 %(count)s 份申请的办结期限。", count=row)
        flash(recomputed if row else _("已保存。"), "success")
        return redirect(self.get_url(".index_view"))

    def render(self, template: str, **kwargs: Any) -> Any:
        page: dict[str, Any] = {"shown_change": shown_change, "lists": opinions.listed(db.session())}
        page["changes"] = provinces.history(db.session(), current_user.province)
        return super().render(template, **(page | kwargs))


def shown_change(entry: ProvinceChange) -> str:
    """A change in words: 办结期限：20 → 12, or 常用意见（退回）：（无） → 材料不全。"""
    words = {"True": _("是"), "False": _("否"), "": _("（无）")}
    before, after = (words.get(value, value) for value in (entry.before, entry.after))
    act = opinions.ACT_OF.get(entry.setting)
    label = _("常用意见（%(act)s）", act=act.label) if act else LABELS.get(entry.setting, entry.setting)
    return _("%(label)s：%(before)s → %(after)s", label=label, before=before, after=after)
