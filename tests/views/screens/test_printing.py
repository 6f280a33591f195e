"""打印 as it is recorded, and many certificates in one file."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import access
from models.certificate import Certificate
from tests.cast import make_papers
from tests.conftest import Browser, Making, Recording
from tests.views.ledger import ledger
from tests.views.pages import said
from views.screens.printing import job_of

As = Callable[[str | None], Browser]
SCREENS = {"publisher": "applications", "reviewer": "filings", "national": "register"}
NOBODY = "没有打印任何一份，请取消勾选后重试。"


def prints(kept: dict[str, Any]) -> list[tuple[str, Any]]:
    """(who, which copy) of every print in the history."""
    return [
        (entry["actor_name"], entry["changes"]["copy"][1]) for entry in kept["trail_entry"] if entry["act"] == "print"
    ]


def bound(browser: Browser, screen: str, keys: list[int]) -> TestResponse:
    """打印 of these rows: the POST leads to an address, which answers with the file."""
    answer = browser.post(f"/{screen}/print-all/", data={"pick": keys})
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, f"/{screen}/bundle/")
    return browser.get(answer.location)


def number_on(app: Flask, key: int) -> str:
    """The number of the certificate."""
    with app.app_context(), access.everything() as session:
        return session.scalars(select(Certificate.number).where(Certificate.application_id == key)).one()


class TestPrintRecord:
    @pytest.mark.slow
    def test_every_print_stands_in_the_history_and_a_look_at_the_paper_does_not(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        """Who, when, which copy; the paper itself can be opened again without a word."""
        key = make_application(status="filed")
        make_papers(app)
        for who, screen in SCREENS.items():
            as_(who).post(f"/{screen}/print/", data={"id": key})
        assert prints(on_record(key)) == [("王敏（江苏文艺音像出版社）", 1), ("陈静", 2), ("周国", 3)]
        before = None
        for who, screen in SCREENS.items():
            assert as_(who).get(f"/{screen}/certificate/?id={key}").mimetype == "application/pdf"
            before = before or ledger(app)
        assert ledger(app) == before
        assert "第 3 次打印" in as_("publisher").get(f"/applications/details/?id={key}").text

    @pytest.mark.slow
    def test_a_print_is_recorded_once_the_paper_is_there(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        """打印 before the paper is made waits on a page that reloads itself, and then prints: recorded once."""
        key, browser = make_application(status="filed"), as_("publisher")
        waiting = browser.post("/applications/print/", data={"id": key}).location
        page = browser.get(waiting).text
        assert "证明已经签发，文件正在制作，通常几秒钟即可完成。" in page
        assert '<meta http-equiv="refresh" content="2">' in page
        assert prints(on_record(key)) == []
        make_papers(app)
        page = browser.get(waiting).text
        assert 'http-equiv="refresh"' not in page
        [form] = re.findall(r'<form method="post" action="([^"]+)" data-print-now="([^"]+)">', page)
        assert form == ("/applications/print/", f"/applications/certificate/?id={key}")
        assert f'name="id" value="{key}"' in page
        assert prints(on_record(key)) == []
        assert browser.post(form[0], data={"id": key}).location == form[1]
        assert len(prints(on_record(key))) == 1
        assert browser.get(form[1]).mimetype == "application/pdf"


class TestBundle:
    @pytest.mark.slow
    @pytest.mark.parametrize("who", SCREENS)
    def test_ticked_certificates_come_as_one_pdf_with_a_bookmark_each(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording, who: str
    ) -> None:
        """In the order of the list; a copy to print from, that says so, with no signature that could look broken."""
        order = ("customs_received", "filed")
        keys = [make_application(status=status, title=f"《{status}》") for status in order]
        make_papers(app)
        answer = bound(as_(who), SCREENS[who], keys)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert answer.headers["Content-Disposition"].isascii()
        with pikepdf.open(BytesIO(answer.data)) as whole, whole.open_outline() as outline:
            marks = [f"{number_on(app, key)} 《{status}》" for key, status in zip(keys, order, strict=True)]
            assert [mark.title for mark in outline.root] == marks
            assert str(whole.docinfo["/Title"]) == "备案证明合并打印件（2 份，不含电子签名）"
            assert {"/AcroForm", "/Perms"} & set(whole.Root.keys()) == set()
            assert [each for page in whole.pages for each in page.get("/Annots", []) if "/FT" in each] == []
            assert whole.check_pdf_syntax() == []
        assert [len(prints(on_record(key))) for key in keys] == [1, 1]

    @pytest.mark.slow
    def test_the_list_needs_no_script_to_print_what_is_ticked(self, as_: As, make_application: Making) -> None:
        """Boxes and button belong to one plain form; the boxes have another name than the row of an act."""
        make_application(status="filed")
        for who, screen in SCREENS.items():
            page = as_(who).get(f"/{screen}/").text
            assert re.search(r'<input type="checkbox" form="act" name="pick" value="\d+"', page)
            [button] = re.findall(r'<button type="submit"[^>]*data-bar="print"[^>]*>', page)
            assert f'form="act" formaction="/{screen}/print-all/"' in button
        assert 'name="pick"' not in as_("reviewer").get("/review/").text

    @pytest.mark.slow
    def test_a_bundle_looks_like_its_papers(self, app: Flask, as_: As, make_application: Making) -> None:
        """The same pages, seal and all, dot for dot."""
        keys, browser = [make_application(status="filed", carriers=n) for n in (1, 30)], as_("publisher")
        make_papers(app)
        alone = [look for key in keys for look in looks(browser.get(f"/applications/certificate/?id={key}").data)]
        whole = looks(bound(browser, "applications", keys).data)
        assert len(whole) == len(alone) > 2
        assert whole == alone

    @pytest.mark.slow
    def test_one_that_may_not_be_printed_stops_all_and_is_named(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        """All or none: nothing is recorded."""
        good = make_application(status="filed")
        for status in ("draft", "customs_failed", "revoked"):
            bad, browser = make_application(status=status), as_("publisher")
            before = ledger(app)
            answer = browser.post("/applications/print-all/", data={"pick": [good, bad]}, follow_redirects=True)
            [sentence] = said(answer.text)
            assert sentence.startswith(f"{on_record(bad)['application'][0]['number']}：当前状态为「")
            assert sentence.endswith(NOBODY)
            assert ledger(app) == before

    @pytest.mark.slow
    def test_what_cannot_be_asked_for_is_answered_and_recorded_nowhere(
        self, app: Flask, as_: As, make_application: Making
    ) -> None:
        """No row, 201 rows, rows of others, and no rows at all."""
        own, strange = make_application(status="filed"), make_application(by="publisher2", status="filed")
        browser, before = as_("publisher"), ledger(app)
        for picked, sentence in (
            ([], "请先勾选要打印的记录。"),
            (list(range(1, 202)), "一次最多打印 200 份，请分批打印。"),
        ):
            answer = browser.post("/applications/print-all/", data={"pick": picked}, follow_redirects=True)
            assert said(answer.text) == [sentence]
        for picked in ([own, strange], [strange], [own, 99999], [own, "abc"], ["9" * 30], ["", own]):
            assert browser.post("/applications/print-all/", data={"pick": picked}).status_code == 404
        assert ledger(app) == before

    @pytest.mark.slow
    def test_the_same_row_twice_is_one_print(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        key = make_application(status="filed")
        make_papers(app)
        assert bound(as_("publisher"), "applications", [key, key]).status_code == 200
        assert len(prints(on_record(key))) == 1

    @pytest.mark.slow
    def test_the_address_of_a_bundle_shows_it_again_and_records_nothing(
        self, app: Flask, as_: As, make_application: Making, later: Callable[[], None]
    ) -> None:
        """Reloaded it is the same file; it is for who printed, for half a day; no other address can be made up."""
        keys, browser = [make_application(status="filed") for _ in range(2)], as_("publisher")
        make_papers(app)
        where = browser.post("/applications/print-all/", data={"pick": keys}).location
        before = ledger(app)
        assert looks(browser.get(where).data) == looks(browser.get(where).data)
        assert browser.head(where).status_code == 200
        foreign = where.replace("/applications/", "/filings/")
        for somebody, address in (
            (as_("publisher2"), where), (as_("reviewer"), foreign),
            (browser, where.replace("job=", "job=1")),
            (browser, "/applications/bundle/"), (browser, "/applications/bundle/?job=1.2"),
        ):  # fmt: skip
            assert told(somebody, address) == ["合并打印件的地址已失效，请在列表中重新打印。"]
        later()
        assert as_("publisher").get(where).mimetype == "application/pdf"  # signed in anew
        for _ in range(6):
            later()
        assert told(as_("publisher"), where) == ["合并打印件的地址已失效，请在列表中重新打印。"]
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_bundle_is_shown_as_long_as_every_certificate_in_it_may_be_printed(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        keys, browser = [make_application(status="filed") for _ in range(2)], as_("publisher")
        make_papers(app)
        where = browser.post("/applications/print-all/", data={"pick": keys}).location
        as_("reviewer").post("/filings/revoke/", data={"id": keys[1], "opinion": "有误", "reason": "content"})
        before = ledger(app)
        [sentence] = told(browser, where)
        number = on_record(keys[1])["application"][0]["number"]
        assert sentence.startswith(f"{number}：当前状态为「已作废」")
        assert sentence.endswith("合并打印件不再提供，请在列表中重新打印。")
        assert ledger(app) == before

    def test_two_hundred_fit_into_an_address(self, app: Flask) -> None:
        """gunicorn takes a request line of 4,094 bytes."""
        with app.test_request_context():
            assert len(job_of(10**6, list(range(10**8, 2 * 10**8, 500_000)))) < 3000

    @pytest.mark.slow
    def test_a_reason_is_told_once_with_the_numbers_it_is_about(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        drafts, revoked = [make_application() for _ in range(12)], make_application(status="revoked")
        numbers = {key: on_record(key)["application"][0]["number"] for key in (*drafts, revoked)}
        browser, before = as_("publisher"), ledger(app)
        picked = {"pick": [*drafts[:2], revoked]}
        answer = browser.post("/applications/print-all/", data=picked, follow_redirects=True)
        [sentence] = said(answer.text)
        assert sentence.startswith(f"{numbers[drafts[0]]}、{numbers[drafts[1]]}：当前状态为「暂存」")
        assert sentence.count("当前状态为「暂存」") == sentence.count(f"{numbers[revoked]}：当前状态为「已作废」") == 1
        answer = browser.post("/applications/print-all/", data={"pick": drafts}, follow_redirects=True)
        [sentence] = said(answer.text)
        assert f"{numbers[drafts[9]]} 等 12 份：当前状态为「暂存」" in sentence
        assert numbers[drafts[10]] not in sentence
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_script_is_told_on_its_own_page(self, app: Flask, as_: As, make_application: Making) -> None:
        """The ticks stay where they are: no page opens, and no sentence waits for the next one."""
        good, bad, browser = make_application(status="filed"), make_application(), as_("publisher")
        make_papers(app)
        script = {"X-Requested-With": "XMLHttpRequest"}
        answer = browser.post("/applications/print-all/", data={"pick": [good, bad]}, headers=script)
        assert (answer.status_code, answer.json["message"][-len(NOBODY) :]) == (409, NOBODY)
        answer = browser.post("/applications/print/", data={"id": bad}, headers=script)
        assert (answer.status_code, answer.json["message"][:10]) == (409, "当前状态为「暂存」，")
        assert said(browser.get("/applications/").text) == []
        answer = browser.post("/applications/print-all/", data={"pick": good}, headers=script)
        assert answer.json["location"].startswith("/applications/bundle/?job=")

    @pytest.mark.slow
    def test_a_paper_that_is_not_made_yet_stops_the_bundle(
        self, app: Flask, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        """All or none, without a script too: told how many, nothing recorded, and printed once they are made."""
        first, browser = make_application(status="filed"), as_("publisher")
        make_papers(app)
        keys = [first, *(make_application(status="filed") for _ in range(2))]
        before = ledger(app)
        answer = browser.post("/applications/print-all/", data={"pick": keys}, follow_redirects=True)
        assert said(answer.text) == ["有 2 份证明文件正在制作，没有打印任何一份，请几秒钟后再次打印。"]
        assert ledger(app) == before
        make_papers(app)
        assert bound(browser, "applications", keys).mimetype == "application/pdf"
        assert [len(prints(on_record(key))) for key in keys] == [1, 1, 1]

    @pytest.mark.slow
    def test_made_ready_one_by_one(self, app: Flask, as_: As, make_application: Making) -> None:
        """`prepare` answers 202 until a worker has made the paper, then 204; it writes nothing where one is asked."""
        key, browser = make_application(status="filed"), as_("publisher")
        before = ledger(app)
        assert browser.post("/applications/prepare/", data={"id": key}).status_code == 202
        assert ledger(app) == before
        make_papers(app)
        after = ledger(app)
        assert [table for table in after if after[table] != before[table]] == ["paper", "paper_task"]
        assert browser.post("/applications/prepare/", data={"id": key}).status_code == 204
        assert ledger(app) == after

    def test_what_may_not_be_printed_is_not_made_ready(self, app: Flask, as_: As, make_application: Making) -> None:
        key = make_application(status="revoked")
        before, script = ledger(app), {"X-Requested-With": "XMLHttpRequest"}
        answer = as_("publisher").post("/applications/prepare/", data={"id": key}, headers=script)
        assert (answer.status_code, answer.json["message"].partition("；")[0]) == (
            409,
            "当前状态为「已作废」，不能打印",
        )
        assert ledger(app) == before


def told(browser: Browser, address: str) -> list[str]:
    """The sentences of the page to which this address leads."""
    answer = browser.get(address, follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return said(answer.text)


def looks(pdf: bytes) -> list[bytes]:
    """Each page as dots."""
    opened = pypdfium2.PdfDocument(pdf)
    opened.init_forms()
    return [page.render(scale=0.5).to_pil().tobytes() for page in opened]
