"""/metrics and the log of the process, of the very server with its two processes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from models.database import db
from tests.apps import prepare_app
from tests.serving import Client, Server, serving

TOKEN = "a-token-of-Prometheus"


@pytest.fixture(scope="module")
def metrics_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that counts, and writes JSON."""
    folder = tmp_path_factory.mktemp("metrics")
    app = prepare_app(f"sqlite:///{folder}/filing.sqlite", folder)
    with serving(app, folder, METRICS_TOKEN=TOKEN, LOG_FORMAT="json") as server:
        yield server


def scraped(server: Server) -> dict[str, float]:
    """Series → figure."""
    answer = Client(server).get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200, answer.text
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {series: float(figure) for series, _space, figure in lines}


def lines_of(log: Path) -> list[dict[str, object]]:
    found = log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in found if line.startswith("{")]


def test_the_metrics_sum_both_processes_and_require_the_token(metrics_server: Server) -> None:
    before = scraped(metrics_server)
    for _turn in range(40):
        Client(metrics_server).get("/verify/")
    after = scraped(metrics_server)
    asked = [name for name in after if name.startswith("filing_request_seconds_count") and "verify" in name]
    assert sum(after[name] - before.get(name, 0) for name in asked) == 40, asked
    assert after["filing_database_up"] == 1
    assert after['filing_queue_length{queue="papers_waiting"}'] == 0
    assert after['filing_signins_refused_last_hour{reason="account_disabled"}'] == 0
    for header in ("", "Bearer", "Bearer x", f"Basic {TOKEN}"):
        assert Client(metrics_server).get("/metrics", Authorization=header).status == 404
    assert Client(metrics_server).get("/metrics").status == 404


def test_a_refused_sign_in_is_counted(metrics_server: Server) -> None:
    client = Client(metrics_server)
    client.get("/login")
    client.get("/captcha.png")
    sent = {"username": "publisher", "password": "wrong", "code": metrics_server.code(client.cookies["filing"])}
    client.post("/login", sent)
    assert scraped(metrics_server)['filing_signins_refused_last_hour{reason="wrong_password"}'] == 1


def test_every_log_line_is_json_and_names_only_the_signed_in_account(metrics_server: Server) -> None:
    client = metrics_server.client("publisher")
    answer = client.get("/applications/?title=秘密的题名")
    (line,) = (each for each in lines_of(metrics_server.log) if each.get("request") == answer.headers["X-Request-Id"])
    assert (line["event"], line["endpoint"], line["status"]) == ("answered", "applications.index_view", 200)
    assert isinstance(line["account"], int) and isinstance(line["ms"], int)
    whole = metrics_server.log.read_text(encoding="utf-8")
    assert not re.search(r"秘密|publisher|127\.0\.", whole)


def test_an_incident_on_the_page_is_found_in_the_log(metrics_server: Server) -> None:
    with metrics_server.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE kept_query RENAME TO elsewhere"))
    try:
        answer = metrics_server.client("publisher").get("/queries/")
    finally:
        with metrics_server.app.app_context(), db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO kept_query"))
    assert answer.status == 500
    number = re.search(r"事件编号\D*?([0-9A-F]{8})", re.sub("<[^>]*>", " ", answer.text))
    assert number, answer.text
    found = [
        each for each in lines_of(metrics_server.log) if each.get("incident") == number[1] and each.get("exception")
    ]
    assert [each["request"] for each in found] == [answer.headers["X-Request-Id"]]
    assert "no such table" in str(found[0]["exception"])


def test_the_metrics_page_without_a_configured_token_is_not_found(served: Server) -> None:
    assert Client(served).get("/metrics", Authorization="Bearer None").status == 404
    assert Client(served).get("/metrics", Authorization="Bearer ").status == 404
