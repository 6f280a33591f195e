"""Exports of everything: in parts, one a person at a time, whole or not at all."""

import csv
import io
import threading
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from models import access
from models.application import Application
from models.log import LogEntry
from models.people.export_leases import ExportLease
from models.workflow import Refused
from tests.browsing import Browser, ClientAs, signed_in
from tests.conftest import MakeApplication
from tests.views.pages import flashed
from tests.views.panel.exported import rows_of
from views.panel import export, one_export, paging, spreadsheet

CSV = "/applications/export/csv/"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows are read at a time, and each line is sent by itself."""
    monkeypatch.setattr(export, "CHUNK", 2)
    monkeypatch.setattr("views.panel.list_export.CHUNK", 2)
    monkeypatch.setattr(spreadsheet, "BLOCK", 1)


def exported(app: Flask, kind: str = "export") -> list[tuple[str, int | None]]:
    """(list, lines) of each entry 导出 in the log."""
    with app.app_context(), access.everything() as session:
        wanted = select(LogEntry.about, LogEntry.amount).where(LogEntry.kind == kind).order_by(LogEntry.id)
        return [tuple(row) for row in session.execute(wanted)]


def test_an_export_has_more_rows_than_the_pager_can_reach(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the order of the list, once each; the number of lines is in the log."""
    monkeypatch.setattr(paging, "REACH", 3)
    for n in range(5):
        make_application(title=f"第 {n} 张", carriers=2)
    for kind in ("csv", "xlsx"):
        head, *rows = rows_of(client_as("publisher").get(f"/applications/export/{kind}/"), kind)
        assert [row[head.index("商品名称")] for row in rows] == [f"第 {n} 张" for n in reversed(range(5))]
        assert {row[head.index("进口数量（张）")] for row in rows} == {"2001"}
    assert exported(app) == [("申请", 5)] * 2


def test_a_long_log_is_exported_completely(
    app: Flask, client_as: ClientAs, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "REACH", 3)
    for _time in range(5):
        Browser(app).post("/login", data={"username": "agent", "password": "wrong-Pass-1"})
    for kind in ("csv", "xlsx"):
        _head, *rows = rows_of(client_as("operator").get(f"/signins/export/{kind}/"), kind)
        assert len(rows) == 5


@pytest.fixture
def running_export(client_as: ClientAs, make_application: MakeApplication, small_parts: None) -> Iterator[Any]:
    """The blocks of an export whose client has read one of them."""
    for _n in range(9):
        make_application()
    answer = client_as("publisher").get(CSV, buffered=False)
    blocks = answer.iter_encoded()
    assert next(blocks).startswith(b"\xef\xbb\xbf")
    yield blocks
    answer.close()


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_second_parallel_export_of_one_person_is_refused_and_others_get_their_file(
    app: Flask, running_export: Any
) -> None:
    """Also from another process, or machine: the lease is in the database."""
    answers: dict[str, Any] = {}

    def ask(who: str) -> None:
        browser = signed_in(app, who)
        answers[who] = browser.get("/applications/export/xlsx/?status=draft")
        answers[f"{who} then"] = browser.get("/applications/").text

    for who in ("publisher", "publisher2"):  # a thread has no context of the first one's request
        thread = threading.Thread(target=ask, args=(who,))
        thread.start()
        thread.join()
    assert answers["publisher2"].status_code == 200
    assert (answers["publisher"].status_code, answers["publisher"].location) == (303, "/applications/?status=draft")
    assert flashed(answers["publisher then"]) == [
        "您的上一次导出还没有完成，没有重复导出，请稍后再试（异常中断的，2 分钟后再试）。"
    ]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_after_an_aborted_download_a_new_export_can_start(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, small_parts: None
) -> None:
    for _n in range(9):
        make_application()
    browser = client_as("publisher")
    broken_off = browser.get(CSV, buffered=False)
    next(broken_off.iter_encoded())
    broken_off.close()
    assert [name for name, _rows in exported(app, "export_broken")] == ["申请"]
    assert browser.head(CSV).status_code == 200
    assert len(list(csv.reader(io.StringIO(browser.get(CSV).text)))) == 10


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_export_omits_rows_that_became_invisible_meanwhile(app: Flask, running_export: Any) -> None:
    """Each part is read as the account sees it then."""
    with app.app_context(), access.everything() as session:
        hidden = session.scalars(select(Application).order_by(Application.id)).first()
        assert hidden is not None
        hidden.deleted_at, number = hidden.created_at, hidden.number
        session.commit()
    rest = b"".join(running_export).decode()
    assert number not in rest
    assert rest.count("\r\n") == 8 - 1 + 1
    assert exported(app, "export_ended") == [("申请", 8)]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_export_that_lost_its_lease_is_aborted(
    app: Flask, running_export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example after its reader paused longer than a lease; the rows written are in the log."""
    monkeypatch.setattr(one_export, "RENEWAL", 0)
    with app.app_context(), access.everything() as session:
        session.execute(delete(ExportLease))
        session.commit()
    with pytest.raises(Refused, match="导出停顿过久"):
        b"".join(running_export)
    assert exported(app, "export_ended") == []
    ((name, rows),) = exported(app, "export_broken")
    assert name == "申请"
    assert rows in range(1, 9)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_too_many_rows_for_a_sheet_are_refused_with_a_hint_to_csv(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_export, "MOST_IN_XLSX", 1)
    make_application(), make_application()
    browser = client_as("publisher")
    assert browser.get("/applications/export/xlsx/?title=茉莉").location == "/applications/?title=%E8%8C%89%E8%8E%89"
    assert flashed(browser.get("/applications/").text) == [
        "查询结果有 2 条，Excel 文件最多 1 条，请缩小查询范围，或改为导出 CSV。"
    ]
    assert browser.get(CSV).status_code == 200
    assert exported(app) == [("申请", 2)]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("why", ["slow", "full"])
def test_a_workbook_that_cannot_be_completed_is_not_sent(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """It takes too long, or the disk is full: a sentence, no entry in the log, and the next export is free."""

    def full(*_args: Any, **_options: Any) -> TemporaryDirectory[str]:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if why == "slow":
            broken.setattr(spreadsheet, "SECONDS", 0)
        else:
            broken.setattr("tempfile.TemporaryDirectory", full)
        make_application()
        browser = client_as("publisher")
        assert browser.get("/applications/export/xlsx/").location == "/applications/"
    (sentence,) = flashed(browser.get("/applications/").text)
    assert sentence.startswith("生成 Excel 文件用时过长" if why == "slow" else "服务器的临时空间不足")
    assert exported(app) == []
    assert browser.get("/applications/export/xlsx/").status_code == 200
