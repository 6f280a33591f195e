"""Commands on certificates: verify a file, a number, a code; make papers."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask
from sqlalchemy import select

from models import access, clock, numbering
from models.acts import papers
from models.certificate import Paper
from models.certificate.display import dated
from models.signing import check_code
from models.vocabulary import Action
from tests import ROOT
from tests.cast import perform_step
from tests.conftest import MakeApplication

Saying = Callable[..., Result]
FORGED = "二维码不完整，或不是签发机关为这份证明签署的。请重新扫描；仍是如此的，请勿采信，并向签发机关核实。"


@pytest.fixture
def run(app: Flask) -> Saying:
    """`run("verify", file)`: the result of `flask certificate verify FILE`."""

    def run(*words: object) -> Result:
        return app.test_cli_runner().invoke(args=["certificate", *map(str, words)])

    return run


def test_a_file_is_valid_only_while_its_certificate_is(
    app: Flask,
    make_application: MakeApplication,
    printed_paper: Any,
    certificate_data: Any,
    run: Saying,
    make_pdf: Any,
    tmp_path: Path,
) -> None:
    """PD4: exit status 0 for the issued file of a valid certificate alone."""
    key = make_application(status="filed")
    file, paper = tmp_path / "证明.pdf", printed_paper(key)
    file.write_bytes(paper)
    done = run("verify", file)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("这份备案证明目前有效。\n")
    assert f"  证明编号：{certificate_data(key).number}\n" in done.stdout
    for content in (paper[:-1], paper[:4000] + b"x" + paper[4001:], make_pdf(), b"", b"x"):
        file.write_bytes(content)
        done = run("verify", file)
        assert (done.exit_code, "文件" in done.stdout, "证明编号：" in done.stdout) == (1, True, False)
    file.write_bytes(paper)
    perform_step(app, Action.REVOKE, key, "publisher")
    done = run("verify", file)
    assert (done.exit_code, f"已于 {dated(clock.today())}作废" in done.stdout) == (1, True)
    assert run("verify", tmp_path / "nothing.pdf").exit_code == 2


def test_a_number_is_verified_in_any_spelling(
    app: Flask, make_application: MakeApplication, certificate_data: Any, run: Saying
) -> None:
    """`certificate verify NUMBER`: validity without facts."""
    key = make_application(status="filed")
    number = certificate_data(key).number
    for spelled in (number, number.lower(), number.replace("0", "O"), f"{number[:7]}-{number[7:]}"):
        done = run("verify", spelled)
        assert (done.exit_code, done.output) == (0, "这份备案证明目前有效。\n"), spelled
    perform_step(app, Action.REVOKE, key, "publisher")
    done = run("verify", number)
    assert (done.exit_code, f"已于 {dated(clock.today())}作废" in done.output) == (1, True)
    never = numbering.format_number(number[:3], int(number[3:7]), 999_999)
    assert (run("verify", never).exit_code, run("verify", number[:-2]).exit_code) == (1, 2)


def test_a_code_is_verified_with_the_public_keys_only(
    app: Flask, make_application: MakeApplication, certificate_data: Any, tmp_path: Path
) -> None:
    """Offline: in another process, without database and private key; shortened texts end in …"""
    paper, public = certificate_data(make_application(status="filed", title="长" * 300)), tmp_path / "public"
    public.mkdir()
    for file in Path(app.config["SIGNING_KEY"]).glob("*.pub"):
        shutil.copy(file, public)
    settings = {
        "FILING_SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://x@127.0.0.1:1/x",
        "FILING_SIGNING_KEY": str(public),
        "FILING_SECRET_KEY": "s",
    }

    def prove(text: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "flask", "--app", "app", "certificate", "verify-code", text]
        ran = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout, ran.stderr

    lines = [
        "二维码由签发机关签署。今天是否仍然有效，请联网查验。",
        f"  证明编号：{paper.number}",
        "  出版单位：江苏文艺音像出版社",
        f"  商品名称：{'长' * 59}…",
        f"  签发日期：{dated(clock.today())}",
        f"  签署日期：{dated(clock.today())}",
    ]
    assert prove(f"https://filing.example/verify/{paper.number}?c={paper.code}") == (0, "\n".join(lines) + "\n", "")
    altered = paper.code[:-1] + ("A" if paper.code[-1] != "A" else "B")
    assert prove(altered) == (1, "", f"{FORGED}\n")


def of_algorithm(number: int, code: str) -> str:
    """As a later version might write it, whose signature is of another length."""
    raw = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    return base64.urlsafe_b64encode(bytes([number]) + raw[1:] + b"longer").rstrip(b"=").decode()


def test_a_code_of_a_later_version_is_not_called_forged(
    app: Flask, make_application: MakeApplication, certificate_data: Any, run: Saying, client_as: Any
) -> None:
    paper = certificate_data(make_application(status="filed"))
    later = of_algorithm(2, paper.code)
    done = run("verify-code", later)
    assert (done.exit_code, "本程序版本较旧" in done.output, "不是签发机关" in done.output) == (1, True, False)
    page = client_as(None).get(f"/verify/{paper.number}?c={later}").text
    assert "本程序版本较旧" in page and "不是签发机关" not in page


def test_one_file_with_the_public_keys_can_verify(
    app: Flask, make_application: MakeApplication, certificate_data: Any, tmp_path: Path
) -> None:
    """`python check_code.py KEYS_FOLDER TEXT`, on a machine without the rest of the product."""
    paper, alone = certificate_data(make_application(status="filed")), tmp_path / "check_code.py"
    shutil.copy(check_code.__file__, alone)
    keys = tmp_path / "keys"
    keys.mkdir()
    shutil.copy(Path(app.config["SIGNING_KEY"], "320000.pub"), keys)
    for text, status, line in (
        (f"https://filing.example/verify/{paper.number}?c={paper.code}", 0, f"\n{paper.number}\n江苏文艺音像出版社\n"),
        (paper.code[:-4], 1, "二维码不完整，或不是签发机关签署的。"),
        (of_algorithm(2, paper.code), 2, "本程序版本较旧，不能查验。"),
        (of_algorithm(99, paper.code), 1, "二维码不完整，或不是签发机关签署的。"),
    ):
        command = [sys.executable, "-I", str(alone), str(keys), text]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (ran.returncode, line in ran.stdout, ran.stderr) == (status, True, "")


def test_codes_signed_with_former_keys_are_still_verified(
    app: Flask, make_application: MakeApplication, certificate_data: Any, run: Saying, client_as: Any, tmp_path: Path
) -> None:
    """After a rotation the former public key remains under another name; no code is reissued."""
    before, folder = certificate_data(make_application(status="filed")), tmp_path / "keys"
    shutil.copytree(app.config["SIGNING_KEY"], folder)
    app.config["SIGNING_KEY"] = str(folder)
    new = Ed25519PrivateKey.generate()
    (folder / "320000.pub").rename(folder / "320000-2025.pub")
    (folder / "320000.key").write_bytes(new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = new.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "320000.pub").write_bytes(public)
    after = certificate_data(make_application(status="filed"))
    for paper in (before, after):
        assert run("verify-code", paper.code).exit_code == 0
        assert "有效" in client_as(None).get(f"/verify/{paper.number}?c={paper.code}").text
    (folder / "320000-2025.pub").unlink()
    assert run("verify-code", before.code).exit_code == 1


def test_an_error_with_one_paper_does_not_stop_the_others(
    app: Flask, make_application: MakeApplication, run: Saying, certificate_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`render` reports it by 证明编号; no paper is made for a revoked certificate."""
    first, revoked, last = (make_application(status=status) for status in ("filed", "revoked", "filed"))
    make, number = papers.make_and_commit, certificate_data(first).number

    def broken(key: int, *rest: Any) -> str:
        if broken.turn():
            raise ZeroDivisionError("a fault of the product")
        return make(key, *rest)

    broken.turn = iter([True, False]).__next__  # type: ignore[attr-defined]
    monkeypatch.setattr(papers, "make_and_commit", broken)
    done = run("render")
    assert (done.exit_code, done.stdout) == (1, "已补制 1 份证明文件。\n")
    assert f"{number}：ZeroDivisionError: a fault of the product\n" in done.stderr
    with app.app_context(), access.everything() as session:
        assert list(session.scalars(select(Paper.application_id))) == [last]
    assert revoked


