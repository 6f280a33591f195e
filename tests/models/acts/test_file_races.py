"""Files and declarations at once, with real threads and sessions of their own, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import completeness, filing, uploads
from models.acts.completeness import Incomplete
from models.application import Application, trail
from models.application.attachments import Attachment
from models.database import db
from models.files.inspection import INSPECTION
from models.people.accounts import Account
from models.vocabulary import Action, AttachmentKind, Status
from models.workflow import EDITABLE, Refused
from tests.cast import upload
from tests.conftest import ActAs, MakeApplication, MakePdf, StoredRows
from tests.models.acts.at_once import Work, at_once, work_of


@pytest.mark.slow
def test_ten_files_sent_at_once_are_ten_attachments(
    app: Flask,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    stored_rows: StoredRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RC7: and the trail's chain holds; the bound of files that one account has inspected at once is out of the way."""
    key = make_application()
    monkeypatch.setattr(INSPECTION.queue, "most", 10)
    before = len(stored_rows(key)["attachment"])
    outcome = at_once(*[attaching(app, key, make_pdf(f"page {number}")) for number in range(10)])
    assert not [refused for refused in outcome if isinstance(refused, Refused)]
    assert len(stored_rows(key)["attachment"]) == before + 10
    with app.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []


def attaching(app: Flask, key: int, content: bytes) -> Work:
    """Attaching a file, as a task for a thread."""

    def act(filer: Account) -> str:
        upload(app, db.session.get_one(Application, key), AttachmentKind.OTHER, content, filer)
        return "attach"

    return work_of(app, "publisher", act)


def detaching(app: Flask, key: int, file: int) -> Work:
    """Removing that file, as a task for a thread."""

    def act(filer: Account) -> str:
        uploads.detach(db.session(), db.session.get_one(Application, key), file, filer)
        return "detach"

    return work_of(app, "publisher", act)


def test_a_submission_and_the_removal_of_a_required_file_exclude_each_other(
    app: Flask, make_application: MakeApplication, prepare_act: Callable[..., Work], stored_rows: StoredRows
) -> None:
    """ST4: either the application is submitted with the file, or the file is removed and it is not submitted."""
    key = make_application()
    file = stored_rows(key)["attachment"][0]["id"]
    outcome = at_once(prepare_act("submit", key, "publisher"), detaching(app, key, file))
    done = [str(result) for result in outcome if not isinstance(result, Refused)]
    record = stored_rows(key)
    assert len(done) == 1
    assert (record["application"][0]["status"] is Status.PENDING) == (record["attachment"][0]["removed_at"] is None)
    assert record["trail_entry"][-1]["act"] == done[0]


def test_a_submission_checks_the_current_files(
    app: Flask, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """ST4: the session had loaded the file that another tab has just removed."""
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        seen = list(application.attachments)
        assert completeness.lacking(application) == {}
        detaching(app, key, seen[0].id)()
        with pytest.raises(Incomplete) as lacking:
            filing.perform(db.session(), Action.SUBMIT, application, filer)
        assert list(lacking.value.missing) == ["file-application_form"]


def test_a_file_removed_in_another_tab_is_not_removed_again(
    app: Flask, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        seen = list(application.attachments)
        detaching(app, key, seen[0].id)()
        with pytest.raises(Refused, match="该附件已不存在"):
            uploads.detach(db.session(), application, seen[0].id, filer)
        db.session.rollback()
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]].count("detach") == 1


def test_parallel_removals_remove_a_file_once(
    app: Flask, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    file = stored_rows(key)["attachment"][0]["id"]
    outcome = at_once(*[detaching(app, key, file)] * 6)
    assert outcome.count("detach") == 1
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]].count("detach") == 1


def test_a_submitted_application_accepts_no_file(
    app: Flask,
    make_application: MakeApplication,
    prepare_act: Callable[..., Work],
    make_pdf: Any,
    stored_rows: StoredRows,
) -> None:
    key = make_application()
    at_once(attaching(app, key, make_pdf("late")), prepare_act("submit", key, "publisher"))
    acts = [entry["act"] for entry in stored_rows(key)["trail_entry"]]
    assert acts[-1] == "submit"
    with app.app_context(), access.everything() as session:
        late = session.scalars(select(Attachment).filter_by(kind=AttachmentKind.OTHER)).all()
        assert len(late) == acts.count("attach") - 4
        assert session.get_one(Application, key).status not in EDITABLE
