"""Time stamps in the signatures of papers, by a real authority: `openssl ts` behind a small server."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask

from app import create_app
from models import clock
from models.certificate import Paper
from models.certificate.paper_queue import PaperTask
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.certificate.stamps import Authority, Issuer
from tests.views.certificate.test_paper_worker import count, round_of, task_of


def test_a_paper_has_a_trusted_time_stamp(
    app: Flask,
    make_application: MakeApplication,
    time_stamp_authority: Authority,
    printed_paper: Any,
    verified: Callable[[bytes], Result],
    tmp_path: Path,
) -> None:
    """PAdES B-T: another program finds the stamp valid, and it does not end with the certificate of the authority."""
    paper = printed_paper(make_application(status="filed"))
    (tmp_path / "paper.pdf").write_bytes(paper)
    assert time_stamp_authority.asked >= 1
    done = verified(paper)
    assert done.exit_code == 0, done.output
    assert f"签名：PAdES B-T（时间戳 {clock.today()}" in done.output
    report = subprocess.run(
        ["pdfsig", "-nocert", str(tmp_path / "paper.pdf")], capture_output=True, text=True, check=True
    )
    assert "Signature is Valid." in report.stdout
    assert "Total document signed" in report.stdout
    app.config |= {"TSA": None, "TSA_CA": None}
    assert "签名：PAdES B-B（没有可信时间戳）" in verified(paper).output


@pytest.mark.parametrize("mood", ["away", "garbled"])
def test_an_unavailable_time_stamp_authority_delays_papers_and_is_reported_to_the_operator(
    app: Flask,
    make_application: MakeApplication,
    time_stamp_authority: Authority,
    client_as: ClientAs,
    mood: str,
    advance_clock: Any,
) -> None:
    """Never silently without: it is no fault of the paper, which is made as soon as the authority answers again."""
    time_stamp_authority.mood = mood
    key = make_application(status="filed")
    for _round in range(7):
        (why,) = round_of(app)
        assert why.startswith("没有取得时间戳（")
        advance_clock()
    assert (count(app, Paper), task_of(app, key).faults, task_of(app, key).set_aside_at) == (0, 0, None)
    page = client_as("operator").get("/condition/").text
    assert "没有取得时间戳（" in page
    assert "请检查时间戳服务和" in page
    time_stamp_authority.mood = ""
    assert round_of(app) == []
    assert (count(app, Paper), count(app, PaperTask)) == (1, 0)


def test_a_stamp_of_an_authority_that_is_not_trusted_is_refused(
    app: Flask, make_application: MakeApplication, time_stamp_authority: Authority, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.crt"
    stranger.write_bytes(Issuer("Stranger").certificate.public_bytes(Encoding.PEM))
    app.config["TSA_CA"] = str(stranger)
    key = make_application(status="filed")
    (why,) = round_of(app)
    assert "时间戳不是由 FILING_TSA_CA 中的根证书签发" in why
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TSA": "http://tsa.example/"}, "应同时设置"),
        ({"TSA": "tsa.example", "TSA_CA": __file__}, "应为 http:// 或 https:// 地址"),
        ({"TSA": "http://tsa.example/", "TSA_CA": __file__}, "不是可读的 PEM 证书文件"),
        ({"TSA": "http://tsa.example/", "TSA_CA": "/nowhere"}, "不是可读的 PEM 证书文件"),
    ],
)
def test_incomplete_time_stamp_settings_stop_the_start(settings: dict[str, str], words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"} | settings)
