"""Hidden columns cannot be sent, decided applications cannot be changed, and an old page overwrites nothing."""

import io
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from werkzeug.routing import Rule

from models.application import Application
from models.application.carriers import Carrier
from models.database import db
from models.people.accounts import Account, Organisation
from models.vocabulary import Status
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import ActAs, MakeApplication, MakePdf, StoredRows
from tests.views.entrance.route_roles import ACTS, PEOPLE, acts_of, address
from tests.views.ledger import ledger
from tests.views.pages import form_of
from tests.views.screens.acts_done import SCREENS

# One for each column that might be aimed at; what is not named here gets a word or a number.
FORGED = {
    "status": "filed", "applicant_id": "2", "owner_id": "2", "issued": "1", "number": "SQ202600099999",
    "desk": "440000", "filing": "entrusted", "province": "440000", "authority": "广东省新闻出版局",
    "application_id": "2", "position": "9", "unread": "7", "page_key": "7",
    "created_at": "2020-01-01 00:00:00", "changed_at": "2020-01-01 00:00:00", "applied_on": "2020-01-01",
    "submitted_at": "2020-01-01 00:00:00", "deleted_at": "2020-01-01 00:00:00",
}  # fmt: skip
# Differ by right between two rows.
MOVING = {"id", "version", "number", "created_at", "changed_at", "title", "title_key"}


def hidden(form: dict[str, str]) -> tuple[set[str], set[str]]:
    """The columns of an application, and of a carrier, that its form does not show."""
    shown = {name.rpartition("-")[2] for name in form if name.startswith("carriers-")}
    return set(Application.__table__.columns.keys()) - set(form), set(Carrier.__table__.columns.keys()) - shown


def forged(form: dict[str, str]) -> dict[str, str]:
    """A forged value for every one of them, under the names that a form of Flask-Admin would give."""
    columns, carrier_columns = hidden(form)
    assert {"status", "applicant_id", "owner_id", "deleted_at", "applied_on"} <= columns
    assert carrier_columns == {"application_id", "position", "unread", "page_key"}
    values = {name: FORGED.get(name, "7") for name in columns}
    values |= {f"carriers-0-{name}": FORGED[name] for name in carrier_columns}
    values |= {
        "carriers-0-application": "2",
        "applicant": "2",
        "publisher": "2",
        "certificate": "1",
        "attachments": "2",
    }
    return values | {"trail-0-act": "grant", "certificate-0-number": "Z", "attachments-0-name": "x", "moving": "1"}


