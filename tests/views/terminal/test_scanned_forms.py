"""`attachments scan`: blank forms, too, are scanned if they were uploaded before clamd was set up."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.application import scanning
from models.application.attachments import key_of
from models.application.blank_forms import BlankForm
from models.files.virus import Scanner
from tests.browsing import ClientAs
from tests.conftest import MakePdf
from tests.scanner import FOUND, VIRUS, scanner_at
from tests.views.screens.test_blank_forms import WHERE, offer, seen
from tests.views.screens.test_condition import condition_lines
from tests.views.terminal.commands import run_command
from views.resources import store


@pytest.fixture
def infected_pdf(make_pdf: MakePdf) -> bytes:
    """A PDF with the letters that the scanner of the tests takes for a virus."""
    return make_pdf("表格") + b"%" + VIRUS + b"\n"


def test_a_blank_form_with_a_virus_is_found_and_reported_until_it_is_replaced(
    app: Flask, client_as: ClientAs, infected_pdf: bytes, make_pdf: MakePdf
) -> None:
    """The command and 运行状态 name it, nobody can download it; a clean one in its place ends the report."""
    operator, publisher = client_as("operator"), client_as("publisher")
    offer(operator, infected_pdf)
    assert publisher.get(WHERE).status_code == 200
    with scanner_at() as app.config["CLAMD"]:
        for _time in range(2):
            done = run_command(app, "attachments", "scan")
            assert (done.exit_code, f"空白表格“合同样本.pdf”查出病毒：{FOUND}" in done.output) == (1, True), done.output
        state, now, to_do = condition_lines(operator)["查毒"]
        assert (state, "查出病毒的空白表格 1" in now, "请更换或移除" in to_do) == ("须处理", True, True)
        assert publisher.get(WHERE).status_code == 409
        offer(operator, make_pdf("干净的表格"), version=seen(operator))
        done = run_command(app, "attachments", "scan")
        assert (done.exit_code, "空白表格" in done.output) == (0, False), done.output
        assert condition_lines(operator)["查毒"][0] == "正常"
    assert publisher.get(WHERE).status_code == 200
    assert run_command(app, "trail", "verify").exit_code == 0


def test_a_clean_blank_form_is_scanned_once_and_again_when_asked(
    app: Flask, client_as: ClientAs, make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(client_as("operator"), make_pdf("表格"))
    later = clock.now() + timedelta(days=2)
    with scanner_at() as app.config["CLAMD"]:
        assert run_command(app, "attachments", "scan").output.startswith("查毒没有问题 1 个")
        assert run_command(app, "attachments", "scan", "--again", "1").output.startswith("查毒没有问题 0 个")
        monkeypatch.setattr(clock, "now", lambda: later)
        for scanned in (1, 0):
            done = run_command(app, "attachments", "scan", "--again", "1")
            assert done.output.startswith(f"查毒没有问题 {scanned} 个"), done.output


def test_a_blank_form_without_its_bytes_is_named(app: Flask, client_as: ClientAs, make_pdf: MakePdf) -> None:
    content = make_pdf("表格")
    offer(client_as("operator"), content)
    Path(app.config["STORE"], key_of(hashlib.sha256(content).hexdigest())).unlink()
    with scanner_at() as app.config["CLAMD"]:
        done = run_command(app, "attachments", "scan")
    assert (done.exit_code, "空白表格“合同样本.pdf”无法读取，未查毒。" in done.output) == (1, True), done.output


def test_a_blank_form_removed_during_the_scan_is_passed_over(
    app: Flask, client_as: ClientAs, make_pdf: MakePdf
) -> None:
    operator = client_as("operator")
    for kind in ("contract", "licence"):
        sent = {"kind": kind, "version": "0", "file": (io.BytesIO(make_pdf(kind)), "样本.pdf")}
        operator.post("/blanks/keep/", data=sent)
    with scanner_at() as address, app.app_context(), access.everything() as session:
        found = scanning.scan_all(session, store(), Scanner(address))
        next(found)
        with access.everything() as other:
            other.delete(other.scalars(select(BlankForm).order_by(BlankForm.id.desc())).first())
            other.commit()
        assert list(found) == []


def test_a_form_with_a_known_virus_is_not_scanned_again(
    app: Flask, client_as: ClientAs, infected_pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported all the same."""
    offer(client_as("operator"), infected_pdf)
    with scanner_at() as app.config["CLAMD"]:
        run_command(app, "attachments", "scan")
        later = clock.now() + timedelta(days=2)
        monkeypatch.setattr(clock, "now", lambda: later)
        done = run_command(app, "attachments", "scan", "--again", "1")
    assert "查出病毒 0 个" in done.output and f"空白表格“合同样本.pdf”查出病毒：{FOUND}" in done.output


def test_files_never_scanned_are_counted_until_they_are(app: Flask, client_as: ClientAs, make_pdf: MakePdf) -> None:
    """In 运行状态 and /healthz?details; a form that was scanned at its upload is not among them."""
    operator = client_as("operator")
    offer(operator, make_pdf("表格"))
    assert "未查毒的空白表格 1" in condition_lines(operator)["查毒"][1]
    assert "not scanned for viruses: attachments 0, blank forms 1" in operator.get("/healthz?details").text
    with scanner_at() as app.config["CLAMD"]:
        state, now, to_do = condition_lines(operator)["查毒"]
        assert (state, "未查毒的空白表格 1" in now, "attachments scan" in to_do) == ("须关注", True, True)
        assert run_command(app, "attachments", "scan").exit_code == 0
        for _time in range(2):
            assert condition_lines(operator)["查毒"][0] == "正常"
            assert "not scanned" not in operator.get("/healthz?details").text
            offer(operator, make_pdf("换了的表格"), version=seen(operator))
        assert run_command(app, "attachments", "scan").output.startswith("查毒没有问题 0 个")
