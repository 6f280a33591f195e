"""查验 on the public page: by number, check code, QR code, or file."""

import re
from urllib.parse import quote

import pytest
from stdnum.iso7064 import mod_37_36

from models import clock, numbering
from models.certificate.display import dated
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.conftest import CertificateData
from tests.views.entrance.verified import SCRIPT, facts, unknown_like, verdict

TYPED = re.compile(r'(<input id="(?:number|code)"[^>]*?) value="[^"]*"')
SAME = re.compile(r'name="csrf_token" value="[^"]*"')


def still(page: str) -> str:
    """The page without its changing parts, and without the queried number and code."""
    return TYPED.sub(r"\1", SAME.sub("", page))


def test_the_login_page_leads_to_the_public_verification(client_as: ClientAs) -> None:
    """Whoever has a certificate in hand has no account."""
    visitor = client_as(None)
    assert '<a href="/verify/">备案证明查验</a>' in visitor.get("/login").text
    assert "印在证明上的证明编号和校验码" in visitor.get("/verify/").text


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
    def test_the_verdict_by_number_follows_the_status_and_shows_no_facts(
        self,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        status: Status,
        word: str,
    ) -> None:
        """PD2: only a revoked certificate is void; a number, which anybody can guess, opens no facts."""
        paper = certificate_data(make_application(status=status.value))
        page = client_as(None).get(f"/verify/{paper.number}")
        assert (page.status_code, verdict(page.text), facts(page.text)) == (200, word, {})
        signed = (paper.content["title"], paper.content["publisher_name"], dated(clock.today()), "其他", paper.typed)
        assert [fact for fact in signed if fact in page.text] == []
        assert "请扫描证明上的二维码，或输入印在二维码旁的校验码。" in page.text
        assert f'value="{paper.number}"' in page.text

    def test_every_other_number_is_unknown(self, make_application: MakeApplication, client_as: ClientAs) -> None:
        """PD2: an application number too."""
        make_application(status="pending")
        assert verdict(client_as(None).get("/verify/SQ202600000001").text) == "查无此证"

    def test_unmatched_input_stays_in_the_form(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """A typing error can be corrected in place; a scanned code is not put into the form."""
        number = certificate_data(make_application(status="filed")).number
        for asked in (number, unknown_like(number)):
            page = client_as(None).get(f"/verify/{asked}?code=123456789012").text
            assert verdict(page) == "查无此证"
            assert (f'value="{asked}"' in page, 'value="123456789012"' in page) == (True, True)
        assert number not in client_as(None).get(f"/verify/{number}?c=forged").text

    def test_a_typed_number_redirects_to_its_page(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """Blanks, lower case and full-width characters are accepted."""
        number, browser = certificate_data(make_application(status="filed")).number, client_as(None)
        full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
        for typed in (f" {number.lower()} ", f"{number[:4]}-{number[4:]}", full_width):
            answer = browser.get("/verify/", query_string={"number": typed})
            assert (answer.status_code, answer.location) == (302, f"/verify/{number}")
        for blank in ("", "  ", "--"):
            page = browser.get("/verify/", query_string={"number": blank})
            assert (page.status_code, verdict(page.text)) == (200, "备案证明查验")
            assert page.text.count("请填写证明编号") == 1

    def test_look_alikes_are_read_as_digits(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """O for 0, I and L for 1."""
        number = certificate_data(make_application(status="filed")).number
        typed = number[:-1].replace("0", "O").replace("1", "l") + number[-1]
        assert client_as(None).get("/verify/", query_string={"number": typed}).location == f"/verify/{number}"

    @pytest.mark.slow
    def test_the_address_reads_a_number_as_the_form_does(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """Issue 9, 34: small letters, full width, blanks, dashes, O for 0, I and L for 1; with code and without."""
        paper, browser = certificate_data(make_application(status="filed")), client_as(None)
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
        self,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """One check character, of ISO 7064 Mod 37,36; both forms share one serial."""
        monkeypatch.setattr(numbering, "_checked", lambda body: body + mod_37_36.calc_check_digit(body))
        old = certificate_data(make_application(status="filed")).number
        monkeypatch.undo()
        new = certificate_data(make_application(status="filed")).number
        assert (len(old), old[7:13], len(new), new[7:13]) == (14, "000001", 15, "000002")
        for number in (old, new):
            for spelled in (number, number.lower(), number[:-1].replace("0", "O") + number[-1]):
                assert verdict(client_as(None).get(f"/verify/{spelled}").text) == "有效", spelled

    @pytest.mark.parametrize(
        "typed", ["//evil.example", "https://evil.example", "..//evil.example", "\\\\evil.example"]
    )
    def test_a_typed_address_redirects_to_no_other_site(self, client_as: ClientAs, typed: str) -> None:
        """AD13: open redirect."""
        answer = client_as(None).get("/verify/", query_string={"number": typed})
        assert re.fullmatch(r"/verify/[A-Z]+", answer.location)
        assert verdict(client_as(None).get(answer.location, follow_redirects=True).text) == "查无此证"


class TestTypedCode:
    def test_the_code_shows_only_the_facts_that_an_officer_compares(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """No contact, telephone, contract, or other field of the application."""
        hidden = {"contact": "不公开的人", "phone": "13900000000", "summary": "不公开简介"}
        paper = certificate_data(make_application(status="filed", carriers=3, **hidden))
        page = client_as(None).get(f"/verify/{paper.number}?code={paper.typed}").text
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
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """As typed from the paper."""
        paper, browser = certificate_data(make_application(status="filed")), client_as(None)
        alike = paper.typed.lower().replace("0", "o").replace("1", "l")
        for typed in (f"{paper.typed[:4]}-{paper.typed[4:8]}-{paper.typed[8:]}", f" {alike} ", alike.upper()):
            asked = {"number": paper.number, "code": typed}
            page = browser.get("/verify/", query_string=asked, follow_redirects=True)
            assert verdict(page.text) == "有效", typed
            assert facts(page.text)["证明编号"] == paper.number

    def test_wrong_unknown_and_malformed_codes_get_the_same_page(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """PD2, AC7: status, length and form do not reveal whether a number or code was close."""
        paper, other = (certificate_data(make_application(status="filed")) for _ in range(2))
        unknown, browser = unknown_like(paper.number), client_as(None)
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


def test_the_form_uses_the_labels_of_the_paper(client_as: ClientAs) -> None:
    page = client_as(None).get("/verify/").text
    assert [name for name in ("number", "code", "file") if f'name="{name}"' not in page] == []
