"""Our inputs and selects equal those of WTForms byte for byte."""

import pytest
from flask import Flask
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms import widgets as stock

from models.codes import names_of
from views.panel import widgets
from views.panel.fields import CodeField, PlainTextField, QueryField


class Asked(Form):
    """A text box, a select of a query form, and one of a list of codes."""

    title = PlainTextField("商品名称", render_kw={"placeholder": "<b>"})
    state = QueryField("状态", choices=[("", "全部"), ('a"&', "<i>一</i>"), ("b", "")], default="")
    port = CodeField("关区", codes="carrier")


@pytest.mark.parametrize(
    "given",
    [
        {"value": "\"><script>'&", "data_a_b": 1, "aria_label": "商品", "class_": "x", "required": True, "list": False},
        {"title": Markup("&amp;"), "size": 3, "for_": None},
        {"title": Markup('x" onfocus="f()')},
    ],
)
def test_attributes_are_written_as_wtforms_writes_them(given: dict[str, object]) -> None:
    assert widgets.attributes(**given) == stock.html_params(**given)


@pytest.mark.parametrize("typed", [{}, {"title": "\"'<&>", "state": 'a"&', "port": next(iter(names_of("carrier")))}])
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_fields_are_drawn_as_wtforms_draws_them(app: Flask, typed: dict[str, str]) -> None:
    with app.app_context():
        for field in Asked(MultiDict(typed)):
            drawn = field(class_="form-control", aria_invalid="false", required=True)
            field.widget = stock.TextInput() if field.name == "title" else stock.Select()
            assert drawn == field(class_="form-control", aria_invalid="false", required=True)
