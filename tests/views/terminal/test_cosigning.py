"""As a witness: checkpoints that continue the last one are cosigned, and no others (c2sp.org/tlog-witness)."""

import base64
import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask import Flask

from app import create_app
from models.checkpoint import merkle
from models.checkpoint.cosignature import Cosigner, cosign
from models.checkpoint.folder import MARKER, CheckpointFolder
from models.checkpoint.note import Verifier, read_text
from models.checkpoint.remote_witness import request_body
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke

Signing = Callable[[], Result]
Log = tuple[Path, Path, str]


def submit(witnessing: Flask, body: bytes) -> tuple[int, str, str]:
    """(status, type, text) of an answer of the witness."""
    answer = witnessing.test_client().post("/witness/add-checkpoint", data=body)
    return answer.status_code, answer.mimetype, answer.text


def body_of(folder: Path, old: int = 0) -> bytes:
    """The request that submits the newest checkpoint of the trail, with the proof that it continues `old` entries."""
    note = (folder / "trail" / "checkpoint").read_text(encoding="utf-8")
    of_chain, size = CheckpointFolder(folder / "trail"), read_text(note).size
    return request_body(old, merkle.consistency_proof(partial(of_chain.root_of, size), old, size), note)


def size_of(log: Log) -> int:
    return read_text((log[0] / "trail" / "checkpoint").read_text(encoding="utf-8")).size


def test_the_protocol_of_witnesses(
    app: Flask, make_application: MakeApplication, sign: Signing, cosigner: Cosigner, witnessing: Flask, log: Log
) -> None:
    """c2sp.org/tlog-witness: its statuses, in its order."""
    make_application(status="pending")
    sign()
    first, small = body_of(log[0]), size_of(log)
    status, kind, line = submit(witnessing, first)
    assert (status, kind, line.count("\n")) == (200, "text/plain", 1)
    note = first.decode().partition("\n\n")[2]
    assert cosigner.signed_at(f"{note}{line}") is not None
    assert submit(witnessing, first) == (409, "text/x.tlog.size", f"{small}\n")
    assert submit(witnessing, body_of(log[0], small))[0] == 200, "the same again is cosigned again"
    make_application(status="filed")
    sign()
    assert submit(witnessing, body_of(log[0], small - 1))[::2] == (409, f"{small}\n")
    good = body_of(log[0], small)
    lines = good.split(b"\n")
    assert submit(witnessing, b"\n".join([lines[0], *lines[2:]]))[0] == 422, "a hash of the proof is missing"
    assert submit(witnessing, good.replace(b"old %d\n" % small, b"old %d\n" % (size_of(log) + 1)))[0] == 400
    assert submit(witnessing, good.replace(b"/trail", b"/other"))[0] == 404
    assert submit(witnessing, good.replace("— ".encode(), "— x".encode()))[0] == 403
    for broken in (
        b"",
        b"old 0\n",
        b"old 01\n\n" + good,
        b"old 0\n" + b"x" * 20_000,
        good[:-1].replace(b"\n\n", b"\n"),
    ):
        assert submit(witnessing, broken)[0] == 400, broken[:40]
    assert submit(witnessing, good)[0] == 200
    assert cosigned(witnessing, log) == size_of(log)


def cosigned(witnessing: Flask, log: Log) -> int:
    """The size of the newest checkpoint that the witness shows."""
    verifier = Verifier.of_text(log[2])
    shown = witnessing.test_client().get("/witness/checkpoint", query_string={"origin": verifier.name})
    return verifier.read(shown.text).size


def test_nothing_but_the_listed_registers_is_shown(witnessing: Flask, cosigner: Cosigner) -> None:
    browser = witnessing.test_client()
    for origin in ("", "x", "../witness.pem", "%2e%2e"):
        assert browser.get("/witness/checkpoint", query_string={"origin": origin}).status_code == 404


def test_of_two_requests_at_once_one_is_told_the_new_size(
    make_application: MakeApplication, sign: Signing, cosigner: Cosigner, witnessing: Flask, log: Log
) -> None:
    make_application(status="pending")
    sign()
    body, size = body_of(log[0]), size_of(log)
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(status for status, _kind, _text in pool.map(lambda _turn: submit(witnessing, body), range(4)))
    assert (answers, cosigned(witnessing, log)) == ([200, 409, 409, 409], size)


