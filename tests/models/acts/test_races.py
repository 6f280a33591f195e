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
from tests.conftest import Acting, Making, Recording
from tests.models.acts.at_once import at_once

Work = Callable[[], object]
Door = Callable[..., int]


@pytest.mark.parametrize("people", [2, 20])
def test_many_grants_of_one_application_make_one_certificate(
    make_application: Making, performing: Callable[..., Work], on_record: Recording, people: int
) -> None:
    """RC1: one number, one outbox row, one entry; all others are told who was first, or that it is 已备案."""
    key = make_application(status="pending")
    outcome = at_once(*[performing("grant", key, "reviewer")] * people)
    refused = [str(result) for result in outcome if isinstance(result, Refused)]
    assert outcome.count("grant") == 1
    assert len(refused) == people - 1
    assert all("「已备案」" in sentence for sentence in refused)
    kept = on_record(key)
    assert len(kept["certificate"]) == 1
    assert len(kept["customs_message"]) == 1
    assert [entry["act"] for entry in kept["trail_entry"]].count("grant") == 1


def test_opposite_decisions_at_once_leave_one_decision(
    make_application: Making, performing: Callable[..., Work], on_record: Recording
) -> None:
    """AD5: whoever comes second changes nothing."""
    key = make_application(status="pending")
    acts = ["grant", "refuse", "return", "decline"]
    outcome = at_once(*[performing(act, key, "reviewer") for act in acts])
    [done] = [result for result in outcome if not isinstance(result, Refused)]
    kept = on_record(key)
    status = {"grant": "filed", "refuse": "refused", "return": "returned", "decline": "not_accepted"}[str(done)]
    assert kept["application"][0]["status"] == status
    assert len(kept["certificate"]) == len(kept["customs_message"]) == (done == "grant")
    assert [entry["act"] for entry in kept["trail_entry"]][-2:] == ["submit", done]


def test_an_edit_and_a_declaration_at_once_never_mix(
    app: Flask, make_application: Making, performing: Callable[..., Work], on_record: Recording
) -> None:
    """What was declared, granted and certified is what is on record, whoever was first."""
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

    outcome = at_once(edit, performing("submit", key, "publisher"))
    done = {str(result) for result in outcome if not isinstance(result, Refused)}
    assert done
    if "submit" not in done:
        performing("submit", key, "publisher")()
    performing("grant", key, "reviewer")()
    acts = [entry["act"] for entry in on_record(key)["trail_entry"]]
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        assert application.certificate is not None
        assert application.certificate.snapshot == frozen(application)
        assert (
            (application.title == "赶在申报前的标题") == (len(application.carriers) == 2) == (acts.count("edit") == 2)
        )


def test_a_form_opened_before_the_grant_cannot_be_saved_after_it(
    app: Flask, make_application: Making, acting: Acting, performing: Callable[..., Work], on_record: Recording
) -> None:
    """AD5: the session still holds 暂存; the database says 已备案."""
    key = make_application()

    def save_too_late(filer: Account, application: Application) -> None:
        with drafts.revising(db.session(), application, application.version, filer):
            application.title = "已经太迟的标题"
            performing("submit", key, "publisher")()
            performing("grant", key, "reviewer")()

    with acting("publisher") as filer:
        with pytest.raises(locking.Conflict, match="陈静已于"):
            save_too_late(filer, db.session.get_one(Application, key))
        db.session.commit()
    kept = on_record(key)
    assert kept["application"][0]["title"] == "黑胶唱片《茉莉花》"
    assert kept["trail_entry"][-1]["act"] == "grant"


@pytest.mark.slow
def test_of_a_first_look_and_a_withdrawal_at_once_one_goes_first(
    app: Flask, make_application: Making, performing: Callable[..., Work], on_record: Recording
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
        told, _looked = at_once(performing("withdraw", key, "publisher"), look(key))
        (row,) = on_record(key)["application"]
        taken = isinstance(told, Refused)
        assert (row["status"], bool(row["opened_at"])) == (("pending", True) if taken else ("draft", False))


@pytest.mark.slow
def test_of_an_autosave_and_a_submission_at_once_nothing_typed_is_left_behind(
    app: Flask, make_application: Making, performing: Callable[..., Work], on_record: Recording
) -> None:
    """Either the text is kept, and 申报 waits for it to be saved; or the application is submitted, and says so."""

    def autosave(key: int) -> Work:
        def work() -> None:
            with app.app_context():
                account = account_of("publisher")
                access.enter(account)
                application = db.session.get_one(Application, key)
                version = application.version
                typed_form.keep(db.session(), application, account, version, "page", 0, {"title": "新名称"})
                db.session.commit()

        return work

    for _time in range(8):
        key = make_application()
        submitted, kept = at_once(performing("submit", key, "publisher"), autosave(key))
        (row,) = on_record(key)["application"]
        assert (row["status"] == "pending") == isinstance(kept, Refused)
        assert isinstance(submitted, Refused) != isinstance(kept, Refused)


@pytest.mark.slow
def test_of_two_who_take_or_decide_a_case_at_once_one_goes_first(
    make_application: Making,
    performing: Callable[..., Work],
    on_record: Recording,
    colleague: Callable[..., None],
) -> None:
    """接办 twice: one has it. 接办 beside a decision: either the case is decided, or its holder alone decides."""
    colleague("second", like="reviewer")
    for other in ("take", "return") * 4:
        key = make_application(status="pending")
        taken, told = at_once(performing("take", key, "reviewer"), performing(other, key, "second"))
        assert isinstance(taken, Refused) != isinstance(told, Refused)
        kept = on_record(key)
        assert (kept["application"][0]["status"] == "pending") == (told != "return")
        assert len(kept["case_lease"]) == (told != "return")
