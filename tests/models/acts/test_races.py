"""Many at once, with real threads and sessions of their own, on both databases."""

from collections.abc import Callable

import pytest
from flask import Flask

from models import access
from models.acts import drafts, withdrawal
from models.application import Application, locking, typed_form
from models.application.carriers import Carrier
from models.certificate import frozen
from models.database import db
from models.people.accounts import Account
from models.workflow import Refused
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.models.acts.at_once import Work, at_once


@pytest.mark.parametrize("people", [2, 20])
def test_many_grants_of_one_application_make_one_certificate(
    make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows, people: int
) -> None:
    """RC1: one number, one outbox row, one entry; the others get a message with the winner, or that it is 已备案."""
    key = make_application(status="pending")
    outcome = at_once(*[prepare_act("grant", key, "reviewer")] * people)
    refused = [str(result) for result in outcome if isinstance(result, Refused)]
    assert outcome.count("grant") == 1
    assert len(refused) == people - 1
    assert all("「已备案」" in sentence for sentence in refused)
    record = stored_rows(key)
    assert len(record["certificate"]) == 1
    assert len(record["customs_message"]) == 1
    assert [entry["act"] for entry in record["trail_entry"]].count("grant") == 1


def test_opposite_parallel_decisions_leave_one_decision(
    make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows
) -> None:
    """AD5: the second save changes nothing."""
    key = make_application(status="pending")
    acts = ["grant", "refuse", "return", "decline"]
    outcome = at_once(*[prepare_act(act, key, "reviewer") for act in acts])
    [done] = [result for result in outcome if not isinstance(result, Refused)]
    record = stored_rows(key)
    status = {"grant": "filed", "refuse": "refused", "return": "returned", "decline": "not_accepted"}[str(done)]
    assert record["application"][0]["status"] == status
    assert len(record["certificate"]) == len(record["customs_message"]) == (done == "grant")
    assert [entry["act"] for entry in record["trail_entry"]][-2:] == ["submit", done]


def test_a_parallel_edit_and_submission_never_mix(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows
) -> None:
    """The submitted, granted and certified text is the stored one, in either order."""
    key = make_application()

    def edit() -> str:
        with app.app_context():
            filer = account_of("publisher")
            access.enter(filer)
            application = db.session.get_one(Application, key)
            with drafts.revising(db.session(), application, application.version, filer):
                application.title = "赶在申报前的标题"
                application.carriers.append(Carrier(specification="CD", quantity=1, unit="010"))
            db.session.commit()
            return "edit"

    outcome = at_once(edit, prepare_act("submit", key, "publisher"))
    done = {str(result) for result in outcome if not isinstance(result, Refused)}
    assert done
    if "submit" not in done:
        prepare_act("submit", key, "publisher")()
    prepare_act("grant", key, "reviewer")()
    acts = [entry["act"] for entry in stored_rows(key)["trail_entry"]]
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        assert application.certificate is not None
        assert application.certificate.snapshot == frozen(application)
        assert (
            (application.title == "赶在申报前的标题") == (len(application.carriers) == 2) == (acts.count("edit") == 2)
        )


def test_a_form_opened_before_the_grant_cannot_be_saved_after_it(
    app: Flask,
    make_application: MakeApplication,
    act_as: ActAs,
    prepare_act: Callable[..., Work],
    stored_rows: StoredRows,
) -> None:
    """AD5: the session still holds 暂存; the database says 已备案."""
    key = make_application()

    def save_too_late(filer: Account, application: Application) -> None:
        with drafts.revising(db.session(), application, application.version, filer):
            application.title = "已经太迟的标题"
            prepare_act("submit", key, "publisher")()
            prepare_act("grant", key, "reviewer")()

    with act_as("publisher") as filer:
        with pytest.raises(locking.Conflict, match="陈静已于"):
            save_too_late(filer, db.session.get_one(Application, key))
        db.session.commit()
    record = stored_rows(key)
    assert record["application"][0]["title"] == "黑胶唱片《茉莉花》"
    assert record["trail_entry"][-1]["act"] == "grant"


@pytest.mark.slow
def test_a_parallel_opening_and_withdrawal_are_ordered(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows
) -> None:
    """Either the province has it, and the applicant reads so; or it is a draft, and the province never saw it."""

    def look(key: int) -> Work:
        def work() -> None:
            with app.app_context():
                access.enter(account_of("reviewer"))
                if waiting := db.session.get(Application, key):  # else it is a draft already
                    withdrawal.note_opening(db.session(), waiting)
                    db.session.commit()

        return work

    for _time in range(8):
        key = make_application(status="pending")
        withdrawn, _looked = at_once(prepare_act("withdraw", key, "publisher"), look(key))
        (row,) = stored_rows(key)["application"]
        opened = isinstance(withdrawn, Refused)
        assert (row["status"], bool(row["opened_at"])) == (("pending", True) if opened else ("draft", False))


@pytest.mark.slow
def test_a_parallel_autosave_and_submission_lose_no_typed_text(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows
) -> None:
    """Either the text is saved and 申报 waits for it; or the application is submitted and the message says so."""

    def autosave(key: int) -> Work:
        def work() -> None:
            with app.app_context():
                account = account_of("publisher")
                access.enter(account)
                application = db.session.get_one(Application, key)
                version = application.version
                typed_form.save(db.session(), application, account, version, "page", 0, {"title": "新名称"})
                db.session.commit()

        return work

    for _time in range(8):
        key = make_application()
        submitted, autosaved = at_once(prepare_act("submit", key, "publisher"), autosave(key))
        (row,) = stored_rows(key)["application"]
        assert (row["status"] == "pending") == isinstance(autosaved, Refused)
        assert isinstance(submitted, Refused) != isinstance(autosaved, Refused)


@pytest.mark.slow
def test_one_of_two_parallel_claims_or_decisions_wins(
    make_application: MakeApplication,
    prepare_act: Callable[..., Work],
    stored_rows: StoredRows,
    add_colleague: Callable[..., None],
) -> None:
    """接办 twice: one succeeds. 接办 beside a decision: either the case is decided, or only its holder may decide."""
    add_colleague("second", like="reviewer")
    for other in ("take", "return") * 4:
        key = make_application(status="pending")
        claimed, other_result = at_once(prepare_act("take", key, "reviewer"), prepare_act(other, key, "second"))
        assert isinstance(claimed, Refused) != isinstance(other_result, Refused)
        record = stored_rows(key)
        assert (record["application"][0]["status"] == "pending") == (other_result != "return")
        assert len(record["case_lease"]) == (other_result != "return")
