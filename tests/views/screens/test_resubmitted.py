"""工作台 of a province: what was changed since 退回, in a few words, beside each resubmission."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from models import access
from models.acts import uploads
from models.application import Application, resubmission, trail
from models.application.attachments import Attachment
from models.database import db
from models.vocabulary import Action, AttachmentKind
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step, small_pdf, upload
from tests.conftest import ActAs, MakeApplication
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


def outline(app: Flask, key: int) -> str:
    """What was changed in this application since 退回."""
    with app.app_context(), access.everything() as session:
        return resubmission.outlines(session, [key])[key]


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
def test_thousands_of_changed_carriers_are_named_but_not_read(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each save may hold all of them, twice: past MOST_READ characters the other fields are read alone."""
    monkeypatch.setattr(resubmission, "MOST_OF_ENTRY", 1000)
    publisher, key = client_as("publisher"), make_application(status="returned", carriers=3)
    change(publisher, key, title='昆曲"carriers": ', carriers_0_quantity="7")
    assert outline(app, key) == "改动：商品名称、载体 1 行"
    all_carriers = {f"carriers_{n}_specification": "BD" * 20 for n in range(3)}
    change(publisher, key, title='评弹"carriers": ', phone="025-1", **all_carriers)
    change(publisher, key, contract_number="HT-2")
    assert outline(app, key) == "改动：商品名称、加工合同号、联系电话、载体信息"
    with app.app_context(), access.everything() as session:
        read = session.execute(resubmission._changes_since_return([key])).all()
    assert [len(changes) == 1000 for _key, changes in read] == [False, True, False]
    monkeypatch.setattr(resubmission, "MOST_READ", 1100)
    assert outline(app, key) == "改动较多，请查看详情"
    with app.app_context(), access.everything() as session:
        assert len(session.execute(resubmission._changes_since_return([key])).all()) == 2


def test_carriers_without_ids_are_named_but_not_counted(make_application: MakeApplication, act_as: ActAs) -> None:
    """Entries before 2026-11-25 hold every row, without ids: which of them differ is not known."""
    key, row = make_application(status="returned"), {"position": 1, "specification": "CD", "unit": "010"}
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)

        def record(**changes: Any) -> str:
            trail.record(db.session(), application, Action.EDIT, filer, application.status, changes=changes)
            return resubmission.outlines(db.session(), [key])[key]

        assert record(carriers=[[row], [row | {"quantity": "7"}]]) == "改动：载体信息"
        assert record(title=["茉莉花", "牡丹亭"]) == "改动：商品名称、载体信息"
        with_id = [[row | {"id": 1}], [row | {"id": 1, "quantity": "8"}]]
        assert record(title=["牡丹亭", "茉莉花"], carriers=with_id, carrier_count=[1, 1]) == "改动：载体信息"


@pytest.mark.slow
def test_a_file_that_was_added_and_removed_again_is_no_change(
    app: Flask, make_application: MakeApplication, act_as: ActAs
) -> None:
    """But one that takes the place of another of the same name is: the trail names files, and does not number them."""
    key, kind, content = make_application(status="returned"), AttachmentKind.CONTRACT, small_pdf("新")
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        first = db.session.scalars(select(Attachment).filter_by(application_id=key, kind=kind)).one()
        added = upload(app, application, kind, content, filer, "新合同.pdf")
        assert resubmission.outlines(db.session(), [key]) == {key: "改动：境外加工合同"}
        uploads.detach(db.session(), application, added.id, filer)
        assert resubmission.outlines(db.session(), [key]) == {key: "没有改动"}
        upload(app, application, kind, content, filer, first.name)
        uploads.detach(db.session(), application, first.id, filer)
        assert resubmission.outlines(db.session(), [key]) == {key: "改动：境外加工合同"}


@pytest.mark.slow
def test_the_outlines_take_as_many_statements_for_many_rows_as_for_one(
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
