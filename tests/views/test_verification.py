"""`flask certificate verify FILE`: whether a file in somebody's hands is the certificate on the register."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.certificate import Certificate
from tests.conftest import Making
from views.certificate import pdf

Judge = Callable[[bytes], tuple[int, str]]
UNKNOWN = "查无此证：文件中的证明编号未登记，或文件不是证明。"


def paper_of(app: Flask, key: int) -> tuple[str, bytes]:
    """The number and the PDF of that application's certificate."""
    with app.app_context(), access.everything() as session:
        found = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
        return found.number, pdf(found)


@pytest.fixture
def printed(app: Flask) -> Callable[[int], tuple[str, bytes]]:
    """`printed(key)`: number and PDF, as printed by this process."""
    return lambda key: paper_of(app, key)


@pytest.fixture
def judge(app: Flask, tmp_path: Path) -> Judge:
    """`judge(bytes)`: exit status and words of the command."""

    def asked(paper: bytes) -> tuple[int, str]:
        file = tmp_path / "证明.pdf"
        file.write_bytes(paper)
        done = app.test_cli_runner().invoke(args=["certificate", "verify", str(file)])
        return done.exit_code, done.output.strip()

    return asked


def with_title(paper: bytes, title: str) -> bytes:
    """The same paper under another title."""
    out = BytesIO()
    with pikepdf.open(BytesIO(paper)) as opened:
        opened.docinfo["/Title"] = title
        opened.save(out)
    return out.getvalue()


def test_the_certificate_as_printed_is_valid(make_application: Making, printed: Any, judge: Judge) -> None:
    """有效, and status 0; also while customs has refused it."""
    for status in ("filed", "customs_failed"):
        number, paper = printed(make_application(status=status))
        assert judge(paper) == (0, f"{number}：有效。")


def test_a_revoked_certificate_is_void(make_application: Making, printed: Any, judge: Judge) -> None:
    """已作废, although it is the very paper."""
    number, paper = printed(make_application(status="revoked"))
    assert judge(paper) == (1, f"{number}：已作废。")


def test_a_paper_with_one_byte_changed_is_found_out(make_application: Making, printed: Any, judge: Judge) -> None:
    """内容与登记不一致: every byte counts."""
    number, paper = printed(make_application(status="filed"))
    said = (1, f"{number}：内容与登记不一致，请以登记内容为准。")
    assert judge(paper + b"\n") == said
    middle = paper.index(b"stream") + 200
    assert judge(paper[:middle] + bytes([paper[middle] ^ 1]) + paper[middle + 1 :]) == said


def test_the_number_of_another_certificate_does_not_help(make_application: Making, printed: Any, judge: Judge) -> None:
    """A paper that claims another's number is compared with that other."""
    number, _own = printed(make_application(status="filed"))
    _number, paper = printed(make_application(status="filed", title="另一种"))
    assert judge(with_title(paper, f"赴境外加工光盘进口备案证明 {number}"))[1].startswith(f"{number}：内容与登记不一致")


def test_what_is_no_certificate_of_ours_is_unknown(
    make_application: Making, printed: Any, judge: Judge, a_pdf: Callable[[str], bytes]
) -> None:
    """查无此证, whatever the file is."""
    number, paper = printed(make_application(status="filed"))
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    for file in (
        b"",
        b"no PDF",
        paper[:5000],
        a_pdf("样品"),
        with_title(paper, f"证明 {wrong}"),
        with_title(paper, ""),
    ):
        assert judge(file) == (1, UNKNOWN)


def test_every_process_prints_the_same_bytes(app: Flask, make_application: Making, printed: Any) -> None:
    """The comparison rests on it: no clock, no chance, no order of a set gets into the file."""
    key = make_application(status="filed")
    look = "import sys; from app import create_app; from tests.views.test_verification import paper_of; "
    look += "app = create_app({'SQLALCHEMY_DATABASE_URI': sys.argv[1], 'STORE': sys.argv[2], 'SECRET_KEY': 'x'}); "
    look += "sys.stdout.buffer.write(paper_of(app, int(sys.argv[3]))[1])"
    command = [sys.executable, "-c", look, app.config["SQLALCHEMY_DATABASE_URI"], app.config["STORE"], str(key)]
    root = Path(__file__).parent.parent.parent
    for seed, zone in (("1", "UTC"), ("2", "America/New_York")):
        settings = {"PYTHONHASHSEED": seed, "TZ": zone, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=root, env=settings, capture_output=True, check=True)
        assert done.stdout == printed(key)[1]
