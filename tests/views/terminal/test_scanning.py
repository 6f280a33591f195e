"""`attachments scan`: files uploaded before clamd was set up are scanned afterwards."""

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models import access, clock
from models.acts import reissue
from models.application import Application, scanning
from models.application.attachments import Attachment, key_of
from models.database import db, triggers
from models.integrity import scans
from tests.apps import engine_of_owner
from tests.browsing import Browser, ClientAs
from tests.cast import account_of, small_pdf
from tests.conftest import MakeApplication
from tests.scanner import FOUND, scanner_at
from tests.views.screens.test_condition import condition_lines
from tests.views.screens.uploaded import upload
from tests.views.terminal.commands import run_command
from views import resources


def left(app: Flask) -> tuple[int, int]:
    """(files that are not scanned, files with a virus)."""
    with app.app_context(), access.everything() as session:
        return scanning.count_unscanned(session), scanning.count_infected(session)


def test_existing_files_are_scanned_once_and_every_later_run_reports_a_virus(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """In every status: bytes of a decided application stay unchanged, and are reported as infected."""
    key = make_application(status="filed")
    before = left(app)[0]
    assert before and "未查毒" in client_as("reviewer").get(f"/filings/details/?id={key}").text
    assert run_command(app, "attachments", "scan").output.startswith("没有设置 FILING_CLAMD")
    with scanner_at() as app.config["CLAMD"]:
        assert f"未查毒的附件 {before}" in condition_lines(client_as("operator"))["查毒"][1]
        done = run_command(app, "attachments", "scan")
        assert (done.exit_code, left(app)) == (0, (0, 0)), done.output
        assert done.output == f"查毒没有问题 {scanned_by(app)} 个，查出病毒 0 个，读不到 0 个。\n"
        assert condition_lines(client_as("operator"))["查毒"][:2] == ("正常", "上传时查毒")
        assert "未查毒" not in client_as("reviewer").get(f"/filings/details/?id={key}").text
        again = run_command(app, "attachments", "scan").output
    assert again == "查毒没有问题 0 个，查出病毒 0 个，读不到 0 个。\n"


def scanned_by(app: Flask) -> int:
    """Contents, each of which is scanned once."""
    with app.app_context(), access.everything() as session:
        return session.scalar(select(func.count(Attachment.digest.distinct()))) or 0


def test_a_scan_resumes_after_the_scanner_was_away_and_lists_its_findings(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    key = make_application(status="pending")
    files = left(app)[0]
    app.config["CLAMD"] = "127.0.0.1:1"
    away = run_command(app, "attachments", "scan")
    assert (away.exit_code, left(app)) == (1, (files, 0)) and "从中断处继续" in away.output
    with scanner_at(answer=f"stream: {FOUND} FOUND") as app.config["CLAMD"]:
        for _time in range(2):  # what was found before is reported again
            done = run_command(app, "attachments", "scan")
            assert (done.exit_code, left(app)) == (1, (0, files))
            assert done.output.count(f"查出病毒：{FOUND}") == files
        state, now, to_do = condition_lines(client_as("operator"))["查毒"]
    assert (state, f"查出病毒的附件 {files}" in now, "请勿下载打开" in to_do) == ("须处理", True, True)
    assert "查出病毒" in client_as("reviewer").get(f"/filings/details/?id={key}").text


def test_a_file_with_a_virus_is_neither_served_nor_copied(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """Also without a configured scanner: the row stores the finding."""
    key = make_application(status="revoked")
    with scanner_at(answer=f"stream: {FOUND} FOUND") as app.config["CLAMD"]:
        run_command(app, "attachments", "scan")
    app.config["CLAMD"] = ""
    with app.app_context(), access.everything() as session:
        files = list(session.scalars(select(Attachment.id).where(Attachment.application_id == key)))
    assert files
    for who, screen in (("publisher", "applications"), ("reviewer", "filings")):
        page = client_as(who).get(f"/{screen}/details/?id={key}").text
        assert "查出病毒" in page and "/attachment/?id=" not in page
        for file, more in product(files, ("", "&download=1")):
            answer = client_as(who).get(f"/{screen}/attachment/?id={file}{more}")
            assert (answer.status_code, f"查出病毒（{FOUND}），不能打开或下载" in answer.text) == (409, True), who
    with app.app_context():
        me = account_of("publisher")
        access.enter(me)
        draft, messages = reissue.copy(db.session(), db.session.get_one(Application, key), me, resources.store())
        assert (draft.attachments, len(messages)) == ([], len(files)) and FOUND in messages[0]


def scan_with_virus(app: Flask) -> None:
    """The scanner reports a virus in every unscanned file; then clamd is switched off."""
    with scanner_at(answer=f"stream: {FOUND} FOUND") as app.config["CLAMD"]:
        run_command(app, "attachments", "scan")
    app.config["CLAMD"] = ""


def test_a_file_with_a_virus_stops_declaring_until_it_is_replaced(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """The page names the file and the next step; the same bytes are refused, even without a scanner."""
    content = small_pdf("带毒的合同")
    key, other, owner = make_application(status="draft"), make_application(status="draft"), client_as("publisher")
    assert upload(owner, key, content, "合同扫描.pdf", kind="other").status_code == 200
    scan_with_virus(app)
    answer = owner.post("/applications/submit/", data={"id": key})
    assert status_of(app, key) == "draft"
    page = owner.get(f"/applications/edit/?id={key}&check=1").text
    sentence = f"附件“合同扫描.pdf”查出病毒（{FOUND}），请移除，清除病毒后重新生成文件上传。"
    assert sentence in page, answer.text
    again = upload(owner, other, content, "换名.pdf", kind="other")
    assert (again.status_code, again.json["message"]) == (
        422, f"文件“换名.pdf”的内容以前查出过病毒（{FOUND}），没有上传，请清除后重新生成文件。",
    )  # fmt: skip
    renew_files(app, owner, key)
    owner.post("/applications/submit/", data={"id": key})
    assert status_of(app, key) == "pending"


def renew_files(app: Flask, owner: Browser, key: int) -> None:
    """Each file of the application is replaced by another one of its kind."""
    with app.app_context(), access.everything() as session:
        files = session.scalars(select(Attachment).where(Attachment.application_id == key)).all()
        kinds = [(file.kind, file.id) for file in files if file.removed_at is None]
    for kind, file in kinds:
        upload(owner, key, small_pdf(f"干净的{kind}"), "干净.pdf", kind=kind.value, replaces=file)


def status_of(app: Flask, key: int) -> str:
    with app.app_context(), access.everything() as session:
        return session.get_one(Application, key).status.value


def test_a_case_with_a_virus_is_not_granted(app: Flask, make_application: MakeApplication, client_as: ClientAs) -> None:
    """The button shows the reason, a forced request is refused; the case can be returned."""
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    scan_with_virus(app)
    assert "不能准予备案，请退回申请人，由其移除后重新上传" in reviewer.get(f"/review/details/?id={key}").text
    answer = reviewer.post("/review/grant/", data={"id": key})
    assert status_of(app, key) == "pending" and answer.status_code in (303, 409), answer.text
    assert reviewer.post("/review/return/", data={"id": key, "opinion": "请更换附件。"}).status_code == 303
    assert status_of(app, key) == "returned"


def test_the_list_dims_the_grant_of_a_case_with_a_virus(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """With the sentence of the refusal, as the page of the case has it; the other acts stay as they are."""
    make_application(status="pending")
    reviewer = client_as("reviewer")
    before = reviewer.get("/review/").text
    scan_with_virus(app)
    after = reviewer.get("/review/").text
    assert "不能准予备案，请退回" not in before
    assert "不能准予备案，请退回申请人，由其移除后重新上传" in after
    assert after.count("aria-disabled") == before.count("aria-disabled") + 1


def test_clean_files_are_scanned_again_after_some_days(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each time; a virus that the scanner did not know before is found, and trail verify agrees."""
    make_application(status="filed")
    with scanner_at() as app.config["CLAMD"]:
        run_command(app, "attachments", "scan")
        contents = scanned_by(app)
        assert run_command(app, "attachments", "scan", "--again", "30").output.startswith("查毒没有问题 0 个")
        later = clock.now() + timedelta(days=31)
        monkeypatch.setattr(clock, "now", lambda: later)
        for scanned in (contents, 0):
            done = run_command(app, "attachments", "scan", "--again", "30")
            assert done.output.startswith(f"查毒没有问题 {scanned} 个"), done.output
    last = later + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: last)
    with scanner_at(answer=f"stream: {FOUND} FOUND") as app.config["CLAMD"]:
        done = run_command(app, "attachments", "scan", "--again", "30")
    assert (done.exit_code, f"查出病毒 {contents} 个" in done.output) == (1, True), done.output
    assert verified(app) == set()


def test_verify_finds_marks_of_scans_that_the_log_does_not_have(app: Flask, make_application: MakeApplication) -> None:
    """Erased, invented, or set to scanned: without the triggers, which would refuse it."""
    make_application(status="pending")
    scan_with_virus(app)
    assert verified(app) == set()
    attacks = {
        "UPDATE attachment SET virus = NULL": "的查毒结果与日志不符",
        "UPDATE attachment SET virus = 'Other'": "的查毒结果与日志不符",
        "DELETE FROM known_virus": "查出病毒，但没有登记",
        "UPDATE known_virus SET virus = 'Other'": "登记为有病毒，但日志中没有",
        "DELETE FROM log_entry WHERE kind = 'file_scanned'": "的查毒结果与日志不符",
        f"UPDATE attachment SET scanned_at = '2099-01-01', virus = NULL, digest = '{'0' * 64}'": "但日志中没有",
    }
    for attack, sentence in attacks.items():
        with app.app_context(), engine_of_owner(app).connect() as connection:
            triggers.remove(connection)
            connection.execute(text(attack))
            with Session(connection) as session:
                assert any(sentence in found for found in scans.contradictions(session)), attack
            connection.rollback()


def verified(app: Flask) -> set[str]:
    with app.app_context(), access.everything() as session:
        return set(scans.contradictions(session))


def test_verify_says_how_many_scans_it_cannot_prove(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    key = make_application(status="draft")
    with scanner_at() as app.config["CLAMD"]:
        assert upload(client_as("publisher"), key, small_pdf("上传时查毒"), "x.pdf", kind="other").status_code == 200
    app.config["CLAMD"] = ""
    assert "1 个附件标为上传时已查毒" in run_command(app, "trail", "verify").output


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_file_missing_in_the_store_stays_unscanned(app: Flask, make_application: MakeApplication) -> None:
    key = make_application(status="draft")
    with app.app_context(), access.everything() as session:
        digest = session.scalars(select(Attachment.digest).where(Attachment.application_id == key)).first()
    Path(app.config["STORE"], key_of(str(digest))).unlink()
    with scanner_at() as app.config["CLAMD"]:
        done = run_command(app, "attachments", "scan")
    assert done.exit_code == 1 and "读不到，仍为未查毒" in done.output and left(app)[0] >= 1
