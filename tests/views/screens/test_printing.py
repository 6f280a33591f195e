"""打印 as it is recorded, and many certificates in one file."""

import re

import pytest
from flask import Flask

from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.screens.recorded_prints import SCREENS, prints


class TestPrintRecord:
    @pytest.mark.slow
    def test_every_print_is_in_the_history_and_viewing_is_not(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """Who, when, which copy; the paper itself can be opened again without a word."""
        key = make_application(status="filed")
        make_papers(app)
        for who, screen in SCREENS.items():
            client_as(who).post(f"/{screen}/print/", data={"id": key})
        assert prints(stored_rows(key)) == [("王敏（江苏文艺音像出版社）", 1), ("陈静", 2), ("周国", 3)]
        before = None
        for who, screen in SCREENS.items():
            assert client_as(who).get(f"/{screen}/certificate/?id={key}").mimetype == "application/pdf"
            before = before or ledger(app)
        assert ledger(app) == before
        assert "第 3 次打印" in client_as("publisher").get(f"/applications/details/?id={key}").text

    @pytest.mark.slow
    def test_a_print_is_recorded_after_the_paper_is_made(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """打印 before the paper is made waits on a page that reloads itself, and then prints: recorded once."""
        key, browser = make_application(status="filed"), client_as("publisher")
        waiting = browser.post("/applications/print/", data={"id": key}).location
        page = browser.get(waiting).text
        assert "证明已经签发，文件正在制作，通常几秒钟即可完成。" in page
        assert '<meta http-equiv="refresh" content="2">' in page
        assert prints(stored_rows(key)) == []
        make_papers(app)
        page = browser.get(waiting).text
        assert 'http-equiv="refresh"' not in page
        [form] = re.findall(r'<form method="post" action="([^"]+)" data-print-now="([^"]+)">', page)
        assert form == ("/applications/print/", f"/applications/certificate/?id={key}")
        assert f'name="id" value="{key}"' in page
        assert prints(stored_rows(key)) == []
        assert browser.post(form[0], data={"id": key}).location == form[1]
        assert len(prints(stored_rows(key))) == 1
        assert browser.get(form[1]).mimetype == "application/pdf"
