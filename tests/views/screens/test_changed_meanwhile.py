"""Two operators with the same account, unit or entrustment open: the second to save reads what the first changed."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.people.accounts import Account, Entrustment, Organisation
from tests.browsing import ClientAs
from tests.views.pages import flashed, form_of

CHANGED = "刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请核对后再保存。"


@pytest.mark.parametrize(
    ("register", "model", "typed"),
    [
        ("accounts", Account, "陈静文"),
        ("organisations", Organisation, "江苏文艺出版社"),
    ],
)
def test_a_save_overwrites_nothing_that_a_colleague_has_changed_meanwhile(
    app: Flask, client_as: ClientAs, register: str, model: type[Account] | type[Organisation], typed: str
) -> None:
    """What the colleague saved stands beside the typed words; after a second look it can be saved."""
    with app.app_context(), access.everything() as session:
        where = f"/{register}/edit/?id={session.scalar(select(model.id).where(model.active).limit(1))}"
    first, second = client_as("operator"), client_as("operator")
    old = form_of(first.get(where).text, "card-box")
    assert second.post(where, data=without(old, "active")).status_code == 302
    answer = first.post(where, data=old | {"name": typed})
    assert (answer.status_code, flashed(answer.text)) == (422, [CHANGED])
    assert "已保存的内容：否" in answer.text and answer.text.count("已保存的内容：") == 2
    again = form_of(answer.text, "card-box")
    assert (again["name"], "active" in again) == (typed, True)
    assert first.post(where, data=without(again, "active")).status_code == 302
    kept = form_of(second.get(where).text, "card-box")
    assert (kept["name"], "active" in kept) == (typed, False)


def without(form: dict[str, str], name: str) -> dict[str, str]:
    return {field: value for field, value in form.items() if field != name}


def test_an_entrustment_that_a_colleague_has_ended_is_not_prolonged(app: Flask, client_as: ClientAs) -> None:
    with app.app_context(), access.everything() as session:
        where = f"/entrustments/edit/?id={session.scalar(select(Entrustment.id).limit(1))}"
    first, second = client_as("operator"), client_as("operator")
    old = form_of(first.get(where).text, "card-box")
    assert second.post(where, data=old | {"until": "2030-01-31"}).status_code == 302
    answer = first.post(where, data=old | {"until": "2031-01-31"})
    assert (answer.status_code, flashed(answer.text)) == (422, [CHANGED])
    assert "已保存的内容：2030-01-31" in answer.text


def test_a_form_without_the_state_that_it_was_made_from_changes_nothing(app: Flask, client_as: ClientAs) -> None:
    with app.app_context(), access.everything() as session:
        where = f"/organisations/edit/?id={session.scalar(select(Organisation.id).limit(1))}"
    operator = client_as("operator")
    form = without(form_of(operator.get(where).text, "card-box"), "seen")
    assert operator.post(where, data=form | {"name": "另一个名称"}).status_code == 422
    assert form_of(operator.get(where).text, "card-box")["name"] == form["name"]
