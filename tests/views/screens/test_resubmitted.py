"""工作台 of a province: what was changed since 退回, in a few words, beside each resubmission."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from models.application import resubmission
from models.database import db
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.views.pages import form_of


def change(publisher: Browser, key: int, **changed: Any) -> None:
    """Save the form of a returned application; `carriers_0_name` stands for the field carriers-0-name."""
    address = f"/applications/edit/?id={key}"
    form = form_of(publisher.get(address).text)
    form |= {re.sub(r"^carriers_(\d+)_", r"carriers-\1-", name): text for name, text in changed.items()}
    assert publisher.post(address, data=form).status_code == 302


def outlines(reviewer: Browser) -> list[str]:
    """What the desk says of each resubmission, in its order."""
    page = reviewer.get("/desk/").text
    (part,) = re.findall(r'<h2 id="part-\d+">退回后重新申报.*?</section>', page, re.DOTALL)
    return [facts.split(" · ")[0] for facts in re.findall("<small>(.*?)</small>", part)]


@pytest.mark.slow
def test_a_resubmission_names_the_changed_fields_and_counts_the_changed_carriers(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Over all saves since the last 退回; a value that was restored is no change."""
    publisher, first, second, third = (
        client_as("publisher"),
        *(make_application(status="returned", carriers=3) for _n in range(3)),
    )
    change(publisher, first, title="昆曲《牡丹亭》", phone="025-1", carriers_0_quantity="7")
    change(publisher, first, phone="025-83210000", carriers_0_quantity="8", carriers_2_specification="BD")
    change(publisher, second, **dict.fromkeys(("consignee", "contact", "copyright_owner", "summary"), "新"))
    more = {"contract_number": "HT-2", "catalogue_number": "CN-2", "title": "评弹"}
    change(publisher, second, **more)
    for key in (first, second, third):
        perform_step(app, Action.SUBMIT, key, "publisher")
    found = outlines(client_as("reviewer"))
    assert found[0] == "改动：商品名称、载体 2 行"
    assert (found[1].count("、"), found[1].endswith("、另 1 项")) == (resubmission.MOST_NAMED, True)
    assert found[2] == "没有改动"


@pytest.mark.slow
def test_the_outlines_take_one_statement_for_all_rows(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    reviewer, statements = client_as("reviewer"), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts: list[int] = []
    for _time in range(3):
        perform_step(app, Action.SUBMIT, make_application(status="returned"), "publisher")
        statements.clear()
        assert len(outlines(reviewer)) == len(counts) + 1
        counts.append(len(statements))
    assert counts[1] == counts[2]
