"""A witness on another machine: it cosigns checkpoints that continue the last one, and no other."""

import shutil
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from models.checkpoint.cosignature import Cosigner
from models.exchange.transports.timed_connection import Limits, ask
from tests import free_port
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from tests.views.terminal.test_checkpoint import remove, rewrite, set_opinion

Signing = Callable[[], Result]
Log = tuple[Path, Path, str]


def test_a_witness_cosigns_each_checkpoint_over_http(
    app: Flask,
    make_application: MakeApplication,
    sign: Signing,
    remote: str,
    cosigner: Cosigner,
    log: Log,
    invoke: Invoke,
) -> None:
    """The note in the folder has its line; a proof for a court carries it, too; the witness keeps what it has seen."""
    for status in ("pending", "filed"):
        make_application(status=status)
        signed = sign()
        assert (signed.exit_code, f"检查点已交给 {remote}。" in signed.output) == (0, True), signed.output
        for chain in ("trail", "log"):
            note = (log[0] / chain / "checkpoint").read_text(encoding="utf-8")
            assert cosigner.signed_at(note) is not None
    asked = ("trail", "verify", "--witness", "--checkpoint", str(log[0]), "--verifier", log[2])
    found = invoke(*asked, "--cosigner", str(cosigner))
    assert (found.exit_code, "见证 guangdong.example.cn/witness 于 " in found.output) == (0, True), found.output
    proof = invoke("trail", "prove", "1", str(log[0]), "--verifier", log[2]).output
    (log[1].parent / "proof").write_text(proof, encoding="utf-8")
    checked = invoke(
        "trail", "check-proof", str(log[1].parent / "proof"), "--verifier", log[2], "--cosigner", str(cosigner)
    )
    assert (checked.exit_code, "共签" in checked.output, "证据成立" in checked.output) == (0, True, True), (
        checked.output
    )


def test_a_rewritten_and_resigned_register_gets_no_cosignature(
    app: Flask, make_application: MakeApplication, sign: Signing, remote: str, log: Log, invoke: Invoke
) -> None:
    """The owner of database, folder and key has recomputed everything: the witness refuses, and its copy shows it."""
    make_application(status="pending")
    assert sign().exit_code == 0
    rewrite(app, lambda session, ids: set_opinion(session, ids[0]))
    shutil.rmtree(log[0])
    make_application(status="pending")
    again = invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]), "--first")
    assert (again.exit_code, "与它以前见证的不符，请立即查明" in again.output) == (1, True), again.output
    found = invoke("trail", "verify", "--witness", "--verifier", log[2])
    assert (found.exit_code, f"见证“{remote}”：最早的" in found.output) == (1, True), found.output


def test_a_chain_is_cosigned_once_while_the_other_one_fails(
    make_application: MakeApplication, sign: Signing, remote: str, witnessing: Flask, cosigner: Cosigner, log: Log
) -> None:
    """Another run, ten minutes later, asks only for what is missing."""
    make_application(status="pending")
    known = witnessing.config["WITNESS_LOGS"]
    witnessing.config["WITNESS_LOGS"] = known.partition(",")[0]
    assert sign().exit_code == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("views.terminal.checkpoints._sign", lambda *_given: None)
        assert sign().exit_code == 1
        witnessing.config["WITNESS_LOGS"] = known
        assert sign().exit_code == 0
    for chain in ("trail", "log"):
        assert (log[0] / chain / "checkpoint").read_text(encoding="utf-8").count(f"— {cosigner.name} ") == 1


def cut_off(session: Session, key: int) -> None:
    """Remove the newest entry of the trail, and what refers to it."""
    session.execute(text("DELETE FROM uncounted_act"))
    remove(session, key)


