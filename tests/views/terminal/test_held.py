"""After a restore nothing is sent until an operator releases it (models/customs/hold.py)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, log
from models.customs import hold
from models.log import LogEntry, Operation
from tests.browsing import Browser, signed_in
from tests.conftest import MakeApplication
from tests.views.api.reading import Program, program
from tests.views.api.test_changes import FEED, read_changes
from tests.views.conftest import CustomsServer, Invoke
from tests.views.terminal.commands import run_command

ON_HOLD = "恢复备份后，提醒、邮件、海关报文和检查点暂停。确认这是正式使用的系统后，请运行 filing release。\n"


@pytest.fixture
def restored_app(
    app: Flask, empty_app: Flask, customs_server: CustomsServer, make_application: MakeApplication, tmp_path: Path
) -> Flask:
    """A register restored from a backup in which a message to customs waits; same gateway, keys and settings."""
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="filed")
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    empty_app.config.update({name: app.config[name] for name in ("CUSTOMS_GATEWAY", "SIGNING_KEY")})
    answer = run_command(empty_app, "restore", tmp_path / "backup")
    assert (answer.exit_code, answer.output.endswith(ON_HOLD)) == (0, True), answer.output
    return empty_app


def words(app: Flask) -> set[str]:
    return set(app.test_client().get("/healthz").text.split())


def test_a_message_of_the_backup_waits_for_a_release_by_the_operator(
    restored_app: Flask, customs_server: CustomsServer
) -> None:
    """Until the release customs receives neither message nor query; then it is queried first."""
    refused = run_command(restored_app, "customs", "deliver")
    assert (refused.exit_code, refused.output, customs_server.asked, customs_server.ledger()) == (1, ON_HOLD, [], [])
    assert "held" in words(restored_app)
    assert "已放行" in run_command(restored_app, "release").output
    assert "没有暂停" in run_command(restored_app, "release").output
    assert "held" not in words(restored_app)
    run_command(restored_app, "customs", "deliver")
    question, message = customs_server.asked
    assert question == f"{message}-Q1"
    assert [(act, accepted) for _name, act, accepted in customs_server.ledger()] == [("grant", True)]
    assert run_command(restored_app, "trail", "verify").exit_code == 0


def test_a_message_sent_after_the_backup_is_not_sent_again(
    app: Flask, restored_app: Flask, customs_server: CustomsServer, invoke: Invoke
) -> None:
    assert invoke("customs", "deliver").exit_code == 0
    (sent,) = customs_server.asked
    run_command(restored_app, "release")
    assert "接收成功" in run_command(restored_app, "customs", "deliver").output
    assert customs_server.asked == [sent, f"{sent}-Q1"]


def test_no_checkpoint_is_signed_or_published_after_a_restore(
    restored_app: Flask, tmp_path: Path, log: tuple[Path, Path, str]
) -> None:
    """A trial would write into the folder of the service, and to its witnesses."""
    answer = run_command(restored_app, "trail", "checkpoint", log[0], "--key-file", log[1])
    assert (answer.exit_code, answer.output, log[0].exists()) == (1, ON_HOLD, False)


def test_the_operator_sees_that_sending_is_on_hold(app: Flask, client_as: Callable[..., Browser]) -> None:
    """运行状态 names it at both that wait, and so does monitoring, without what follows from it."""
    with app.app_context(), access.everything() as session:
        hold.begin_and_commit(session)
        session.commit()
    assert client_as("operator").get("/condition/").text.count(ON_HOLD.strip().replace("filing ", "")) == 2
    assert words(app).isdisjoint({"deliverer", "overdue", "reminders"})


def test_a_database_that_its_own_tools_restored_is_held_by_an_operator(
    app: Flask, customs_server: CustomsServer, make_application: MakeApplication, log: tuple[Path, Path, str]
) -> None:
    """pgBackRest and Litestream do not set the mark: `hold`, before the processes start, does what `restore` does."""
    assert run_command(app, "upgrade").exit_code == 0
    make_application(status="filed")
    assert run_command(app, "hold").output == ON_HOLD
    assert run_command(app, "hold").output == ON_HOLD, "twice is as once"
    with app.app_context(), access.everything() as session:
        kinds = list(session.scalars(select(LogEntry.kind).where(LogEntry.kind == Operation.HELD.value)))
    assert kinds == ["held"]
    for command in (("customs", "deliver"), ("mail", "send"), ("trail", "checkpoint", log[0], "--key-file", log[1])):
        assert run_command(app, *command).output == ON_HOLD, command
    assert (customs_server.asked, customs_server.ledger()) == ([], [])
    assert "已放行" in run_command(app, "release").output
    run_command(app, "customs", "deliver")
    question, message = customs_server.asked
    assert question == f"{message}-Q1", "what may have been sent since is queried first"


def test_the_ledgers_can_be_compared_before_the_release(
    restored_app: Flask, customs_server: CustomsServer, invoke: Invoke
) -> None:
    """对账 sends nothing, and lists the messages that customs has received since the backup."""
    assert invoke("customs", "deliver").exit_code == 0
    (sent,) = customs_server.asked
    answer = run_command(restored_app, "customs", "reconcile")
    assert (answer.exit_code, sent in answer.output) == (1, True), answer.output
    assert customs_server.asked == [sent]
    assert "held" in words(restored_app)


def test_a_cursor_from_before_a_restore_is_refused(
    app: Flask, empty_app: Flask, make_application: MakeApplication, client_as: Callable[..., Browser], tmp_path: Path
) -> None:
    """The copy has rows that the register has lost: the entry of the cursor is missing, or is another one now."""
    assert run_command(app, "upgrade").exit_code == 0
    key = make_application(status="pending")
    reads = program(app, "reviewer")
    earlier = read_changes(reads)[1]
    assert run_command(app, "backup", tmp_path / "backup").exit_code == 0
    client_as("reviewer").post("/review/return/", data={"id": key, "opinion": "请补充材料"})
    lost = read_changes(reads, earlier)[1]
    assert run_command(empty_app, "restore", tmp_path / "backup").exit_code == 0
    after = Program(empty_app, reads.token)
    assert read_changes(after, earlier) == ([], earlier, False), "nothing of this copy was lost"
    for cursor in (lost, lost.partition("-")[0], f"{earlier.partition('-')[0]}-00000000"):
        answer = after.get(f"{FEED}?changed_since={cursor}")
        assert (answer.status_code, answer.mimetype) == (410, "application/problem+json"), cursor
        assert "changed_since=0" in answer.get_json()["detail"]
    signed_in(empty_app, "reviewer").post("/review/return/", data={"id": key, "opinion": "请另外补充"})
    assert read_changes(after, earlier)[1].partition("-")[0] == lost.partition("-")[0], "the same id, of another entry"
    assert after.get(f"{FEED}?changed_since={lost}").status_code == 410


def test_two_operators_hold_at_once(app: Flask) -> None:
    """The second waits for the first one's commit; both read that sending is on hold, and one has begun it."""
    assert run_command(app, "upgrade").exit_code == 0
    with app.app_context(), access.everything() as first, ThreadPoolExecutor(1) as pool:
        hold.begin_new(first)
        log.record(first, Operation.HELD, None, log.Place())
        first.flush()
        second = pool.submit(run_command, app, "hold")
        with pytest.raises(TimeoutError):
            second.result(timeout=1)
        first.commit()
        assert (second.result().exit_code, second.result().output) == (0, ON_HOLD)
    with app.app_context(), access.everything() as session:
        assert len(session.scalars(select(LogEntry).where(LogEntry.kind == Operation.HELD.value)).all()) == 1
