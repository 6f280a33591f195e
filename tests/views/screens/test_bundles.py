"""Many certificates in one file."""

import re
from collections.abc import Callable
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.certificate import Certificate
from tests.browsing import Browser, ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import flashed
from tests.views.screens.recorded_prints import SCREENS, bound, prints
from views.screens.printing import job_of

NOBODY = "没有打印任何一份，请取消勾选后重试。"


def number_on(app: Flask, key: int) -> str:
    """The number of the certificate."""
    with app.app_context(), access.everything() as session:
        return session.scalars(select(Certificate.number).where(Certificate.application_id == key)).one()


class TestBundle:
    @pytest.mark.slow
    @pytest.mark.parametrize("who", SCREENS)
    def test_ticked_certificates_are_printed_as_one_pdf_with_bookmarks(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, who: str
    ) -> None:
        """In the order of the list; marked as a copy for printing, without a signature, which could look broken."""
        order = ("customs_received", "filed")
        keys = [make_application(status=status, title=f"《{status}》") for status in order]
        make_papers(app)
        answer = bound(client_as(who), SCREENS[who], keys)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert answer.headers["Content-Disposition"].isascii()
        with pikepdf.open(BytesIO(answer.data)) as whole, whole.open_outline() as outline:
            marks = [f"{number_on(app, key)} 《{status}》" for key, status in zip(keys, order, strict=True)]
            assert [mark.title for mark in outline.root] == marks
            assert str(whole.docinfo["/Title"]) == "备案证明合并打印件（2 份，不含电子签名）"
            assert {"/AcroForm", "/Perms"} & set(whole.Root.keys()) == set()
            assert [each for page in whole.pages for each in page.get("/Annots", []) if "/FT" in each] == []
            assert whole.check_pdf_syntax() == []
        assert [len(prints(stored_rows(key))) for key in keys] == [1, 1]

    @pytest.mark.slow
    def test_ticked_certificates_can_be_printed_without_javascript(
        self, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """Boxes and button belong to one plain form; the boxes have another name than the row of an act."""
        make_application(status="filed")
        for who, screen in SCREENS.items():
            page = client_as(who).get(f"/{screen}/").text
            assert re.search(r'<input type="checkbox" form="act" name="pick" value="\d+"', page)
            [button] = re.findall(r'<button type="submit"[^>]*data-bar="print"[^>]*>', page)
            assert f'form="act" formaction="/{screen}/print-all/"' in button
        assert 'name="pick"' not in client_as("reviewer").get("/review/").text

    @pytest.mark.slow
    def test_a_bundle_looks_like_its_papers(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """The same pages, seal and all, dot for dot."""
        keys, browser = [make_application(status="filed", carriers=n) for n in (1, 30)], client_as("publisher")
        make_papers(app)
        alone = [look for key in keys for look in looks(browser.get(f"/applications/certificate/?id={key}").data)]
        whole = looks(bound(browser, "applications", keys).data)
        assert len(whole) == len(alone) > 2
        assert whole == alone

    @pytest.mark.slow
    def test_an_unprintable_application_stops_the_bundle_and_is_named(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """All or none: no print is recorded."""
        good = make_application(status="filed")
        for status in ("draft", "customs_failed", "revoked"):
            bad, browser = make_application(status=status), client_as("publisher")
            before = ledger(app)
            answer = browser.post("/applications/print-all/", data={"pick": [good, bad]}, follow_redirects=True)
            [sentence] = flashed(answer.text)
            assert sentence.startswith(f"{stored_rows(bad)['application'][0]['number']}：当前状态为「")
            assert sentence.endswith(NOBODY)
            assert ledger(app) == before

    @pytest.mark.slow
    def test_an_invalid_bundle_is_refused_and_not_recorded(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """No row, 201 rows, rows of others, and no rows at all."""
        own, strange = make_application(status="filed"), make_application(by="publisher2", status="filed")
        browser, before = client_as("publisher"), ledger(app)
        for picked, sentence in (
            ([], "请先勾选要打印的记录。"),
            (list(range(1, 202)), "一次最多打印 200 份，请分批打印。"),
        ):
            answer = browser.post("/applications/print-all/", data={"pick": picked}, follow_redirects=True)
            assert flashed(answer.text) == [sentence]
        for picked in ([own, strange], [strange], [own, 99999], [own, "abc"], ["9" * 30], ["", own]):
            assert browser.post("/applications/print-all/", data={"pick": picked}).status_code == 404
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_row_picked_twice_is_printed_once(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        key = make_application(status="filed")
        make_papers(app)
        assert bound(client_as("publisher"), "applications", [key, key]).status_code == 200
        assert len(prints(stored_rows(key))) == 1

    @pytest.mark.slow
    def test_reloading_a_bundle_shows_it_again_and_records_no_print(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, advance_clock: Callable[[], None]
    ) -> None:
        """Reloaded it is the same file; it is for who printed, for half a day; no other address can be made up."""
        keys, browser = [make_application(status="filed") for _ in range(2)], client_as("publisher")
        make_papers(app)
        where = browser.post("/applications/print-all/", data={"pick": keys}).location
        before = ledger(app)
        assert looks(browser.get(where).data) == looks(browser.get(where).data)
        assert browser.head(where).status_code == 200
        foreign = where.replace("/applications/", "/filings/")
        for reader, address in (
            (client_as("publisher2"), where), (client_as("reviewer"), foreign),
            (browser, where.replace("job=", "job=1")),
            (browser, "/applications/bundle/"), (browser, "/applications/bundle/?job=1.2"),
        ):  # fmt: skip
            assert flashed_at(reader, address) == ["合并打印件的地址已失效，请在列表中重新打印。"]
        advance_clock()
        assert client_as("publisher").get(where).mimetype == "application/pdf"  # signed in anew
        for _ in range(6):
            advance_clock()
        assert flashed_at(client_as("publisher"), where) == ["合并打印件的地址已失效，请在列表中重新打印。"]
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_bundle_is_shown_only_while_every_certificate_may_be_printed(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        keys, browser = [make_application(status="filed") for _ in range(2)], client_as("publisher")
        make_papers(app)
        where = browser.post("/applications/print-all/", data={"pick": keys}).location
        client_as("reviewer").post("/filings/revoke/", data={"id": keys[1], "opinion": "有误", "reason": "content"})
        before = ledger(app)
        [sentence] = flashed_at(browser, where)
        number = stored_rows(keys[1])["application"][0]["number"]
        assert sentence.startswith(f"{number}：当前状态为「已作废」")
        assert sentence.endswith("合并打印件不再提供，请在列表中重新打印。")
        assert ledger(app) == before

    def test_two_hundred_certificates_fit_into_an_address(self, app: Flask) -> None:
        """gunicorn takes a request line of 4,094 bytes."""
        with app.test_request_context():
            assert len(job_of(10**6, list(range(10**8, 2 * 10**8, 500_000)))) < 3000

    @pytest.mark.slow
    def test_a_refusal_is_shown_once_with_all_its_numbers(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        drafts, revoked = [make_application() for _ in range(12)], make_application(status="revoked")
        numbers = {key: stored_rows(key)["application"][0]["number"] for key in (*drafts, revoked)}
        browser, before = client_as("publisher"), ledger(app)
        picked = {"pick": [*drafts[:2], revoked]}
        answer = browser.post("/applications/print-all/", data=picked, follow_redirects=True)
        [sentence] = flashed(answer.text)
        assert sentence.startswith(f"{numbers[drafts[0]]}、{numbers[drafts[1]]}：当前状态为「暂存」")
        assert sentence.count("当前状态为「暂存」") == sentence.count(f"{numbers[revoked]}：当前状态为「已作废」") == 1
        answer = browser.post("/applications/print-all/", data={"pick": drafts}, follow_redirects=True)
        [sentence] = flashed(answer.text)
        assert f"{numbers[drafts[9]]} 等 12 份：当前状态为「暂存」" in sentence
        assert numbers[drafts[10]] not in sentence
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_script_gets_the_refusal_as_json(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        """The ticks stay where they are: no page opens, and no sentence waits for the next one."""
        good, bad, browser = make_application(status="filed"), make_application(), client_as("publisher")
        make_papers(app)
        script = {"X-Requested-With": "XMLHttpRequest"}
        answer = browser.post("/applications/print-all/", data={"pick": [good, bad]}, headers=script)
        assert (answer.status_code, answer.json["message"][-len(NOBODY) :]) == (409, NOBODY)
        answer = browser.post("/applications/print/", data={"id": bad}, headers=script)
        assert (answer.status_code, answer.json["message"][:10]) == (409, "当前状态为「暂存」，")
        assert flashed(browser.get("/applications/").text) == []
        answer = browser.post("/applications/print-all/", data={"pick": good}, headers=script)
        assert answer.json["location"].startswith("/applications/bundle/?job=")


def flashed_at(browser: Browser, address: str) -> list[str]:
    """The sentences of the page to which this address leads."""
    answer = browser.get(address, follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return flashed(answer.text)


def looks(pdf: bytes) -> list[bytes]:
    """Each page as dots."""
    opened = pypdfium2.PdfDocument(pdf)
    opened.init_forms()
    return [page.render(scale=0.5).to_pil().tobytes() for page in opened]
