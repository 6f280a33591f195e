"""查验 of a file on the public page, and how often one may ask."""

import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from flask import Flask
from pyhanko.pdf_utils.generic import NameObject, TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from werkzeug.test import TestResponse

from app import create_app
from models import clock
from models.certificate import typesetting
from models.certificate.typesetting import Order
from models.signing.keys import Keys
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.views.conftest import CertificateData, PrintedPaper
from tests.views.entrance.verified import facts, unknown_like, verdict
from views.demo import signing_keys
from views.resources import keys

NOT_ISSUED = "这个文件不是登记的备案证明原件，可能被改动或重新保存过，请勿采信。"


def sent(browser: Browser, content: bytes, **options: Any) -> TestResponse:
    """The response to the upload of a file."""
    return browser.post("/verify/", data={"file": (io.BytesIO(content), "证明.pdf")}, **options)


def resaved(paper: bytes) -> bytes:
    """The PDF saved again by another program."""
    with pikepdf.open(io.BytesIO(paper)) as opened:
        out = io.BytesIO()
        opened.save(out)
    return out.getvalue()


def added_to(paper: bytes) -> bytes:
    """An incremental update: the signed bytes unchanged, another title appended."""
    writer, out = IncrementalPdfFileWriter(io.BytesIO(paper)), io.BytesIO()
    writer.root[NameObject("/Lang")] = TextStringObject("en")
    writer.update_root()
    writer.write(out)
    return out.getvalue()


def signed_by(folder: Keys, paper: bytes) -> bytes:
    """Any PDF, signed with these keys."""
    return typesetting.sign_paper(paper, 0, (10, 10, 60, 60), Order("", "", clock.today(), folder, "320000"))