@pytest.mark.slow
def test_no_column_that_the_form_hides_can_be_sent_to_an_edit(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD3, AD6: `disabled` is only HTML; the form is a list of what may be written."""
    make_application(by="publisher2")
    key, browser = make_application(), client_as("publisher")
    before = stored_rows(key)
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    assert browser.post(f"/applications/edit/?id={key}", data=form | forged(form)).status_code == 302
    after = stored_rows(key)
    counted = {"version", "changed_at", "page_key"}
    changed = {name for name, value in before["application"][0].items() if after["application"][0][name] != value}
    assert changed == counted
    assert {name: rows for name, rows in after.items() if name != "application"} == {
        name: rows for name, rows in before.items() if name != "application"
    }


@pytest.mark.slow
def test_no_column_that_the_form_hides_can_be_sent_with_a_blank_form(
    client_as: ClientAs, stored_rows: StoredRows
) -> None:
    """AD3: a draft made by a forged form equals one made by the real form."""
    browser, born = client_as("publisher"), []
    blank = form_of(browser.get("/applications/new/").text) | {"carriers-0-specification": "CD"}
    blank |= {"carriers-0-quantity": "1", "carriers-0-unit": "盘", "carriers-0-id": ""}
    names = {column.key for column in Carrier.__table__.columns} - set(FORGED)
    shown = blank | {f"carriers-0-{name}": "" for name in names}
    for form in (blank, forged(shown) | blank):
        answer = browser.post("/applications/new/", data=form)
        born.append(stored_rows(int(answer.location.rpartition("=")[2])))
    honest, evil = born
    for name, value in honest["application"][0].items():
        assert name in MOVING or evil["application"][0][name] == value, name
    (carrier,) = evil["carrier"]
    assert (carrier["application_id"], carrier["position"]) == (evil["application"][0]["id"], 1)
    assert evil["application"][0]["number"] != FORGED["number"]


@pytest.mark.slow
@pytest.mark.parametrize("status", ["draft", "returned"])
def test_a_status_cannot_be_sent(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, status: str
) -> None:
    """AD6: from the statuses that have a form, to every status, by value, by label and by name."""
    key, browser = make_application(status=status), client_as("publisher")
    for wanted in Status:
        form = form_of(browser.get(f"/applications/edit/?id={key}").text)
        form |= {"status": wanted.value, "after": wanted.value, "数据状态": str(wanted.label), "_status": wanted.name}
        assert browser.post(f"/applications/edit/?id={key}", data=form).status_code == 302
        assert stored_rows(key)["application"][0]["status"] == status


@pytest.mark.slow
def test_a_post_without_the_csrf_token_changes_nothing(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, routes: list[Rule]
) -> None:
    """AD4: every POST route, by every role, without a token: 400, and nothing has changed."""
    key = make_application(status="pending")
    before = ledger(app)
    for username in PEOPLE.values():
        browser = client_as(username)
        for rule in routes:
            if "POST" in (rule.methods or ()):
                answer = browser.post(address(rule, key), data={"id": key, "opinion": "理由"}, csrf=False)
                # Other servers have no CSRF token, but sign what they send; here there is no portal, and no witness.
                expected = 404 if rule.endpoint in ("portal_logout", "witness") else 400
                assert answer.status_code == expected, (username, rule.rule)
    assert ledger(app) == before


@pytest.mark.slow
def test_other_methods_get_405(client_as: ClientAs, routes: list[Rule]) -> None:
    """AD4: acts accept POST only; every other method gets 405."""
    browser = client_as("publisher")
    for rule in routes:
        allowed = {method for other in routes if other.rule == rule.rule for method in other.methods or ()}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            if rule.endpoint not in ("static", "admin.static"):
                assert browser.open(address(rule, 1), method=method).status_code == 405, (method, rule.rule)


@pytest.mark.slow
def test_get_requests_change_nothing(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, routes: list[Rule]
) -> None:
    """AD4, CU15: after every GET route, by every role, all tables are unchanged, but opened messages are read."""
    key = make_application(status="filed")
    file = stored_rows(key)["attachment"][0]["id"]
    before = ledger(app)
    left_out = {"picture", "sound", "messages.details_view", "messages.announcement"}
    for username in (*PEOPLE.values(), None):
        browser = client_as(username)
        for rule in routes:
            if "GET" in (rule.methods or ()) and rule.endpoint not in left_out:
                browser.get(address(rule, file if rule.endpoint.endswith("attachment") else key))
    assert ledger(app) == before


@pytest.mark.slow
def test_no_screen_changes_an_issued_certificate(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    make_pdf: MakePdf,
    routes: list[Rule],
) -> None:
    """AD8: certificate, files, trail and outbox: no role has a view that changes them; they are only added to."""
    key = make_application(status="customs_failed")
    make_papers(app)
    before = stored_rows(key)
    file = before["attachment"][0]["id"]
    for username in PEOPLE.values():
        browser = client_as(username)
        for rule in routes:
            if "POST" not in (rule.methods or ()) or rule.endpoint in ("logout", "login"):
                continue
            for action in [action for action in ACTS if action in acts_of(rule)] or [""]:
                body: dict[str, Any] = {"id": key, "attachment": file, "replaces": file, "opinion": "理由"}
                body |= {"number": "Z", "content": "{}", "name": "x", "kind": "other", "version": "4"}
                body |= {"file": (io.BytesIO(make_pdf("x")), "a.pdf")} if "upload" in rule.endpoint else {}
                browser.post(address(rule, key, action=action), data=body)
    after = stored_rows(key)
    for table in ("certificate", "attachment", "carrier"):
        assert after[table] == before[table]
    for table in ("trail_entry", "customs_message"):
        assert after[table][: len(before[table])] == before[table]
    added = [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]]
    assert added == ["resend", "print", "revoke"]  # the attack got as far as it may


def test_rows_referenced_by_an_application_cannot_be_deleted(
    app: Flask, make_application: MakeApplication, routes: list[Rule]
) -> None:
    """AD9: every reference is RESTRICT, on both databases; and there is no route that erases."""
    make_application(status="filed")
    references = [key for table in db.metadata.sorted_tables for key in table.foreign_keys]
    assert {key.ondelete for key in references} == {"RESTRICT"}
    with app.app_context():
        for model in (Organisation, Account, Application):
            used = select(model.id).order_by(model.id).limit(1).scalar_subquery()
            with pytest.raises(DBAPIError), engine_of_owner(app).begin() as connection:
                connection.execute(delete(model.__table__).where(model.__table__.c.id == used))
    erasing = {
        rule.endpoint for rule in routes if rule.endpoint.endswith(("delete_view", "action_view", "ajax_update"))
    }
    assert erasing == set()


EVIL = "'\"><u>&="
TEXTS = (
    "title", "catalogue_number", "isbn", "isrc", "summary", "copyright_owner", "manufacturer", "sid_code",
    "contract_number", "consignee", "hs_code", "trade_mode", "contact", "phone",
)  # fmt: skip


@pytest.mark.slow
def test_user_text_is_escaped_on_every_screen(
    client_as: ClientAs, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, make_pdf: MakePdf
) -> None:
    """AC6: every text field, file name, opinion and name of a person or unit, through every screen of every role."""
    key = make_application(**dict.fromkeys(TEXTS, EVIL))
    with act_as("operator"):
        for row in (*db.session.scalars(select(Organisation)), *db.session.scalars(select(Account))):
            row.name = EVIL
        db.session.commit()
    publisher = client_as("publisher")
    form = form_of(publisher.get(f"/applications/edit/?id={key}").text)
    form |= {f"carriers-0-{name}": EVIL for name in ("specification", "name", "catalogue_number", "note")}
    form["hs_code"] = "8523499030"
    assert publisher.post(f"/applications/edit/?id={key}", data=form).status_code == 302
    file = {"id": key, "kind": "other", "file": (io.BytesIO(make_pdf("x")), EVIL.replace('"', "") + ".pdf")}
    assert publisher.post("/applications/upload/", data=file).status_code == 200
    pages = [publisher.get(f"/applications/{place}").text for place in (f"edit/?id={key}", "new/", f"?title={EVIL}")]
    for act, opinion in (("submit", ""), ("grant", EVIL)):
        browser, screen = (publisher, "applications") if act == "submit" else (client_as("reviewer"), "review")
        browser.post(f"/{screen}/{act}/", data={"id": key, "opinion": opinion})
    for role, screens in SCREENS.items():
        for screen in screens:
            pages += [client_as(role).get(f"/{screen}/{place}").text for place in ("", f"details/?id={key}")]
    operator = client_as("operator")
    for place in ("accounts/", "organisations/", "entrustments/", "accounts/edit/?id=1", "entrustments/edit/?id=1"):
        pages.append(operator.get(f"/{place}").text)
    for page in pages:
        assert "<u>" not in page
        assert str(escape(EVIL)) in page
    assert stored_rows(key)["carrier"][0]["note"] == EVIL
