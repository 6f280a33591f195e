"""Many at once, with real threads and sessions of their own, on both databases."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.acts import completeness, drafts, filing, uploads, withdrawal
from models.acts.completeness import Incomplete
from models.application import Application, locking, trail, typed_form
from models.application.attachments import Attachment
from models.application.carriers import Carrier
from models.certificate import Certificate, frozen
from models.clock import SHANGHAI
from models.database import db
from models.files.inspection import INSPECTION
from models.numbering import Serial, certificate_number, is_certificate_number
from models.people.accounts import Account
from models.vocabulary import Action, AttachmentKind, Status
from models.workflow import EDITABLE, Refused
from tests.cast import account_of, upload
from tests.conftest import Acting, Making, Recording
from views.resources import office

Work = Callable[[], object]
Door = Callable[..., int]


def at_once(*works: Work) -> list[object]:
    """Runs each in a thread of its own; all have been started when the first is let go. Results, or what was raised."""
    gate = threading.Barrier(len(works))

    def run(work: Work) -> object:
        gate.wait(timeout=30)
        try:
            return work()
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(works)) as threads:
        return [done.result(timeout=90) for done in [threads.submit(run, work) for work in works]]


@pytest.fixture
def performing(app: Flask) -> Callable[..., Work]:
    """`performing("grant", key, "reviewer")`: that act as a piece of work for a thread."""

    def planned(action: str, key: int, by: str, opinion: str = "理由") -> Work:
        def work() -> str:
            with app.app_context():
                account = account_of(by)
                access.enter(account)
                application = db.session.get_one(Application, key)
                filing.perform(db.session(), Action(action), application, account, opinion, office=office())
                db.session.commit()
                return action

        return work

    return planned


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


@pytest.mark.slow
def test_grants_over_provinces_are_numbered_without_gaps_or_doubles(
    app: Flask, make_application: Making, performing: Callable[..., Work], a_press: Callable[..., str]
) -> None:
    """RC2, RC3: twelve at once in three provinces; each number has its form and its check character."""
    presses = {"320000": "publisher", "440000": a_press("440000"), "110000": a_press("110000")}
    desks = {"320000": "reviewer", "440000": "reviewer2", "110000": "desk110000"}
    cases = [(make_application(by=presses[at], status="pending"), desks[at]) for at in presses for _ in range(4)]
    outcome = at_once(*[performing("grant", key, desk) for key, desk in cases])
    assert outcome == ["grant"] * 12
    with app.app_context(), access.everything() as session:
        numbers = session.scalars(select(Certificate.number)).all()
    year = clock.today().year
    for province in presses:
        own = sorted(number for number in numbers if number.startswith(f"Z{province[:2]}{year}"))
        assert [number[7:13] for number in own] == ["000001", "000002", "000003", "000004"]
    assert all(is_certificate_number(number) for number in numbers)


def test_a_grant_that_fails_gives_its_number_to_the_next(
    app: Flask, make_application: Making, acting: Acting, performing: Callable[..., Work]
) -> None:
    """Design 2.9: without gaps; the number goes back with the act that took it."""
    first, second = make_application(status="pending"), make_application(status="pending")
    with acting("reviewer") as reviewer:
        filing.perform(db.session(), Action.GRANT, db.session.get_one(Application, first), reviewer, office=office())
        db.session.rollback()
    assert performing("grant", second, "reviewer")() == "grant"
    with app.app_context(), access.everything() as session:
        [number] = session.scalars(select(Certificate.number))
        assert number[7:13] == "000001"


def test_drafts_begun_at_once_have_numbers_of_their_own(app: Flask) -> None:
    def begin() -> str:
        with app.app_context():
            filer = account_of("publisher")
            access.enter(filer)
            number = drafts.start(db.session(), filer).number
            db.session.commit()
            return number

    numbers = [str(number) for number in at_once(*[begin] * 10)]
    assert sorted(numbers) == [f"SQ{clock.today().year}{n:08d}" for n in range(1, 11)]


def test_no_part_of_a_number_s_key_may_be_empty() -> None:
    """RC3: a unique constraint with an empty part holds nothing."""
    assert not any(column.nullable for column in Serial.__table__.primary_key.columns)
    assert not Certificate.__table__.c.number.nullable
    assert not Application.__table__.c.number.nullable


@pytest.mark.slow
def test_ten_files_sent_at_once_are_ten_attachments(
    app: Flask,
    make_application: Making,
    a_pdf: Callable[[str], bytes],
    on_record: Recording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RC7: and the trail's chain holds; the bound of files that one account has inspected at once is out of the way."""
    key = make_application()
    monkeypatch.setattr(INSPECTION.queue, "most", 10)
    before = len(on_record(key)["attachment"])

    def send(number: int) -> Work:
        def work() -> int:
            with app.app_context():
                filer = account_of("publisher")
                access.enter(filer)
                application = db.session.get_one(Application, key)
                file = upload(app, application, AttachmentKind.OTHER, a_pdf(f"page {number}"), filer)
                db.session.commit()
                return file.id

        return work

    outcome = at_once(*[send(number) for number in range(10)])
    assert not [refused for refused in outcome if isinstance(refused, Refused)]
    assert len(on_record(key)["attachment"]) == before + 10
    with app.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []


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


