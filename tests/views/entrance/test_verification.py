"""查验 on the public page: by number, check code, QR code, or file."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from pyhanko.pdf_utils.generic import NameObject, TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import create_engine
from stdnum.iso7064 import mod_37_36, mod_97_10
from werkzeug.test import TestResponse

from app import create_app
from models import clock, numbering
from models.acts import filing, reissue
from models.application import Application
from models.certificate import typesetting
from models.certificate.display import dated
from models.certificate.typesetting import Order
from models.database import db
from models.signing import check_code
from models.signing.check_code import Facts
from models.signing.keys import Keys
from models.vocabulary import Action, Reason, Status
from tests.cast import account_of, take
from tests.conftest import Acting, Browser, Making
from views.demo import signing_keys
from views.resources import keys, store

As = Callable[[str | None], Browser]
Held = Callable[[int], SimpleNamespace]
Printed = Callable[[int], bytes]

SCRIPT = "<script>alert(1)</script>"
TYPED = re.compile(r'(<input id="(?:number|code)"[^>]*?) value="[^"]*"')
SAME = re.compile(r'name="csrf_token" value="[^"]*"')
HOUSE = "http://127.0.0.1:8000"
NOT_ISSUED = "这个文件不是登记的备案证明原件，可能被改动或重新保存过，请勿采信。"


def verdict(page: str) -> str:
    """The one large word of the page."""
    (word,) = re.findall(r"<h1>(.*?)</h1>", page)
    return str(word)


def facts(page: str) -> dict[str, str]:
    """The facts on the page: label → text."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def still(page: str) -> str:
    """The page without what is made anew at every look, and without the number and code that were asked for."""
    return TYPED.sub(r"\1", SAME.sub("", page))


def unknown_like(number: str) -> str:
    """A valid number of the same province and year that was never issued."""
    body = number[:7] + "999999"
    return body + str(mod_97_10.calc_check_digits(body))


