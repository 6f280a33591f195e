"""Witnesses: each checkpoint is sent to them once; their copies detect a register rewritten as a whole."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from models import access, clock
from models.checkpoint.witnesses import MARKER, last_given
from models.log import LogEntry, Operation
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.mail_server import LocalMailServer
from tests.views.terminal.commands import run_command
from tests.views.terminal.test_checkpoint import rewrite, set_opinion

Signing = Callable[[], Result]
Log = tuple[Path, Path, str]


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[LocalMailServer]:
    with LocalMailServer(tmp_path) as opened:
        yield opened


@pytest.fixture
def witness_folder(app: Flask, tmp_path: Path, mail_server: LocalMailServer) -> Path:
    """The folder of the one witness; another is an address."""
    app.config.update(SMTP=mail_server.address, SMTP_TLS="none", SMTP_FROM="filing@example.cn")
    app.config.update(WITNESSES=f"{tmp_path}/witness, mailto:witness@example.cn", CHECKPOINTS=str(tmp_path / "log"))
    (tmp_path / "witness").mkdir()
    (tmp_path / "witness" / MARKER).touch()
    return tmp_path / "witness"


def test_each_witness_gets_each_checkpoint_once(
    app: Flask,
    make_application: MakeApplication,
    sign: Signing,
    witness_folder: Path,
    mail_server: LocalMailServer,
    log: Log,
) -> None:
    make_application(status="pending")
    found = sign()
    assert (found.exit_code, found.output.count("检查点已交给")) == (0, 2), found.output
    (letter,) = mail_server.letters
    assert [mail_server.recipients, letter["Subject"]] == [[["witness@example.cn"]], "办理记录检查点，请留存"]
    for chain in ("trail", "log"):
        (checkpoint,) = (witness_folder / chain).iterdir()
        signed = (log[0] / chain / "checkpoint").read_bytes()
        assert checkpoint.read_bytes() == signed
        (sent,) = (
            part for part in letter.iter_attachments() if part.get_filename() == f"{chain}-{checkpoint.name}.txt"
        )
        assert sent.get_payload(decode=True) == signed
    sign()
    assert (len(mail_server.letters), len(list((witness_folder / "log").iterdir()))) == (2, 2)
    with app.app_context(), access.everything() as session:
        noted = select(func.count(LogEntry.id)).where(LogEntry.kind == Operation.WITNESSED.value)
        assert session.scalar(noted) == 4


def test_an_unavailable_witness_delays_no_other_and_gets_the_next_checkpoint(
    make_application: MakeApplication, sign: Signing, witness_folder: Path, mail_server: LocalMailServer
) -> None:
    make_application()
    mail_server.refuse["witness@example.cn"] = "450 later"
    failed = sign()
    assert (failed.exit_code, "检查点没有寄给 witness@example.cn" in failed.output) == (1, True), failed.output
    assert (witness_folder / "trail").is_dir()
    mail_server.refuse.clear()
    assert sign().exit_code == 0
    assert len(mail_server.letters) == 1


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("there", [True, False])
def test_an_unmounted_folder_gets_no_checkpoint(sign: Signing, witness_folder: Path, there: bool) -> None:
    """Even if its empty mount point exists: a copy on this machine proves nothing."""
    (witness_folder / MARKER).unlink()
    if not there:
        witness_folder.rmdir()
    failed = sign()
    assert (failed.exit_code, f"没有文件 {MARKER}，没有交存" in failed.output) == (1, True), failed.output
    assert (list(witness_folder.iterdir()) if there else witness_folder.exists()) in ([], False)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_witnesses_with_the_same_path_prefix_are_distinct(
    app: Flask, sign: Signing, witness_folder: Path, tmp_path: Path
) -> None:
    begin = tmp_path / ("x" * 64)
    folders = [begin / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
    (folders[0] / MARKER).touch()
    app.config["WITNESSES"] = ",".join(map(str, folders))
    assert sign().exit_code == 1
    with app.app_context(), access.everything() as session:
        assert [last_given(session, str(folder)) is not None for folder in folders] == [True, False]


def test_a_rewritten_and_resigned_register_is_detected_with_a_checkpoint_of_a_witness(
    app: Flask, make_application: MakeApplication, sign: Signing, witness_folder: Path, invoke: Invoke, log: Log
) -> None:
    """The holder of the key has recomputed every hash, the checkpoint folder and its signatures."""
    make_application(status="pending")
    sign()
    asked = ("trail", "verify", "--witness", "--verifier", log[2])
    assert invoke(*asked).exit_code == 0
    rewrite(app, lambda session, ids: set_opinion(session, ids[0]))
    for chain in ("trail", "log"):
        (log[0] / chain / "checkpoint").unlink()
    again = invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]), "--first")
    assert "没有交给" in again.output or again.exit_code == 1
    assert "条数相同而内容不同的检查点" in again.output
    found = invoke(*asked)
    assert (found.exit_code, "trail与所留检查点不符" in found.output) == (1, True), found.output


def test_a_checkpoint_not_signed_or_published_for_two_days_is_reported(
    app: Flask, client_as: Callable, sign: Signing, witness_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def words() -> set[str]:
        return set(client_as(None).get("/healthz").text.split()) & {"checkpoint", "witness"}

    assert words() == {"checkpoint", "witness"}
    assert sign().exit_code == 0
    assert words() == set()
    page = client_as("operator").get("/condition/").text
    assert "最近检查点" in page and "mailto:witness@example.cn" in page
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=2, minutes=1))
    assert words() == {"checkpoint", "witness"}
    app.config["CHECKPOINTS"] = None
    assert words() == set()


def test_the_watching_process_signs_automatically(
    app: Flask, make_application: MakeApplication, witness_folder: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daily: a second check within the day signs nothing."""
    make_application()
    turns = iter([None, None, None])

    def rest(_seconds: float) -> None:
        if next(turns, "end") == "end":
            raise KeyboardInterrupt

    monkeypatch.setattr("views.terminal.group.time.sleep", rest)
    run_command(app, "trail", "checkpoint", log[0], "--key-file", log[1], "--watch")
    assert len(list((log[0] / "log" / "checkpoints").iterdir())) == 1
    assert os.listdir(witness_folder / "trail") == [(log[0] / "trail" / "checkpoint").read_text().split("\n")[1]]
