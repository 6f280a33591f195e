"""打印与导出日志: which paper and which file was handed out to whom."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.log import LogEntry
from tests.apps import engine_of_owner
from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.screens.read_logs import columns_of, entries_of, lines
from views.panel import logged

Lines = list[dict[str, str]]


@contextmanager
def writing_elsewhere(app: Flask) -> Iterator[None]:
    """Another session holds the lock of the log, so that no entry can be written."""
    with app.app_context():
        connection = engine_of_owner(app).connect()
    locking = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE log_entry IN EXCLUSIVE MODE"}
    connection.exec_driver_sql(locking[connection.dialect.name])
    yield
    connection.rollback()
    connection.close()


class TestHandouts:
    @pytest.mark.slow
    def test_the_log_names_who_opened_a_certificate_or_file(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        key = make_application(status="filed")
        make_papers(app)
        record = stored_rows(key)
        number, certificate = record["application"][0]["number"], record["certificate"][0]["number"]
        file = next(row["id"] for row in record["attachment"] if row["kind"] == "contract")
        reviewer = client_as("reviewer")
        assert reviewer.get(f"/filings/certificate/?id={key}").mimetype == "application/pdf"
        assert reviewer.get(f"/filings/attachment/?id={file}").status_code == 200
        assert reviewer.get(f"/filings/attachment/?id={file}&download=1").status_code == 200
        assert client_as("publisher2").get(f"/applications/attachment/?id={file}").status_code == 404
        rows = lines(client_as("national"), "prints")
        assert columns_of(rows, "事项", "用户名", "对象", "说明", "地址") == [
            ("下载附件", "reviewer", number, f"境外加工合同（附件 {file}）", "127.0.0.1"),
            ("查看附件", "reviewer", number, f"境外加工合同（附件 {file}）", "127.0.0.1"),
            ("打开备案证明", "reviewer", certificate, "", "127.0.0.1"),
        ]

    def test_a_file_read_in_parts_is_logged_once(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        make_application(status="pending")
        publisher = client_as("publisher")
        for part in ("bytes=1-99", "bytes=100-199", "bytes=-50", "bytes=0-"):  # as good as whole from the first on
            for file in (1, 2):
                answer = publisher.get(f"/applications/attachment/?id={file}", headers={"Range": part})
                assert answer.status_code == 206
        publisher.head("/applications/attachment/?id=1")
        assert [kind for kind, *_rest in entries_of(app)] == ["file_shown", "file_shown"]
        publisher.get("/applications/attachment/?id=1")
        assert len(entries_of(app)) == 3

    @pytest.mark.slow
    def test_a_bundle_is_logged_with_its_numbers(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        keys = [make_application(status="filed"), make_application(status="filed")]
        make_papers(app)
        publisher = client_as("publisher")
        publisher.get(publisher.post("/applications/print-all/", data={"pick": keys}).location)
        rows = lines(client_as("national"), "prints")
        assert columns_of(rows, "事项", "数量") == [("打开合并打印件", "2")] * 2
        for number in {row["对象"] for row in rows}:
            assert columns_of(lines(client_as("national"), "prints", f"about={number.lower()}"), "对象") == [(number,)]

    @pytest.mark.slow
    def test_an_export_is_logged_with_its_query_and_number_of_rows(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        make_application(status="filed", title="茉莉花")
        client_as("reviewer").get("/filings/export/xlsx/?title=茉莉花&status=filed&since=2020-01-01&until=2099-12-31")
        client_as("reviewer").get("/statistics/export/csv/?since=2026-01-01&until=2026-12-31")
        client_as("publisher").get("/applications/export/csv/?title=没有")
        national = client_as("national")
        assert columns_of(lines(national, "prints"), "事项", "用户名", "对象", "数量") == [
            ("导出", "publisher", "申请", "0"),
            ("导出", "reviewer", "统计", "12"),
            ("导出", "reviewer", "全部申请", "1"),
        ]
        asked = "商品名称：茉莉花；申请日期起：2020-01-01；申请日期止：2099-12-31；数据状态：已备案"
        with app.app_context(), access.everything() as session:
            assert asked in session.scalars(select(LogEntry.words)).all()
        assert {row["说明"] for row in lines(national, "prints", "username=reviewer")} == {""}  # it is the asker's own
        own = lines(national, "prints")[0]
        assert (own["对象"], own["说明"]) == ("打印与导出日志", "用户名：reviewer")  # which tells of itself, too

    @pytest.mark.slow
    def test_the_operator_does_not_see_the_subject_of_a_log_entry(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        key = make_application(status="filed", title="机密标题")
        make_papers(app)
        reviewer = client_as("reviewer")
        reviewer.get(f"/filings/certificate/?id={key}")
        reviewer.get("/filings/export/csv/?title=机密标题")
        operator = client_as("operator")
        page, rows = operator.get("/prints/").text, lines(operator, "prints")
        assert columns_of(rows, "事项", "对象", "说明") == [("导出", "全部申请", ""), ("打开备案证明", "", "")]
        for secret in ("机密标题", "Z32", "SQ20"):
            assert secret not in page
            assert secret not in str(rows)

    def test_the_nation_does_not_see_log_entries_about_invisible_applications(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        """For drafts and pending ones, neither the number nor the file; nor when the number is searched for."""
        make_application()
        publisher, national = client_as("publisher"), client_as("national")
        publisher.get("/applications/attachment/?id=1")
        publisher.get("/applications/export/csv/?title=秘密标题")
        page, rows = national.get("/prints/").text, lines(national, "prints")
        assert columns_of(rows, "事项", "对象", "说明") == [("导出", "申请", ""), ("查看附件", "", "")]
        assert "SQ20" not in page
        assert "秘密标题" not in page
        for who in ("national", "operator"):
            number = lines(client_as(who), "prints", "about=SQ202600000001")
            assert not any("SQ2026" in str(row) for row in number)
        assert "共 0 条" in national.get("/prints/?about=SQ202600000001").text

    def test_the_operator_cannot_search_the_log_by_number(
        self, client_as: ClientAs, app: Flask, make_application: MakeApplication
    ) -> None:
        """Hidden numbers are not found: a known and an unknown number get the same answer."""
        key = make_application(status="filed")
        make_papers(app)
        client_as("reviewer").get(f"/filings/certificate/?id={key}")
        operator = client_as("operator")
        assert 'name="about"' not in operator.get("/prints/").text
        known, unknown = (operator.get(f"/prints/?about={number}").text for number in ("Z32202600000153", "Z1"))
        assert known.count("打开备案证明") == unknown.count("打开备案证明")

    @pytest.mark.slow
    def test_a_file_is_served_although_the_log_cannot_be_written(
        self,
        client_as: ClientAs,
        app: Flask,
        make_application: MakeApplication,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The missing entry is in the log of the process."""
        make_application(status="pending")
        monkeypatch.setattr(logged, "SECONDS", 1)
        publisher = client_as("publisher")
        with writing_elsewhere(app), caplog.at_level(logging.ERROR):
            answer = publisher.get("/applications/attachment/?id=1")
            assert (answer.status_code, answer.data[:5]) == (200, b"%PDF-")
        assert re.search(r"not in the log: publisher file_shown SQ\d+", caplog.text)
        assert entries_of(app) == []
        assert publisher.get("/applications/attachment/?id=1").status_code == 200
        assert len(entries_of(app)) == 1
