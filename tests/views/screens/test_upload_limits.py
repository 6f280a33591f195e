"""How many files there may be, of a kind and in all."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from models.application import Application
from models.application.attachments import Store
from models.database import db
from models.files.inspection import INSPECTION
from models.vocabulary import AttachmentKind
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication, MakePdf
from tests.views.screens.uploaded import upload


@pytest.mark.slow
def test_the_number_of_files_is_limited_per_kind_and_in_total(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, act_as: ActAs
) -> None:
    """25: formerly 300 were accepted. The page shows the limit, the refusal names it; a replacement frees a place."""
    key, browser = make_application(), client_as("publisher")
    with act_as("publisher"):
        there = len(db.session.get_one(Application, key).current_attachments)
    app.config.update(ATTACHMENTS_PER_KIND=2, ATTACHMENTS_IN_ALL=there + 3)
    page = browser.get(f"/applications/edit/?id={key}").text
    assert f"每类最多 2 个，总共最多 {there + 3} 个" in page
    assert [upload(browser, key, make_pdf(str(n)), kind="other").status_code for n in range(3)] == [200, 200, 422]
    answer = upload(browser, key, make_pdf("x"), kind="other")
    assert answer.json["message"].startswith("“其他”最多 2 个文件，请移除不需要的")
    assert upload(browser, key, make_pdf("y"), kind="copyright").status_code == 200
    answer = upload(browser, key, make_pdf("z"), kind="copyright")
    assert answer.json["message"].startswith(f"一份申请最多 {there + 3} 个附件，请移除不需要的")
    with act_as("publisher"):
        files = db.session.get_one(Application, key).current_attachments
        old = next(file.id for file in files if file.kind == "other")
    assert upload(browser, key, make_pdf("z"), kind="other", replaces=old).status_code == 200
    with act_as("publisher"):
        assert len(db.session.get_one(Application, key).current_attachments) == there + 3


@pytest.mark.slow
def test_removed_files_count_towards_the_upload_limit(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, act_as: ActAs
) -> None:
    """The bytes of removed and replaced files stay, for the trail names them: they must not fill the disk."""
    key, browser = make_application(), client_as("publisher")
    with act_as("publisher"):
        there = len(db.session.get_one(Application, key).attachments)
    app.config["ATTACHMENTS_EVER"] = there + 2
    assert upload(browser, key, make_pdf("0"), kind="other").status_code == 200
    for turn in (1, 2):
        with act_as("publisher"):
            files = db.session.get_one(Application, key).current_attachments
            old = next(file.id for file in files if file.kind == "other")
        answer = upload(browser, key, make_pdf(str(turn)), kind="other", replaces=old)
        assert answer.status_code == (200 if turn == 1 else 422)
    words = f"这份申请前后已上传 {there + 2} 个文件（含已移除的，均须留存），不能再上传，请另建一份申请。"
    assert answer.json["message"] == words
    browser.post("/applications/remove/", data={"id": key, "attachment": old})
    assert upload(browser, key, make_pdf("3"), kind="contract").json["message"] == words
    with act_as("publisher"):
        assert len(db.session.get_one(Application, key).attachments) == there + 2


def test_parallel_uploads_cannot_exceed_the_limit(
    app: Flask,
    make_application: MakeApplication,
    make_pdf: MakePdf,
    client_as: ClientAs,
    act_as: ActAs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of them find room before they are inspected; it is asked again when the row is theirs."""
    key, at_once = make_application(), 4
    app.config["ATTACHMENTS_PER_KIND"] = 1
    monkeypatch.setattr(INSPECTION.queue, "most", at_once)
    together, really = Barrier(at_once), Store.put

    def put(*args: Any) -> Any:
        stored = really(*args)
        together.wait(60)
        return stored

    monkeypatch.setattr(Store, "put", put)
    browsers = [client_as("publisher") for _number in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        sent = [pool.submit(upload, browser, key, make_pdf(str(n)), kind="other") for n, browser in enumerate(browsers)]
        statuses = sorted(answer.result().status_code for answer in sent)
    assert statuses == [200] + [422] * (at_once - 1)
    with act_as("publisher"):
        kinds = [file.kind for file in db.session.get_one(Application, key).current_attachments]
    assert kinds.count(AttachmentKind.OTHER) == 1