def test_a_paper_that_cannot_be_made_is_reported_and_does_not_stop_the_others(
    app: Flask,
    make_application: MakeApplication,
    run: Saying,
    make_publisher: Any,
    certificate_data: Any,
    printed_paper: Any,
    tmp_path: Path,
) -> None:
    """`render`: a province without its key waits; the next one's paper is made; a second run finds the rest."""
    waiting = make_application(status="filed")
    other = make_application(by=make_publisher("440000"), status="filed")
    folder, keys = tmp_path / "keys", app.config["SIGNING_KEY"]
    shutil.copytree(keys, folder)
    (folder / "320000.p12").unlink()
    app.config["SIGNING_KEY"] = str(folder)
    done = run("render")
    assert (done.exit_code, done.stdout) == (1, "已补制 1 份证明文件。\n")
    assert "尚未配置江苏省新闻出版局的签章密钥" in done.stderr
    assert "有 1 份没有制成，请按上面的原因处理后再次运行。" in done.stderr
    app.config["SIGNING_KEY"] = keys
    assert run("render").stdout == "已补制 1 份证明文件。\n"
    assert printed_paper(waiting) != printed_paper(other)


@pytest.mark.parametrize("words", [("work",), ("render",)])
def test_failed_papers_are_reported_by_the_exit_status(
    app: Flask, make_application: MakeApplication, run: Saying, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A timer looks at the exit status only."""
    make_application(status="filed")
    keys, app.config["SIGNING_KEY"] = app.config["SIGNING_KEY"], str(tmp_path / "no keys")
    done = run(*words)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "有 1 份没有制成，请按上面的原因处理后再次运行。")
    app.config["SIGNING_KEY"] = keys
    assert run("render").exit_code == 0
    assert run("work").exit_code == 0, "nothing to do is no failure"