class TestFile:
    @pytest.mark.slow
    def test_only_the_issued_file_is_valid(
        self,
        app: Flask,
        make_application: MakeApplication,
        printed_paper: PrintedPaper,
        client_as: ClientAs,
        make_pdf: Any,
    ) -> None:
        """PD4: byte for byte, also against another signed file; after a revocation the same file shows its date."""
        key, browser = make_application(status="filed"), client_as(None)
        paper = printed_paper(key)
        with app.app_context():
            others = [signed_by(keys(), make_pdf())]
        others += [resaved(paper), added_to(paper), paper + b"\n", paper[:-1], make_pdf(), b"", b"\x89PNG and so on"]
        others += [paper[:n] + bytes([paper[n] ^ 1]) + paper[n + 1 :] for n in range(9, len(paper), len(paper) // 6)]
        for n, content in enumerate(others):
            page = sent(browser, content, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"})
            assert (page.status_code, verdict(page.text), facts(page.text)) == (200, "不能采信", {}), n
            assert NOT_ISSUED in page.text, n
        page = sent(browser, paper).text
        assert (verdict(page), facts(page)["商品名称"]) == ("有效", "黑胶唱片《茉莉花》")
        perform_step(app, Action.REVOKE, key, "publisher")
        assert verdict(sent(browser, paper).text) == "已作废"

    @pytest.mark.slow
    def test_a_file_that_was_not_issued_is_not_parsed(
        self,
        app: Flask,
        make_application: MakeApplication,
        printed_paper: PrintedPaper,
        client_as: ClientAs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Parsing what anybody sends could take minutes."""
        paper = printed_paper(make_application(status="filed"))
        monkeypatch.setattr(PdfFileReader, "__init__", lambda *_, **__: pytest.fail("the file was read as a PDF"))
        assert NOT_ISSUED in sent(client_as(None), paper + b"\n").text
        with pytest.raises(pytest.fail.Exception):
            sent(client_as(None), paper)

    @pytest.mark.slow
    def test_the_signature_of_an_issued_file_is_also_checked(
        self,
        app: Flask,
        make_application: MakeApplication,
        printed_paper: PrintedPaper,
        client_as: ClientAs,
        tmp_path: Path,
    ) -> None:
        """PD4: being in the register is not enough."""
        paper = printed_paper(make_application(status="filed"))
        with app.app_context():
            signing_keys.establish(tmp_path / "others", ["320000"])
        app.config["SIGNING_KEY"] = str(tmp_path / "others")
        page = sent(client_as(None), paper).text
        assert (verdict(page), facts(page)) == ("不能采信", {})
        assert "文件的签章不是签发机关的" in page

    def test_a_missing_file_redirects_to_the_form_and_a_too_large_one_is_refused_with_the_limit(
        self, client_as: ClientAs
    ) -> None:
        answer = client_as(None).post("/verify/", data={})
        assert (answer.status_code, "请先选择证明文件（PDF）" in answer.text) == (422, True)
        answer = sent(client_as(None), b"%PDF" + b"\0" * (21 << 20))
        assert answer.status_code == 413
        assert "文件超过 20 MB，不是签发的备案证明，请核对后重新选择。" in answer.text


def slowed(answer: TestResponse) -> bool:
    """Whether the response is 429 with its sentence and Retry-After."""
    if answer.status_code != 429:
        return False
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    text = answer.json["message"] if answer.is_json else answer.text
    assert "操作过于频繁，请稍等一分钟后再试。" in text
    return True


class TestPatience:
    @pytest.mark.slow
    def test_the_rate_limit_counts_by_address(self, client_as: ClientAs) -> None:
        """AC7: 429 as a page, or as JSON for a script."""
        browser = client_as(None)
        answers = [browser.get("/verify/") for _ in range(121)]
        assert [slowed(answer) for answer in answers] == [False] * 120 + [True]
        assert slowed(browser.get("/verify/Z", headers={"Accept": "application/json"}))
        assert not slowed(browser.get("/verify/", environ_base={"REMOTE_ADDR": "10.0.0.2"}))

    def test_guesses_at_a_code_are_counted_by_number_and_address(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """AC7: a right code is not counted; an unknown number has the same limit."""
        paper, other = (certificate_data(make_application(status="filed")) for _ in range(2))
        browser = client_as(None)
        for _ in range(12):
            assert verdict(browser.get(f"/verify/{paper.number}?code={paper.typed}").text) == "有效"
        for number in (paper.number, unknown_like(paper.number)):
            guesses = [browser.get(f"/verify/{number}?code={n:012}") for n in range(11)]
            assert [slowed(answer) for answer in guesses] == [False] * 10 + [True]
        assert slowed(browser.get(f"/verify/{paper.number}?code={paper.typed}"))
        assert verdict(browser.get(f"/verify/{other.number}?code={other.typed}").text) == "有效"

    @pytest.mark.slow
    def test_guessing_does_not_lock_a_certificate_for_others(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """After too many guesses, QR code and number still work, and other addresses may type codes."""
        paper, browser = certificate_data(make_application(status="filed")), client_as(None)
        for n in range(11):
            browser.get(f"/verify/{paper.number}?code={n:012}")
        assert verdict(browser.get(f"/verify/{paper.number}").text) == "有效"
        assert verdict(browser.get(f"/verify/{paper.number}?c={paper.code}").text) == "有效"
        elsewhere = {"REMOTE_ADDR": "10.0.0.2"}
        typed = browser.get(f"/verify/{paper.number}?code={paper.typed}", environ_base=elsewhere)
        assert verdict(typed.text) == "有效"

    def test_twenty_files_a_minute_are_verified_and_more_are_refused_unread(self, client_as: ClientAs) -> None:
        browser = client_as(None)
        assert [slowed(browser.post("/verify/")) for _ in range(21)] == [False] * 20 + [True]

        class Untouched(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                pytest.fail("the body was read")

        kind = "multipart/form-data; boundary=x"
        assert slowed(
            browser.post("/verify/", input_stream=Untouched(), content_length=9, content_type=kind, csrf=False)
        )

    @pytest.mark.slow
    def test_sign_ins_are_rate_limited_by_address(self, app: Flask, client_as: ClientAs) -> None:
        """Sixty sign-ins a minute per address."""
        app.config["CAPTCHA"] = True  # without an answer no password is tried, and hashing takes its time
        browser = client_as(None)
        wrong = {"username": "publisher", "password": "x"}
        answers = [browser.post("/login", data=wrong) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [401] * 60 + [429]
        assert slowed(answers[-1])
        assert not slowed(browser.get("/login"))

    @pytest.mark.slow
    def test_the_rate_limit_behind_a_proxy_counts_the_client(self) -> None:
        app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://", "PROXIES": 1})
        browser = app.test_client()
        for client, over in (("198.51.100.1", [True]), ("198.51.100.2", [True])):
            answers = [browser.get("/verify/", headers={"X-Forwarded-For": client}) for _ in range(121)]
            assert [slowed(answer) for answer in answers] == [False] * 120 + over
