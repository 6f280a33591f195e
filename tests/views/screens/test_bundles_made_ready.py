"""Papers are made ready one by one before they are bound into one file."""

import pytest
from flask import Flask

from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import flashed
from tests.views.screens.recorded_prints import bound, prints


class TestMadeReady:
    @pytest.mark.slow
    def test_a_paper_not_made_yet_stops_the_bundle(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """All or none, without a script too: a message has the number, no print is recorded; later they are printed."""
        first, browser = make_application(status="filed"), client_as("publisher")
        make_papers(app)
        keys = [first, *(make_application(status="filed") for _ in range(2))]
        before = ledger(app)
        answer = browser.post("/applications/print-all/", data={"pick": keys}, follow_redirects=True)
        assert flashed(answer.text) == ["有 2 份证明文件正在制作，没有打印任何一份，请几秒钟后再次打印。"]
        assert ledger(app) == before
        make_papers(app)
        assert bound(browser, "applications", keys).mimetype == "application/pdf"
        assert [len(prints(stored_rows(key))) for key in keys] == [1, 1, 1]

    @pytest.mark.slow
    def test_papers_of_a_bundle_are_prepared_one_by_one(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """`prepare` answers 202 until a worker has made the paper, then 204; it writes nothing where one is asked."""
        key, browser = make_application(status="filed"), client_as("publisher")
        before = ledger(app)
        assert browser.post("/applications/prepare/", data={"id": key}).status_code == 202
        assert ledger(app) == before
        make_papers(app)
        after = ledger(app)
        assert [table for table in after if after[table] != before[table]] == ["paper", "paper_task"]
        assert browser.post("/applications/prepare/", data={"id": key}).status_code == 204
        assert ledger(app) == after

    def test_a_paper_that_may_not_be_printed_is_not_prepared(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        key = make_application(status="revoked")
        before, script = ledger(app), {"X-Requested-With": "XMLHttpRequest"}
        answer = client_as("publisher").post("/applications/prepare/", data={"id": key}, headers=script)
        assert (answer.status_code, answer.json["message"].partition("；")[0]) == (
            409,
            "当前状态为「已作废」，不能打印",
        )
        assert ledger(app) == before