def test_the_message_that_is_cosigned_is_that_of_the_standard(cosigner: Cosigner, tmp_path: Path) -> None:
    """Time and text as c2sp.org/tlog-cosignature has them, verified without our code."""
    key = load_pem_private_key((tmp_path / "witness.pem").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    body = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    line = cosign(body, "w", key, datetime(2023, 3, 20, 15, 5, 15, tzinfo=UTC))
    raw = base64.b64decode(line.split(" ")[2])
    assert (line.split(" ")[:2], int.from_bytes(raw[4:12])) == (["—", "w"], 1679324715)
    key.public_key().verify(raw[12:], b"cosignature/v1\ntime 1679324715\n" + body.encode())
    assert raw[:4] == hashlib.sha256(b"w\n\x04" + key.public_key().public_bytes_raw()).digest()[:4]


@pytest.mark.parametrize("settings", [
    {"WITNESS_FOLDER": "cosigned"}, {"WITNESS_FOLDER": "x", "WITNESS_KEY": "missing.pem", "WITNESS_LOGS": "x"},
    {"WITNESSES": "https://guangdong.example.cn/witness"}, {"WITNESSES": "http://guangdong.example.cn/witness#x"},
])  # fmt: skip
def test_settings_that_cannot_be_used_stop_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(click.ClickException, match="WITNESS"):
        create_app({"SECRET_KEY": "w", "SQLALCHEMY_DATABASE_URI": "sqlite://"} | settings)


def test_the_key_of_a_register_can_be_replaced(
    make_application: MakeApplication, sign: Signing, cosigner: Cosigner, witnessing: Flask, log: Log, invoke: Invoke
) -> None:
    """The witness is told the new key in place of the old one; the new checkpoint must continue the last one, too."""
    make_application(status="pending")
    sign()
    assert submit(witnessing, body_of(log[0]))[0] == 200
    seen, key = size_of(log), log[1].with_name("new.pem")
    witnessing.config["WITNESS_LOGS"] = invoke("trail", "new-key", str(key)).output.split()[0]
    shutil.rmtree(log[0])
    make_application(status="pending")
    assert invoke("trail", "checkpoint", str(log[0]), "--key-file", str(key), "--first").exit_code == 0
    assert [submit(witnessing, body_of(log[0], old))[0] for old in (0, seen)] == [409, 200]


def test_a_witness_without_its_folder_cosigns_nothing(
    make_application: MakeApplication, sign: Signing, cosigner: Cosigner, witnessing: Flask, log: Log
) -> None:
    """An empty mount point, or a damaged note: beginning anew, it would cosign a rewritten register."""
    make_application(status="pending")
    sign()
    folder = Path(witnessing.config["WITNESS_FOLDER"])
    (folder / MARKER).unlink()
    assert submit(witnessing, body_of(log[0]))[0] == 503
    (folder / MARKER).touch()
    assert submit(witnessing, body_of(log[0]))[0] == 200
    (note,) = folder.glob("*trail/[0-9]*")
    for damaged in ("", "x"):
        note.write_text(damaged)
        assert submit(witnessing, body_of(log[0]))[0] == 503, damaged
    Path(witnessing.config["WITNESS_KEY"]).write_text("x")
    assert submit(witnessing, body_of(log[0]))[0] == 503


def test_lines_that_others_have_added_to_a_note_are_not_stored(
    make_application: MakeApplication, sign: Signing, cosigner: Cosigner, witnessing: Flask, log: Log
) -> None:
    """Whoever has a note may submit it again: neither text of theirs is shown, nor do more lines hide the witness's."""
    make_application(status="pending")
    sign()
    assert submit(witnessing, body_of(log[0]))[0] == 200
    verifier = Verifier.of_text(log[2])
    forged = verifier.line(bytes(64))
    added = "".join(f"{line}\n" for line in ["— <script> AAAA", *[forged] * 14])
    padded = body_of(log[0], size_of(log)) + added.encode()
    assert submit(witnessing, padded)[0] == 200
    shown = witnessing.test_client().get("/witness/checkpoint", query_string={"origin": verifier.name}).text
    assert (shown.count("— "), cosigner.signed_at(shown) is not None) == (2, True), "of the register and of the witness"