class TestNumberAlone:
    @pytest.mark.parametrize(
        ("status", "word"),
        [
            (Status.FILED, "有效"),
            (Status.CUSTOMS_RECEIVED, "有效"),
            (Status.CUSTOMS_FAILED, "有效"),
            (Status.REVOKED, "已作废"),
        ],
    )
    def test_the_verdict_follows_the_status_and_no_fact_is_shown(
        self, make_application: Making, held: Held, as_: As, status: Status, word: str
    ) -> None:
        """PD2: only a revoked certificate is void; a number, which anybody can guess, opens no facts."""
        paper = held(make_application(status=status.value))
        page = as_(None).get(f"/verify/{paper.number}")
        assert (page.status_code, verdict(page.text), facts(page.text)) == (200, word, {})
        signed = (paper.content["title"], paper.content["publisher_name"], dated(clock.today()), "其他", paper.typed)
        assert [fact for fact in signed if fact in page.text] == []
        assert "请扫描证明上的二维码，或输入印在二维码旁的校验码。" in page.text
        assert f'value="{paper.number}"' in page.text

    def test_any_other_number_is_unknown(self, make_application: Making, as_: As) -> None:
        """PD2: an application number too."""
        make_application(status="pending")
        assert verdict(as_(None).get("/verify/SQ202600000001").text) == "查无此证"

    def test_what_was_typed_stays_in_the_form_when_it_matches_nothing(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """A slip of one sign is mended, not typed again; what was scanned is not put into the form."""
        number = held(make_application(status="filed")).number
        for asked in (number, unknown_like(number)):
            page = as_(None).get(f"/verify/{asked}?code=123456789012").text
            assert verdict(page) == "查无此证"
            assert (f'value="{asked}"' in page, 'value="123456789012"' in page) == (True, True)
        assert number not in as_(None).get(f"/verify/{number}?c=forged").text

    def test_a_typed_number_redirects_to_its_page(self, make_application: Making, held: Held, as_: As) -> None:
        """Blanks, lower case and full-width characters are accepted."""
        number, browser = held(make_application(status="filed")).number, as_(None)
        full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
        for typed in (f" {number.lower()} ", f"{number[:4]}-{number[4:]}", full_width):
            answer = browser.get("/verify/", query_string={"number": typed})
            assert (answer.status_code, answer.location) == (302, f"/verify/{number}")
        for blank in ("", "  ", "--"):
            page = browser.get("/verify/", query_string={"number": blank})
            assert (page.status_code, verdict(page.text)) == (200, "备案证明查验")
            assert page.text.count("请填写证明编号") == 1

    def test_look_alikes_are_read_as_digits(self, make_application: Making, held: Held, as_: As) -> None:
        """O for 0, I and L for 1."""
        number = held(make_application(status="filed")).number
        typed = number[:-1].replace("0", "O").replace("1", "l") + number[-1]
        assert as_(None).get("/verify/", query_string={"number": typed}).location == f"/verify/{number}"

    @pytest.mark.slow
    def test_the_address_reads_a_number_as_the_form_does(self, make_application: Making, held: Held, as_: As) -> None:
        """Issue 9, 34: small letters, full width, blanks, dashes, O for 0, I and L for 1; with code and without."""
        paper, browser = held(make_application(status="filed")), as_(None)
        number = paper.number
        full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
        alike = (number.translate(str.maketrans("01", end)) for end in ("OI", "ol", "oi", "OL"))
        for spelled in (number.lower(), full_width, f"{number[:3]} {number[3:7]}-{number[7:]}", *alike):
            page = browser.get(f"/verify/{quote(spelled)}")
            assert (page.status_code, verdict(page.text)) == (200, "有效"), spelled
            assert f'value="{number}"' in page.text
            for proof in (f"code={paper.typed.lower()}", f"c={paper.code}"):
                assert facts(browser.get(f"/verify/{quote(spelled)}?{proof}").text)["证明编号"] == number

    @pytest.mark.slow
    def test_a_number_of_the_former_form_is_still_verified(
        self, make_application: Making, held: Held, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One check character, of ISO 7064 Mod 37,36; the serial goes on, whichever form a number has."""
        with monkeypatch.context() as former:
            former.setattr(numbering, "_checked", lambda body: body + mod_37_36.calc_check_digit(body))
            old = held(make_application(status="filed")).number
        new = held(make_application(status="filed")).number
        assert (len(old), old[7:13], len(new), new[7:13]) == (14, "000001", 15, "000002")
        for number in (old, new):
            for spelled in (number, number.lower(), number[:-1].replace("0", "O") + number[-1]):
                assert verdict(as_(None).get(f"/verify/{spelled}").text) == "有效", spelled

    @pytest.mark.parametrize(
        "typed", ["//evil.example", "https://evil.example", "..//evil.example", "\\\\evil.example"]
    )
    def test_a_typed_address_redirects_to_no_other_site(self, as_: As, typed: str) -> None:
        """AD13: open redirect."""
        answer = as_(None).get("/verify/", query_string={"number": typed})
        assert re.fullmatch(r"/verify/[A-Z]+", answer.location)
        assert verdict(as_(None).get(answer.location, follow_redirects=True).text) == "查无此证"


class TestTypedCode:
    def test_it_opens_only_the_facts_that_an_officer_compares(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """No contact, telephone, contract, or other field of the application."""
        hidden = {"contact": "不公开的人", "phone": "13900000000", "summary": "不公开简介"}
        paper = held(make_application(status="filed", carriers=3, **hidden))
        page = as_(None).get(f"/verify/{paper.number}?code={paper.typed}").text
        assert verdict(page) == "有效"
        assert facts(page) == {
            "证明编号": paper.number,
            "出版单位": "江苏文艺音像出版社",
            "商品名称": "黑胶唱片《茉莉花》",
            "进口口岸": paper.content["port"],
            "载体信息": "共 3 条；3,003 张",
            "签发机关": "江苏省新闻出版局",
            "签发日期": dated(clock.today()),
        }
        assert [word for word in (*hidden.values(), paper.content["contract_number"]) if word in page] == []
        assert f"查验时间：{clock.today()} " in page

    def test_dashes_lower_case_and_look_alikes_are_accepted(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """As typed from the paper."""
        paper, browser = held(make_application(status="filed")), as_(None)
        alike = paper.typed.lower().replace("0", "o").replace("1", "l")
        for typed in (f"{paper.typed[:4]}-{paper.typed[4:8]}-{paper.typed[8:]}", f" {alike} ", alike.upper()):
            asked = {"number": paper.number, "code": typed}
            page = browser.get("/verify/", query_string=asked, follow_redirects=True)
            assert verdict(page.text) == "有效", typed
            assert facts(page.text)["证明编号"] == paper.number

    def test_wrong_unknown_and_malformed_get_the_same_page(self, make_application: Making, held: Held, as_: As) -> None:
        """PD2, AC7: status, length and form do not reveal whether a number or code was close."""
        paper, other = (held(make_application(status="filed")) for _ in range(2))
        unknown, browser = unknown_like(paper.number), as_(None)
        expected = still(browser.get(f"/verify/{unknown}").text)
        assert verdict(expected) == "查无此证"
        assert paper.number not in expected
        wrong_check = paper.number[:-1] + ("0" if paper.number[-1] != "0" else "1")
        strange = (wrong_check, f"{paper.number}0", f"{paper.number[:-1]}%25", "a/b", "%00", "查",
                   SCRIPT, "Z" * 5000)  # fmt: skip
        guesses = [f"{paper.number}?code={typed}" for typed in (other.typed, paper.typed[:-1], "0" * 12, "查", "%00")]
        for given in (*strange, *guesses, f"{unknown}?code={paper.typed}", f"{wrong_check}?code={paper.typed}"):
            page = browser.get(f"/verify/{given}")
            assert (page.status_code, still(page.text)) == (200, expected), given


class TestScannedCode:
    @pytest.mark.slow
    def test_the_code_on_the_paper_of_the_longest_title_can_be_read_and_followed(
        self, app: Flask, make_application: Making, printed: Printed, as_: As
    ) -> None:
        """PD1: decoded out of the rendered page at 150 dpi, as a common printer and camera would have it."""
        with app.app_context():
            account_of("publisher").organisation.name = "江苏文艺" * 25
            db.session.commit()
        opened = pypdfium2.PdfDocument(printed(make_application(status="filed", title="𠮷" * 300)))
        (code,) = zxingcpp.read_barcodes(opened[len(opened) - 1].render(scale=150 / 72).to_pil())
        page = as_(None).get(code.text.removeprefix(HOUSE)).text
        assert verdict(page) == "有效"
        assert facts(page)["商品名称"] == "𠮷" * 300

    def test_a_code_not_signed_by_the_province_for_this_number_is_forged(
        self, app: Flask, make_application: Making, held: Held, as_: As, tmp_path: Path
    ) -> None:
        """Altered, of another certificate, by another province, by an unknown key, or of other content."""
        paper, other = (held(make_application(status="filed")) for _ in range(2))
        signed, stranger = paper.facts, Keys(tmp_path / "stranger")
        with app.app_context():
            signing_keys.establish(stranger.folder, ["320000"])
            own, neighbour, unknown = (
                office.signer(province).code_key
                for office, province in ((keys(), "320000"), (keys(), "440000"), (stranger, "320000"))
            )
        other_content = Facts(signed.number, signed.issued_on, signed.holder, signed.title, "0" * 64)
        codes = {
            "another's": other.code,
            "by a neighbour": check_code.signed(signed, neighbour),
            "by a stranger": check_code.signed(signed, unknown),
            "of other contents": check_code.signed(other_content, own),
            "cut off": paper.code[:-4],
            "nonsense": "x" * 300,
            "a script": SCRIPT,
        } | {
            f"altered at {n}": paper.code[:n] + ("A" if paper.code[n] != "A" else "B") + paper.code[n:][1:]
            for n in (2, 40, -1)
        }
        for what, code in codes.items():
            page = as_(None).get(f"/verify/{paper.number}", query_string={"c": code})
            assert (page.status_code, verdict(page.text), facts(page.text)) == (200, "不能采信", {}), what
            assert paper.number not in page.text, what

    def test_a_valid_code_of_an_unregistered_certificate_is_unknown(
        self, app: Flask, make_application: Making, held: Held, as_: As
    ) -> None:
        """The key was used elsewhere, or the database has lost a row: the sentence says so."""
        signed = held(make_application(status="filed")).facts
        number = unknown_like(signed.number)
        with app.app_context():
            key = keys().signer("320000").code_key
        code = check_code.signed(Facts(number, signed.issued_on, signed.holder, signed.title, signed.digest), key)
        page = as_(None).get(f"/verify/{number}?c={code}").text
        assert verdict(page) == "查无此证"
        assert "二维码确由签发机关签署，但没有登记这份证明。" in page

    def test_a_valid_code_is_verified_while_the_database_does_not_answer(
        self, app: Flask, make_application: Making, held: Held, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By its signature, with the facts in the code; a forged one is still refused."""
        paper = held(make_application(status="filed"))
        down = create_engine("postgresql+psycopg://x@127.0.0.1:1/x")
        monkeypatch.setattr("models.database.GuardedSession.get_bind", lambda *_, **__: down)
        page = as_(None).get(f"/verify/{paper.number}?c={paper.code}")
        assert (page.status_code, verdict(page.text)) == (503, "暂不能查询")
        assert "二维码确由签发机关签署，今日状态暂时无法查询，请稍后再试。" in page.text
        assert facts(page.text) == {
            "证明编号": paper.number,
            "出版单位": "江苏文艺音像出版社",
            "商品名称": "黑胶唱片《茉莉花》",
            "签发日期": dated(clock.today()),
        }
        assert verdict(as_(None).get(f"/verify/{paper.number}?c={paper.code[:-4]}").text) == "不能采信"

    def test_a_revoked_certificate_shows_date_and_reason_but_not_the_opinion(
        self, make_application: Making, held: Held, as_: As, acting: Acting
    ) -> None:
        """PD2: the reason is from a list; the reviewer's own text is not public."""
        key = make_application(status="filed")
        paper = held(key)
        with acting("reviewer") as reviewer:
            granted = db.session.get_one(Application, key)
            filing.perform(db.session(), Action.REVOKE, granted, reviewer, "内部意见", reason=Reason.UNLAWFUL)
            db.session.commit()
        for proof in (f"c={paper.code}", f"code={paper.typed}"):
            page = as_(None).get(f"/verify/{paper.number}?{proof}").text
            assert verdict(page) == "已作废"
            assert f"已于 {dated(clock.today())}作废（{Reason.UNLAWFUL.label}），不能再用于办理进口手续。" in page
            assert "内部意见" not in page
            assert facts(page)["证明编号"] == paper.number

    def test_a_replaced_certificate_names_its_replacement(
        self, app: Flask, make_application: Making, held: Held, as_: As, acting: Acting
    ) -> None:
        """PD2: revoked and reissued; the old number is void and names the new one, which is valid."""
        key = make_application(status="revoked")
        old = held(key)
        with acting("publisher") as publisher:
            draft, _left = reissue.copy(db.session(), db.session.get_one(Application, key), publisher, store())
            again = draft.id
            db.session.commit()
        for step in (Action.SUBMIT, Action.GRANT):
            take(app, step, again, "publisher")
        new = held(again)
        page = as_(None).get(f"/verify/{old.number}?c={old.code}").text
        assert verdict(page) == "已作废"
        assert f"已由证明 {new.number} 替代。" in page
        assert verdict(as_(None).get(f"/verify/{new.number}?c={new.code}").text) == "有效"

    def test_an_expired_certificate_shows_its_last_day(
        self, app: Flask, make_application: Making, held: Held, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PD2: on its last day it is valid; the day after it is not."""
        app.config["VALID_DAYS"] = "30"
        paper, last = held(make_application(status="filed")), clock.today() + timedelta(days=30)
        for day, word in ((last, "有效"), (last + timedelta(days=1), "已过有效期")):
            monkeypatch.setattr("models.clock.today", lambda day=day: day)
            page = as_(None).get(f"/verify/{paper.number}?c={paper.code}").text
            assert (verdict(page), facts(page)["有效期至"]) == (word, dated(last))
            bare = as_(None).get(f"/verify/{paper.number}").text
            assert (verdict(bare), facts(bare), dated(last) in bare) == (word, {}, False)
        assert f"这份备案证明的有效期已于 {dated(last)}届满。" in page


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
        self, app: Flask, make_application: Making, printed: Printed, as_: As, a_pdf: Any
    ) -> None:
        """PD4: byte for byte, whoever signed the other; and the same file tells when it has been revoked."""
        key, browser = make_application(status="filed"), as_(None)
        paper = printed(key)
        with app.app_context():
            others = [signed_by(keys(), a_pdf())]
        others += [resaved(paper), added_to(paper), paper + b"\n", paper[:-1], a_pdf(), b"", b"\x89PNG and so on"]
        others += [paper[:n] + bytes([paper[n] ^ 1]) + paper[n + 1 :] for n in range(9, len(paper), len(paper) // 6)]
        for n, content in enumerate(others):
            page = sent(browser, content, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"})
            assert (page.status_code, verdict(page.text), facts(page.text)) == (200, "不能采信", {}), n
            assert NOT_ISSUED in page.text, n
        page = sent(browser, paper).text
        assert (verdict(page), facts(page)["商品名称"]) == ("有效", "黑胶唱片《茉莉花》")
        take(app, Action.REVOKE, key, "publisher")
        assert verdict(sent(browser, paper).text) == "已作废"

    @pytest.mark.slow
    def test_a_file_that_was_not_issued_is_not_parsed(
        self, app: Flask, make_application: Making, printed: Printed, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Parsing what anybody sends could take minutes."""
        paper = printed(make_application(status="filed"))
        monkeypatch.setattr(PdfFileReader, "__init__", lambda *_, **__: pytest.fail("the file was read as a PDF"))
        assert NOT_ISSUED in sent(as_(None), paper + b"\n").text
        with pytest.raises(pytest.fail.Exception):
            sent(as_(None), paper)

    @pytest.mark.slow
    def test_an_issued_file_is_judged_by_its_signature_too(
        self, app: Flask, make_application: Making, printed: Printed, as_: As, tmp_path: Path
    ) -> None:
        """PD4: being in the register is not enough."""
        paper = printed(make_application(status="filed"))
        with app.app_context():
            signing_keys.establish(tmp_path / "others", ["320000"])
        app.config["SIGNING_KEY"] = str(tmp_path / "others")
        page = sent(as_(None), paper).text
        assert (verdict(page), facts(page)) == ("不能采信", {})
        assert "文件的签章不是签发机关的" in page

    def test_no_file_leads_back_to_the_form_and_too_large_a_one_is_told_the_limit(self, as_: As) -> None:
        answer = as_(None).post("/verify/", data={})
        assert (answer.status_code, "请先选择证明文件（PDF）" in answer.text) == (422, True)
        answer = sent(as_(None), b"%PDF" + b"\0" * (21 << 20))
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
    def test_the_rate_limit_counts_by_address(self, as_: As) -> None:
        """AC7: 429 as a page, or as JSON for a script."""
        browser = as_(None)
        answers = [browser.get("/verify/") for _ in range(121)]
        assert [slowed(answer) for answer in answers] == [False] * 120 + [True]
        assert slowed(browser.get("/verify/Z", headers={"Accept": "application/json"}))
        assert not slowed(browser.get("/verify/", environ_base={"REMOTE_ADDR": "10.0.0.2"}))

    def test_guesses_at_a_code_are_counted_by_number_and_address(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """AC7: a right code is not counted; an unknown number has the same limit."""
        paper, other = (held(make_application(status="filed")) for _ in range(2))
        browser = as_(None)
        for _ in range(12):
            assert verdict(browser.get(f"/verify/{paper.number}?code={paper.typed}").text) == "有效"
        for number in (paper.number, unknown_like(paper.number)):
            guesses = [browser.get(f"/verify/{number}?code={n:012}") for n in range(11)]
            assert [slowed(answer) for answer in guesses] == [False] * 10 + [True]
        assert slowed(browser.get(f"/verify/{paper.number}?code={paper.typed}"))
        assert verdict(browser.get(f"/verify/{other.number}?code={other.typed}").text) == "有效"

    @pytest.mark.slow
    def test_guessing_does_not_lock_a_certificate_for_others(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """After too many guesses, QR code and number still work, and other addresses may type codes."""
        paper, browser = held(make_application(status="filed")), as_(None)
        for n in range(11):
            browser.get(f"/verify/{paper.number}?code={n:012}")
        assert verdict(browser.get(f"/verify/{paper.number}").text) == "有效"
        assert verdict(browser.get(f"/verify/{paper.number}?c={paper.code}").text) == "有效"
        elsewhere = {"REMOTE_ADDR": "10.0.0.2"}
        typed = browser.get(f"/verify/{paper.number}?code={paper.typed}", environ_base=elsewhere)
        assert verdict(typed.text) == "有效"

    def test_twenty_files_a_minute_are_verified_and_more_are_refused_unread(self, as_: As) -> None:
        browser = as_(None)
        assert [slowed(browser.post("/verify/")) for _ in range(21)] == [False] * 20 + [True]

        class Untouched(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                pytest.fail("the body was read")

        kind = "multipart/form-data; boundary=x"
        assert slowed(
            browser.post("/verify/", input_stream=Untouched(), content_length=9, content_type=kind, csrf=False)
        )

    @pytest.mark.slow
    def test_sign_ins_are_rate_limited_by_address(self, app: Flask, as_: As) -> None:
        """Sixty sign-ins a minute per address."""
        app.config["CAPTCHA"] = True  # without an answer no password is tried, and hashing takes its time
        browser = as_(None)
        wrong = {"username": "publisher", "password": "x"}
        answers = [browser.post("/login", data=wrong) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [401] * 60 + [429]
        assert slowed(answers[-1])
        assert not slowed(browser.get("/login"))

    @pytest.mark.slow
    def test_behind_a_proxy_the_client_is_counted(self) -> None:
        app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://", "PROXIES": 1})
        browser = app.test_client()
        for client, over in (("198.51.100.1", [True]), ("198.51.100.2", [True])):
            answers = [browser.get("/verify/", headers={"X-Forwarded-For": client}) for _ in range(121)]
            assert [slowed(answer) for answer in answers] == [False] * 120 + over


def test_the_form_uses_the_labels_of_the_paper(as_: As) -> None:
    page = as_(None).get("/verify/").text
    assert [name for name in ("number", "code", "file") if f'name="{name}"' not in page] == []
