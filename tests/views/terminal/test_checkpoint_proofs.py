"""Proofs by checkpoint, of one entry and of the system log."""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text

from models import access
from models.application.trail import TrailEntry
from models.checkpoint import Unverified, Verifier, proof
from models.checkpoint.folder import alone as alone_in
from models.database import db
from tests.apps import without_triggers
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.screens.read_logs import lines


def test_a_checkpoint_signed_with_another_key_is_refused(
    make_application: MakeApplication, sign: Callable[[], Result], verify: Callable[..., Result], invoke: Invoke,
    tmp_path: Path, log: tuple[Path, Path, str],
) -> None:  # fmt: skip
    make_application()
    sign()
    other = invoke("trail", "new-key", str(tmp_path / "other.pem")).output.split()[0]
    for words, sentence in (
        (("trail", "verify", "--checkpoint", str(log[0]), "--verifier", other), "不是由这把密钥签署的"),
        (("trail", "verify", "--checkpoint", str(log[0])), "请用 --verifier 写明"),
        (("trail", "verify", "--checkpoint", str(tmp_path / "none"), "--verifier", other), "读写失败"),
        (("trail", "checkpoint", str(log[0]), "--key-file", str(tmp_path / "other.pem")), "不是由这把密钥签署的"),
        (("trail", "checkpoint", str(log[0]), "--key-file", __file__), "不是 trail new-key 生成的私钥"),
        (("trail", "new-key", str(log[1])), "已经存在，没有改动"),
    ):
        refused = invoke(*words)
        assert (refused.exit_code, sentence in refused.output) == (1, True), refused.output
    assert log[1].stat().st_mode & 0o777 == 0o600


def test_signing_into_an_emptied_folder_is_refused(
    make_application: MakeApplication, sign: Callable[[], Result], invoke: Invoke, log: tuple[Path, Path, str]
) -> None:
    """The database knows that checkpoints were signed; `--first` overrides it."""
    make_application()
    assert sign().exit_code == 0
    shutil.rmtree(log[0])
    refused = sign()
    assert (refused.exit_code, "但文件夹中没有，请先查明" in refused.output) == (1, True)
    again = invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]), "--first")
    assert again.exit_code == 0


def test_an_entry_of_a_missing_application_is_named(
    app: Flask, make_application: MakeApplication, sign: Callable[[], Result], verify: Callable[..., Result]
) -> None:
    key = make_application()
    sign()
    with app.app_context(), db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        with without_triggers(connection):
            connection.execute(text(f"UPDATE trail_entry SET opinion = '改' WHERE application_id = {key}"))
            connection.execute(text(f"DELETE FROM application WHERE id = {key}"))
        connection.commit()
        db.engine.dispose()
    found = verify()
    assert "从第 1 条起与检查点不符" in found.output
    assert "（申请已不在）" in found.output


def test_one_entry_is_proved_without_the_database(
    app: Flask, make_application: MakeApplication, sign: Callable[[], Result], invoke: Invoke,
    log: tuple[Path, Path, str], tmp_path: Path,
) -> None:  # fmt: skip
    """For a court: the entry itself, its inclusion in the checkpoint, and the signer; a changed letter is detected."""
    key = make_application(status="refused")
    sign()
    with app.app_context(), access.everything() as session:
        last = session.scalars(
            select(TrailEntry).where(TrailEntry.application_id == key).order_by(TrailEntry.id.desc())
        ).first()
        assert last is not None
        number, opinion = last.id, str(last.opinion)
    made = invoke("trail", "prove", str(number), str(log[0]), "--verifier", log[2])
    file = tmp_path / "entry.tlog-proof"
    file.write_text(made.output, encoding="utf-8")
    checked = invoke("trail", "check-proof", str(file), "--verifier", log[2])
    assert (checked.exit_code, "证据成立" in checked.output, opinion in checked.output) == (0, True, True)
    extra = base64.b64encode(
        base64.b64decode(made.output.split()[2]).replace(opinion.encode(), "同意".encode())
    ).decode()
    for wrong in (
        made.output.replace(made.output.split()[2], extra), made.output.replace("index ", "index 1"), "", "x",
    ):  # fmt: skip
        with pytest.raises(Unverified):
            proof.check(wrong, Verifier.of_text(log[2]))
    file.write_text("x", encoding="utf-8")
    assert "不能采信" in invoke("trail", "check-proof", str(file), "--verifier", log[2]).output
    make_application()
    for asked, sentence in ((number + 2, "晚于最新的检查点"), (99_999, "没有编号为")):
        assert sentence in invoke("trail", "prove", str(asked), str(log[0]), "--verifier", log[2]).output