def test_a_register_of_fewer_entries_gets_no_cosignature(
    app: Flask, make_application: MakeApplication, sign: Signing, remote: str, log: Log, invoke: Invoke
) -> None:
    """Cut off, as a restore of an old copy does."""
    make_application(status="filed")
    assert sign().exit_code == 0
    rewrite(app, lambda session, ids: cut_off(session, ids[-1]))
    shutil.rmtree(log[0])
    again = invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]), "--first")
    assert (again.exit_code, "它见证过的记录多于现有的" in again.output) == (1, True), again.output


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", ["200 OK", "409 CONFLICT"])
@pytest.mark.parametrize(
    "answer", [b"", b"9" * 5000 + b"\n", "— guangdong.example.cn/witness AAAA\n".encode(), b"x" * 100_000]
)
def test_an_answer_that_is_no_cosignature_is_refused(
    app: Flask,
    make_application: MakeApplication,
    sign: Signing,
    cosigner: Cosigner,
    log: Log,
    answer: bytes,
    status: str,
) -> None:
    """The checkpoint is signed all the same, and handed over at the next run."""
    make_application(status="pending")
    server = make_server("127.0.0.1", 0, lambda _environ, start: (start(status, []), [answer])[1])
    app.config["WITNESSES"] = f"http://127.0.0.1:{server.port}/witness#{cosigner}"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    failed = sign()
    server.shutdown()
    server.server_close()
    assert (failed.exit_code, f"见证 http://127.0.0.1:{server.port}/witness：" in failed.output) == (1, True), (
        failed.output
    )
    assert (log[0] / "trail" / "checkpoint").exists()


def test_a_checkpoint_without_the_cosignature_asked_for_is_refused(
    make_application: MakeApplication, sign: Signing, cosigner: Cosigner, log: Log, invoke: Invoke
) -> None:
    make_application(status="pending")
    sign()
    asked = ("trail", "verify", "--checkpoint", str(log[0]), "--verifier", log[2], "--cosigner")
    for key, sentence in ((str(cosigner), "没有见证 guangdong.example.cn/witness 的共签"), (log[2], "不是见证的公钥")):
        found = invoke(*asked, key)
        assert (found.exit_code, sentence in found.output) == (1, True), found.output


def test_a_witness_that_does_not_answer_gets_the_checkpoint_at_the_next_run(
    app: Flask, make_application: MakeApplication, sign: Signing, remote: str, cosigner: Cosigner, log: Log
) -> None:
    make_application(status="pending")
    known, app.config["WITNESSES"] = app.config["WITNESSES"], f"http://127.0.0.1:{free_port()}/witness#{cosigner}"
    failed = sign()
    assert (failed.exit_code, "没有应答" in failed.output, "请稍后再试" in failed.output) == (1, True, True), (
        failed.output
    )
    app.config["WITNESSES"] = known
    assert sign().exit_code == 0
    assert cosigner.signed_at((log[0] / "trail" / "checkpoint").read_text(encoding="utf-8")) is not None


def test_cosignatures_are_asked_for_with_a_checkpoint_only(cosigner: Cosigner, log: Log, invoke: Invoke) -> None:
    """An option that would be passed over is refused, and so is a name by which no witness cosigns."""
    found = invoke("trail", "verify", "--verifier", log[2], "--cosigner", str(cosigner))
    assert (found.exit_code, "须与 --checkpoint 一起使用" in found.output) == (1, True), found.output
    found = invoke("trail", "new-key", str(log[1].with_name("w.pem")), "--witness", "--name", "w.example")
    assert (found.exit_code, "请去掉 --name" in found.output) == (1, True), found.output


def test_an_https_address_is_never_asked_in_clear() -> None:
    """In capitals, too."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        port = server.getsockname()[1]
        asked = pool.submit(ask, "GET", f"HTTPS://127.0.0.1:{port}/", None, Limits(1, 100))
        connection, _address = server.accept()
        with connection:
            assert connection.recv(1) == b"\x16", "the beginning of TLS"
        with pytest.raises((ssl.SSLError, ConnectionError, TimeoutError)):
            asked.result()
