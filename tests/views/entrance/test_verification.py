"""查验 on the public page: what it says to whoever knows a number, holds the paper, or has the file."""

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
from asn1crypto.keys import PrivateKeyInfo
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from pyhanko.pdf_utils.generic import NameObject, TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from sqlalchemy import create_engine
from stdnum.iso7064 import mod_37_36, mod_97_10
from werkzeug.test import TestResponse

from app import create_app
from models import clock, numbering
from models.acts import filing, reissue
from models.application import Application
from models.certificate import typesetting
from models.certificate.typesetting import Order
from models.certificate.words import dated
from models.codes import names_of
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
SAME = re.compile(r'name="csrf_token" value="[^"]*"')
HOUSE = "http://127.0.0.1:8000"
BROKEN = "文件不是经签章的备案证明，或已经损坏。"
CHANGED = "文件在签章之后被改动过"


def verdict(page: str) -> str:
    """The one large word of the page."""
    (word,) = re.findall(r"<h1>(.*?)</h1>", page)
    return str(word)


def facts(page: str) -> dict[str, str]:
    """What the page gives to be compared."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def still(page: str) -> str:
    """The page without what is made anew at every look."""
    return SAME.sub("", page)


def unknown_like(number: str) -> str:
    """A number of the same province and year that was never given."""
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
    def test_the_word_follows_the_status_and_no_fact_is_told(
        self, make_application: Making, held: Held, as_: As, status: Status, word: str
    ) -> None:
        """PD2: of the issued, only the revoked is void; the number alone, which anybody can guess, opens no more."""
        paper = held(make_application(status=status.value))
        page = as_(None).get(f"/verify/{paper.number}")
        assert (page.status_code, verdict(page.text), facts(page.text)) == (200, word, {})
        told = (paper.content["title"], paper.content["publisher_name"], dated(clock.today()), "其他", paper.typed)
        assert [fact for fact in told if fact in page.text] == []
        assert "请扫描证明上的二维码，或输入印在二维码旁的校验码。" in page.text
        assert f'value="{paper.number}"' in page.text

    def test_whatever_was_not_issued_is_unknown(self, make_application: Making, as_: As) -> None:
        """PD2: an application number opens nothing."""
        make_application(status="pending")
        assert verdict(as_(None).get("/verify/SQ202600000001").text) == "查无此证"

    def test_a_typed_number_is_led_to_its_page(self, make_application: Making, held: Held, as_: As) -> None:
        """Blanks, small letters and a Chinese keyboard's full-width signs do not matter to a person who copies."""
        number, browser = held(make_application(status="filed")).number, as_(None)
        full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
        for typed in (f" {number.lower()} ", f"{number[:4]}-{number[4:]}", full_width):
            answer = browser.get("/verify/", query_string={"number": typed})
            assert (answer.status_code, answer.location) == (302, f"/verify/{number}")
        for blank in ("", "  ", "--"):
            page = browser.get("/verify/", query_string={"number": blank})
            assert (page.status_code, verdict(page.text)) == (200, "备案证明查验")

    def test_an_o_typed_for_a_nought_does_not_matter(self, make_application: Making, held: Held, as_: As) -> None:
        """Nor an I or L for a one, in the digits of the number."""
        number = held(make_application(status="filed")).number
        typed = number[:-1].replace("0", "O").replace("1", "l") + number[-1]
        assert as_(None).get("/verify/", query_string={"number": typed}).location == f"/verify/{number}"

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

    def test_a_number_of_the_former_form_is_verified_for_ever(
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
    def test_a_typed_address_leads_nowhere_else(self, as_: As, typed: str) -> None:
        """AD13: whatever is typed, the next page is ours."""
        answer = as_(None).get("/verify/", query_string={"number": typed})
        assert re.fullmatch(r"/verify/[A-Z]+", answer.location)
        assert verdict(as_(None).get(answer.location, follow_redirects=True).text) == "查无此证"


class TestTypedCode:
    def test_it_opens_what_an_officer_compares_and_nothing_else(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """What is public is chosen: no contact, no telephone, no contract, no other field of the filing."""
        hidden = {"contact": "不公开的人", "phone": "13900000000", "summary": "不公开简介"}
        paper = held(make_application(status="filed", carriers=3, **hidden))
        page = as_(None).get(f"/verify/{paper.number}?code={paper.typed}").text
        assert verdict(page) == "有效"
        assert facts(page) == {
            "证明编号": paper.number,
            "出版单位": "江苏文艺音像出版社",
            "商品名称": "黑胶唱片《茉莉花》",
            "进口口岸": paper.content["port"],
            "载体信息": "共 3 条；010-张 3003",
            "签发机关": "江苏省新闻出版局",
            "签发日期": dated(clock.today()),
        }
        assert [word for word in (*hidden.values(), paper.content["contract_number"]) if word in page] == []
        assert f"查验时间：{clock.today()} " in page

    def test_dashes_small_letters_and_look_alikes_do_not_matter(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """Copied off paper, by hand."""
        paper, browser = held(make_application(status="filed")), as_(None)
        alike = paper.typed.lower().replace("0", "o").replace("1", "l")
        for typed in (f"{paper.typed[:4]}-{paper.typed[4:8]}-{paper.typed[8:]}", f" {alike} ", alike.upper()):
            asked = {"number": paper.number, "code": typed}
            page = browser.get("/verify/", query_string=asked, follow_redirects=True)
            assert verdict(page.text) == "有效", typed
            assert facts(page.text)["证明编号"] == paper.number

    def test_wrong_unknown_and_malformed_get_one_and_the_same_page(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """PD2, AC7: nobody learns whether a number or a code was close; not by status, length, or what is filled in."""
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

    def test_what_no_province_signed_for_this_number_is_not_to_be_believed(
        self, app: Flask, make_application: Making, held: Held, as_: As, tmp_path: Path
    ) -> None:
        """Altered, of another certificate, by another province, by a key that nobody knows, or of other contents."""
        paper, other = (held(make_application(status="filed")) for _ in range(2))
        told, stranger = paper.facts, Keys(tmp_path / "stranger")
        with app.app_context():
            signing_keys.establish(stranger.folder, ["320000"])
            own, neighbour, unknown = (
                office.signer(province).code_key
                for office, province in ((keys(), "320000"), (keys(), "440000"), (stranger, "320000"))
            )
        other_content = Facts(told.number, told.issued_on, told.holder, told.title, "0" * 64)
        codes = {
            "another's": other.code,
            "by a neighbour": check_code.signed(told, neighbour),
            "by a stranger": check_code.signed(told, unknown),
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

    def test_a_true_code_of_a_certificate_that_is_not_registered_says_so(
        self, app: Flask, make_application: Making, held: Held, as_: As
    ) -> None:
        """The key was used outside the register, or the register has lost a row: somebody must be told."""
        told = held(make_application(status="filed")).facts
        number = unknown_like(told.number)
        with app.app_context():
            key = keys().signer("320000").code_key
        code = check_code.signed(Facts(number, told.issued_on, told.holder, told.title, told.digest), key)
        page = as_(None).get(f"/verify/{number}?c={code}").text
        assert verdict(page) == "查无此证"
        assert "二维码确由签发机关签署，但没有登记这份证明。" in page

    def test_a_true_code_says_so_while_the_register_does_not_answer(
        self, app: Flask, make_application: Making, held: Held, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Proved without it, with what the code itself says; a false one is refused all the same."""
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

    def test_a_revoked_one_tells_when_and_why_but_never_the_opinion(
        self, make_application: Making, held: Held, as_: As, acting: Acting
    ) -> None:
        """PD2: the reason is a public word; what the reviewer wrote beside it is not."""
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

    def test_a_superseded_one_names_what_has_taken_its_place(
        self, app: Flask, make_application: Making, held: Held, as_: As, acting: Acting
    ) -> None:
        """PD2: revoked and issued anew; the old paper leads to the new number, the new one is valid."""
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

    def test_one_that_has_ended_says_since_when(
        self, app: Flask, make_application: Making, held: Held, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PD2: on its last day it holds; the day after it does not."""
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
    """The file, uploaded."""
    return browser.post("/verify/", data={"file": (io.BytesIO(content), "证明.pdf")}, **options)


def resaved(paper: bytes) -> bytes:
    """What a reader makes of it that saves a copy."""
    with pikepdf.open(io.BytesIO(paper)) as opened:
        out = io.BytesIO()
        opened.save(out)
    return out.getvalue()


def added_to(paper: bytes) -> bytes:
    """An incremental update: the signed bytes untouched, another title behind them."""
    writer, out = IncrementalPdfFileWriter(io.BytesIO(paper)), io.BytesIO()
    writer.root[NameObject("/Lang")] = TextStringObject("en")
    writer.update_root()
    writer.write(out)
    return out.getvalue()


def signed_by(folder: Keys, paper: bytes) -> bytes:
    """Any PDF, signed with these keys."""
    return typesetting.signed(paper, 0, (10, 10, 60, 60), Order("", "", clock.today(), folder, "320000"))


def signed_twice(folder: Keys, paper: bytes) -> bytes:
    """Two signatures, neither of which forbids the other."""
    hand = folder.signer("320000").pyhanko_signer
    for field in ("One", "Two"):
        writer = IncrementalPdfFileWriter(io.BytesIO(paper))
        paper = sign_pdf(writer, PdfSignatureMetadata(field_name=field), hand).getvalue()
    return paper


class TestFile:
    def test_the_issued_file_is_told_from_all_others(
        self, app: Flask, make_application: Making, printed: Printed, as_: As, a_pdf: Any, tmp_path: Path
    ) -> None:
        """PD4: each with its sentence, none with a failure; and the same file tells when it has been revoked."""
        key, browser = make_application(status="filed"), as_(None)
        paper, stranger = printed(key), Keys(tmp_path / "stranger")
        with app.app_context():
            signing_keys.establish(stranger.folder, ["320000"])
            cases = {
                "resaved": (resaved(paper), "不能采信", (BROKEN, CHANGED)),
                "added to": (added_to(paper), "不能采信", (CHANGED,)),
                "more bytes": (paper + b"\n%more", "不能采信", (CHANGED, BROKEN)),
                "unsigned": (a_pdf(), "不能采信", (BROKEN,)),
                "a stranger's": (signed_by(stranger, a_pdf()), "不能采信", ("文件的签章不是签发机关的",)),
                "two signatures": (signed_twice(keys(), a_pdf()), "不能采信", (CHANGED,)),
                "another paper": (signed_by(keys(), a_pdf()), "查无此证", ("文件签名有效，但不是登记的备案证明。",)),
                "empty": (b"", "不能采信", (BROKEN,)),
                "no PDF": (b"\x89PNG and so on", "不能采信", (BROKEN,)),
                "half of it": (paper[: len(paper) // 2], "不能采信", (BROKEN, CHANGED)),
            }
        for n in range(9, len(paper), len(paper) // 6):
            altered = paper[:n] + bytes([paper[n] ^ 1]) + paper[n + 1 :]
            cases[f"altered at {n}"] = (altered, "不能采信", (BROKEN, CHANGED))
        for n, (what, (content, word, sentences)) in enumerate(cases.items()):
            page = sent(browser, content, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"})
            assert (page.status_code, verdict(page.text), facts(page.text)) == (200, word, {}), what
            assert any(sentence in page.text for sentence in sentences), what
        page = sent(browser, paper).text
        assert (verdict(page), facts(page)["商品名称"]) == ("有效", "黑胶唱片《茉莉花》")
        take(app, Action.REVOKE, key, "publisher")
        assert verdict(sent(browser, paper).text) == "已作废"

    def test_a_file_made_to_be_costly_is_glanced_at_and_no_more(
        self, as_: As, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing in it is followed: no bomb goes off, no million of fields is counted, no log is filled."""
        monkeypatch.setattr(PdfFileReader, "__init__", lambda *_, **__: pytest.fail("the file was read as a PDF"))
        hostile = b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3] /Contents <" + b"ab" * 5000 + b">" + b"<</T(a)>> " * 100_000
        many = b"/ByteRange " * 100_000 + b"/Contents <aa" * 100_000
        for content in (hostile, many, hostile + many):
            page = sent(as_(None), content)
            assert (page.status_code, verdict(page.text)) == (200, "不能采信")
        assert [record for record in caplog.records if record.name.startswith("pyhanko")] == []

    def test_a_signature_of_many_certificates_is_not_looked_through(self, app: Flask, as_: As, a_pdf: Any) -> None:
        """An authority's chain is short; among many, looking for a way to a root could take for ever."""
        papers = []
        with app.app_context():
            hand = keys().signer("320000").pyhanko_signer
            others = [keys().signer(code).pyhanko_signer.signing_cert for code in list(names_of("province"))[:6]]
            signer = SimpleSigner(hand.signing_cert, hand.signing_key, SimpleCertificateStore.from_certs(others))
            rsa = generate_private_key(65537, 2048).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            stamps = DummyTimeStamper(others[0], PrivateKeyInfo.load(rsa), SimpleCertificateStore.from_certs(others))
            for by, timestamper in ((signer, None), (hand, stamps)):
                writer = IncrementalPdfFileWriter(io.BytesIO(a_pdf()))
                paper = sign_pdf(writer, PdfSignatureMetadata("Seal"), by, timestamper=timestamper)
                papers.append(paper.getvalue())
        for content in papers:
            assert BROKEN in sent(as_(None), content).text

    def test_no_file_leads_back_to_the_form_and_too_large_a_one_is_told_the_limit(self, as_: As) -> None:
        answer = as_(None).post("/verify/", data={})
        assert (answer.status_code, answer.location) == (303, "/verify/")
        answer = sent(as_(None), b"%PDF" + b"\0" * (21 << 20))
        assert answer.status_code == 413
        assert "文件超过 20 MB，不是签发的备案证明，请核对后重新选择。" in answer.text


def slowed(answer: TestResponse) -> bool:
    """Whether the answer asks for patience, and says for how long."""
    if answer.status_code != 429:
        return False
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    said = answer.json["message"] if answer.is_json else answer.text
    assert "操作过于频繁，请稍等一分钟后再试。" in said
    return True


class TestPatience:
    def test_whoever_asks_too_often_waits_and_nobody_else_does(self, as_: As) -> None:
        """AC7: counted by address; told as a page, and as JSON to a script."""
        browser = as_(None)
        answers = [browser.get("/verify/") for _ in range(121)]
        assert [slowed(answer) for answer in answers] == [False] * 120 + [True]
        assert slowed(browser.get("/verify/Z", headers={"Accept": "application/json"}))
        assert not slowed(browser.get("/verify/", environ_base={"REMOTE_ADDR": "10.0.0.2"}))

    def test_guesses_at_a_code_are_counted_by_number_and_address(
        self, make_application: Making, held: Held, as_: As
    ) -> None:
        """AC7: a right code is not counted; and a number that does not exist is guarded alike."""
        paper, other = (held(make_application(status="filed")) for _ in range(2))
        browser = as_(None)
        for _ in range(12):
            assert verdict(browser.get(f"/verify/{paper.number}?code={paper.typed}").text) == "有效"
        for number in (paper.number, unknown_like(paper.number)):
            guesses = [browser.get(f"/verify/{number}?code={n:012}") for n in range(11)]
            assert [slowed(answer) for answer in guesses] == [False] * 10 + [True]
        assert slowed(browser.get(f"/verify/{paper.number}?code={paper.typed}"))
        assert verdict(browser.get(f"/verify/{other.number}?code={other.typed}").text) == "有效"

    def test_nobody_can_shut_a_certificate_for_others(self, make_application: Making, held: Held, as_: As) -> None:
        """Whoever has guessed too often still scans and asks by number; a customs house elsewhere types in peace."""
        paper, browser = held(make_application(status="filed")), as_(None)
        for n in range(11):
            browser.get(f"/verify/{paper.number}?code={n:012}")
        assert verdict(browser.get(f"/verify/{paper.number}").text) == "有效"
        assert verdict(browser.get(f"/verify/{paper.number}?c={paper.code}").text) == "有效"
        elsewhere = {"REMOTE_ADDR": "10.0.0.2"}
        typed = browser.get(f"/verify/{paper.number}?code={paper.typed}", environ_base=elsewhere)
        assert verdict(typed.text) == "有效"

    def test_files_are_looked_at_twenty_times_a_minute_and_then_not_even_read(self, as_: As) -> None:
        browser = as_(None)
        assert [slowed(browser.post("/verify/")) for _ in range(21)] == [False] * 20 + [True]

        class Untouched(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                pytest.fail("the body was read")

        kind = "multipart/form-data; boundary=x"
        assert slowed(
            browser.post("/verify/", input_stream=Untouched(), content_length=9, content_type=kind, csrf=False)
        )

    def test_an_office_behind_one_address_may_mistype_but_nobody_may_try_passwords(self, app: Flask, as_: As) -> None:
        """Sixty failures a minute and an address; whoever gets in is not counted."""
        app.config["CAPTCHA"] = True  # without an answer no password is tried, and hashing takes its time
        browser = as_(None)
        wrong = {"username": "publisher", "password": "x"}
        answers = [browser.post("/login", data=wrong) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [401] * 60 + [429]
        assert slowed(answers[-1])
        assert not slowed(browser.get("/login"))

    def test_behind_a_proxy_it_is_the_client_who_is_counted(self) -> None:
        app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://", "PROXIES": 1})
        browser = app.test_client()
        for client, over in (("198.51.100.1", [True]), ("198.51.100.2", [True])):
            answers = [browser.get("/verify/", headers={"X-Forwarded-For": client}) for _ in range(121)]
            assert [slowed(answer) for answer in answers] == [False] * 120 + over


def test_the_form_asks_for_what_stands_on_the_paper(as_: As) -> None:
    page = as_(None).get("/verify/").text
    assert [name for name in ("number", "code", "file") if f'name="{name}"' not in page] == []