def test_one_entry_of_the_log_is_proved_without_the_database(
    invoke: Invoke, sign: Callable[[], Result], log: tuple[Path, Path, str], tmp_path: Path, client_as: ClientAs
) -> None:
    """By its 编号 in the export of 操作日志; it is read in words."""
    assert invoke("account", "add", "neu", "--name", "钱多", "--role", "national").exit_code == 0
    sign()
    (row,) = lines(client_as("operator"), "operations", "kind=account_added")
    prove = ("trail", "prove", row["编号"], str(log[0]), "--verifier", log[2])
    made = invoke(*prove, "--log")
    file = tmp_path / "entry.tlog-proof"
    file.write_text(made.output, encoding="utf-8")
    checked = invoke("trail", "check-proof", str(file), "--verifier", log[2])
    assert checked.exit_code == 0, checked.output
    shown = checked.output.splitlines()
    assert shown[1:] == [
        f"时间：{row['时间'][:19]}", "事项：新增账号", "对象：neu", "说明：国家查询",
        "证据成立：这是检查点所覆盖 2 条中的第 2 条。",
    ]  # fmt: skip
    for wrong in (made.output.replace("/log\n", "/trail\n"), made.output.replace("index 1", "index 0")):
        file.write_text(wrong, encoding="utf-8")
        assert "不能采信" in invoke("trail", "check-proof", str(file), "--verifier", log[2]).output
    assert "没有编号为" in invoke(*prove).output
    assert (
        "这条日志晚于最新的检查点" in invoke("trail", "prove", "3", str(log[0]), "--verifier", log[2], "--log").output
    )
    assert "没有编号为 999 的日志" in invoke("trail", "prove", "999", str(log[0]), "--verifier", log[2], "--log").output


def test_a_log_that_was_cut_and_sealed_again_is_found_by_the_checkpoint_alone(
    app: Flask, invoke: Invoke, sign: Callable[[], Result], verify: Callable[..., Result], log: tuple[Path, Path, str]
) -> None:
    """Seals have no key: whoever writes to the database can cut the tail, and the next job seals what follows."""
    for name in ("new1", "new2", "new3"):
        assert invoke("account", "add", name, "--name", "钱多", "--role", "national").exit_code == 0
    assert sign().exit_code == 0
    with app.app_context(), access.everything() as session:
        with without_triggers(session.connection()):
            for table, key in (("log_entry", "id"), ("log_seal", "entry_id")):
                session.execute(text(f"DELETE FROM {table} WHERE {key} > (SELECT min(id) + 1 FROM log_entry)"))
        session.commit()
    assert invoke("account", "add", "new4", "--name", "钱多", "--role", "national").exit_code == 0
    again = invoke("trail", "verify")
    assert (again.exit_code, "没有发现改动" in again.output) == (0, True), "the seals agree: nothing is found"
    for checkpoint, words in ((log[0], "与检查点不符"), (log[0] / "log" / "checkpoint", "条记录与检查点不符")):
        found = verify(checkpoint)
        assert (found.exit_code, words in found.output) == (1, True), found.output


def test_the_system_log_is_signed_too(
    app: Flask, invoke: Invoke, sign: Callable[[], Result], verify: Callable[..., Result], log: tuple[Path, Path, str]
) -> None:
    """A sign-in that was removed or changed is named; acts by commands are covered, too."""
    for name in ("new1", "new2", "new3"):
        assert invoke("account", "add", name, "--name", "钱多", "--role", "national").exit_code == 0
    assert sign().exit_code == 0
    assert sign().exit_code == 0  # the first one is an entry itself
    assert verify().exit_code == 0
    for statement, sentence in (
        ("UPDATE log_entry SET username = 'x' WHERE id = (SELECT min(id) + 1 FROM log_entry)", "从第 2 条起"),
        ("DELETE FROM log_entry WHERE id = (SELECT min(id) FROM log_entry)", "从第 1 条起"),
        ("DELETE FROM log_entry", "条已不在"),
    ):
        with app.app_context(), access.everything() as session:
            with without_triggers(session.connection()):
                session.execute(text(statement))
            session.commit()
        for checkpoint, words in ((log[0], sentence), (log[0] / "log" / "checkpoint", "条记录与检查点不符")):
            found = verify(checkpoint)
            assert (found.exit_code, words in found.output) == (1, True), found.output


def test_two_parallel_runs_do_not_write_into_one_folder(
    log: tuple[Path, Path, str], sign: Callable[[], Result], make_application: MakeApplication
) -> None:
    make_application()
    with alone_in(log[0]):
        busy = sign()
    assert busy.exit_code == 1
    assert "另一个 trail checkpoint 正在写入这个文件夹" in busy.output
    assert not (log[0] / "trail" / "checkpoint").exists()
    assert sign().exit_code == 0