def detaching(app: Flask, key: int, file: int) -> Work:
    """That file being taken out, as a piece of work for a thread."""

    def work() -> str:
        with app.app_context():
            filer = account_of("publisher")
            access.enter(filer)
            uploads.detach(db.session(), db.session.get_one(Application, key), file, filer)
            db.session.commit()
            return "detach"

    return work


def test_a_declaration_and_the_removal_of_a_starred_file_exclude_each_other(
    app: Flask, make_application: Making, performing: Callable[..., Work], on_record: Recording
) -> None:
    """ST4: either it was declared complete, and the file stays, or the file is gone, and it was not declared."""
    key = make_application()
    file = on_record(key)["attachment"][0]["id"]
    outcome = at_once(performing("submit", key, "publisher"), detaching(app, key, file))
    done = [str(result) for result in outcome if not isinstance(result, Refused)]
    kept = on_record(key)
    assert len(done) == 1
    assert (kept["application"][0]["status"] is Status.PENDING) == (kept["attachment"][0]["removed_at"] is None)
    assert kept["trail_entry"][-1]["act"] == done[0]


def test_a_declaration_looks_at_the_files_as_they_now_are(
    app: Flask, make_application: Making, acting: Acting, on_record: Recording
) -> None:
    """ST4: the session had already seen the file that another tab has just taken out."""
    key = make_application()
    with acting("publisher") as filer:
        application = db.session.get_one(Application, key)
        seen = list(application.attachments)
        assert completeness.lacking(application) == {}
        detaching(app, key, seen[0].id)()
        with pytest.raises(Incomplete) as lacking:
            filing.perform(db.session(), Action.SUBMIT, application, filer)
        assert list(lacking.value.missing) == ["file-application_form"]


def test_a_file_that_another_tab_has_taken_out_is_not_taken_out_again(
    app: Flask, make_application: Making, acting: Acting, on_record: Recording
) -> None:
    key = make_application()
    with acting("publisher") as filer:
        application = db.session.get_one(Application, key)
        seen = list(application.attachments)
        detaching(app, key, seen[0].id)()
        with pytest.raises(Refused, match="该附件已不存在"):
            uploads.detach(db.session(), application, seen[0].id, filer)
        db.session.rollback()
    assert [entry["act"] for entry in on_record(key)["trail_entry"]].count("detach") == 1


def test_a_file_is_taken_out_once(app: Flask, make_application: Making, on_record: Recording) -> None:
    key = make_application()
    file = on_record(key)["attachment"][0]["id"]
    outcome = at_once(*[detaching(app, key, file)] * 6)
    assert outcome.count("detach") == 1
    assert [entry["act"] for entry in on_record(key)["trail_entry"]].count("detach") == 1


def test_no_file_slips_into_what_has_been_declared(
    app: Flask, make_application: Making, performing: Callable[..., Work], a_pdf: Any, on_record: Recording
) -> None:
    key = make_application()

    def send() -> str:
        with app.app_context():
            filer = account_of("publisher")
            access.enter(filer)
            upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, a_pdf("late"), filer)
            db.session.commit()
            return "attach"

    at_once(send, performing("submit", key, "publisher"))
    acts = [entry["act"] for entry in on_record(key)["trail_entry"]]
    assert acts[-1] == "submit"
    with app.app_context(), access.everything() as session:
        late = session.scalars(select(Attachment).filter_by(kind=AttachmentKind.OTHER)).all()
        assert len(late) == acts.count("attach") - 4
        assert session.get_one(Application, key).status not in EDITABLE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "year"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=SHANGHAI), 2026),
        (datetime(2027, 1, 1, 0, 0, 0, tzinfo=SHANGHAI), 2027),
        (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 16, 0, 0, tzinfo=UTC), 2027),
    ],
)
def test_the_year_of_a_number_is_beijing_s(
    app: Flask, make_application: Making, monkeypatch: pytest.MonkeyPatch, moment: datetime, year: int
) -> None:
    """RC4, DL4: the process stays up over new year; midnight is Asia/Shanghai's."""
    first = make_application(status="filed")
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(SHANGHAI))
    second = make_application(status="filed")
    with app.app_context(), access.everything() as session:
        before, after = session.get_one(Application, first), session.get_one(Application, second)
        assert before.certificate is not None
        assert after.certificate is not None
        assert after.number.startswith(f"SQ{year}")
        assert after.certificate.number.startswith(f"Z32{year}")
        assert after.certificate.issued_on.year == year
        assert after.certificate.issued_on == after.applied_on
        fresh_year = before.certificate.issued_on.year != year
        assert after.certificate.number[7:13] == ("000001" if fresh_year else "000002")


def test_two_sessions_take_numbers_in_turn(app: Flask) -> None:
    """RC3: the second waits for the first, and then takes the next."""

    def take() -> str:
        with app.app_context(), access.everything() as session:
            number = certificate_number(session, "320000", clock.today())
            session.commit()
            return number

    assert len(set(at_once(*[take] * 8))) == 8


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
