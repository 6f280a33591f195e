"""查验 by the QR code on the paper."""

import errno
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from sqlalchemy import create_engine

from models import clock
from models.acts import filing, reissue
from models.application import Application
from models.certificate.display import dated
from models.database import db
from models.signing import public_files, signed_code
from models.signing.check_code import Facts
from models.signing.keys import Keys
from models.vocabulary import Action, Reason
from tests.browsing import ClientAs
from tests.cast import account_of, perform_step
from tests.conftest import ActAs, MakeApplication
from tests.views.conftest import CertificateData, PrintedPaper
from tests.views.entrance.verified import SCRIPT, facts, unknown_like, verdict
from views.demo import signing_keys
from views.resources import keys, store

BASE_URL = "http://127.0.0.1:8000"


class TestScannedCode:
    @pytest.mark.slow
    def test_the_code_on_the_paper_of_the_longest_title_can_be_read_and_followed(
        self, app: Flask, make_application: MakeApplication, printed_paper: PrintedPaper, client_as: ClientAs
    ) -> None:
        """PD1: decoded out of the rendered page at 150 dpi, as a common printer and camera would have it."""
        with app.app_context():
            account_of("publisher").organisation.name = "江苏文艺" * 25
            db.session.commit()
        opened = pypdfium2.PdfDocument(printed_paper(make_application(status="filed", title="𠮷" * 300)))
        (code,) = zxingcpp.read_barcodes(opened[len(opened) - 1].render(scale=150 / 72).to_pil())
        page = client_as(None).get(code.text.removeprefix(BASE_URL)).text
        assert verdict(page) == "有效"
        assert facts(page)["商品名称"] == "𠮷" * 300

    def test_a_code_not_signed_by_the_province_for_this_number_is_forged(
        self,
        app: Flask,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        tmp_path: Path,
    ) -> None:
        """Altered, of another certificate, by another province, by an unknown key, or of other content."""
        paper, other = (certificate_data(make_application(status="filed")) for _ in range(2))
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
            "by a neighbour": signed_code.signed(signed, neighbour),
            "by a stranger": signed_code.signed(signed, unknown),
            "of other contents": signed_code.signed(other_content, own),
            "cut off": paper.code[:-4],
            "nonsense": "x" * 300,
            "a script": SCRIPT,
        } | {
            f"altered at {n}": paper.code[:n] + ("A" if paper.code[n] != "A" else "B") + paper.code[n:][1:]
            for n in (2, 40, -1)
        }
        for what, code in codes.items():
            page = client_as(None).get(f"/verify/{paper.number}", query_string={"c": code})
            assert (page.status_code, verdict(page.text), facts(page.text)) == (200, "不能采信", {}), what
            assert paper.number not in page.text, what

    def test_a_valid_code_of_an_unregistered_certificate_is_unknown(
        self, app: Flask, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
    ) -> None:
        """The key was used elsewhere, or the database has lost a row: the message says so."""
        signed = certificate_data(make_application(status="filed")).facts
        number = unknown_like(signed.number)
        with app.app_context():
            key = keys().signer("320000").code_key
        code = signed_code.signed(Facts(number, signed.issued_on, signed.holder, signed.title, signed.digest), key)
        page = client_as(None).get(f"/verify/{number}?c={code}").text
        assert verdict(page) == "查无此证"
        assert "二维码确由签发机关签署，但没有登记这份证明。" in page

    def test_a_valid_code_is_verified_while_the_database_does_not_answer(
        self,
        app: Flask,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """By its signature, with the facts in the code; a forged one is still refused."""
        paper = certificate_data(make_application(status="filed"))
        down = create_engine("postgresql+psycopg://x@127.0.0.1:1/x")
        monkeypatch.setattr("models.database.GuardedSession.get_bind", lambda *_, **__: down)
        page = client_as(None).get(f"/verify/{paper.number}?c={paper.code}")
        assert (page.status_code, verdict(page.text)) == (503, "暂不能查询")
        assert "二维码确由签发机关签署，今日状态暂时无法查询，请稍后再试。" in page.text
        assert facts(page.text) == {
            "证明编号": paper.number,
            "出版单位": "江苏文艺音像出版社",
            "商品名称": "黑胶唱片《茉莉花》",
            "签发日期": dated(clock.today()),
            "签署日期": dated(clock.today()),
        }
        assert verdict(client_as(None).get(f"/verify/{paper.number}?c={paper.code[:-4]}").text) == "不能采信"

    @pytest.mark.parametrize("how", ["read_bytes", "iterdir"])
    def test_a_code_is_not_called_forged_while_a_public_key_or_their_folder_cannot_be_read(
        self,
        app: Flask,
        how: str,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The disk fails for a moment: the page says to ask again, and the next answer is right."""
        paper, read = certificate_data(make_application(status="filed")), getattr(Path, how)
        public_files._code_keys.cache_clear()
        with app.app_context():
            folder = keys().folder
        where = f"/verify/{paper.number}?c={paper.code}"

        def failing(path: Path) -> object:
            if path.suffix == ".pub" or path == folder:
                raise OSError(errno.EIO, "Input/output error")
            return read(path)

        with monkeypatch.context() as broken:
            broken.setattr(Path, how, failing)
            page = client_as(None).get(where)
            assert (page.status_code, verdict(page.text), facts(page.text)) == (503, "暂不能查询", {})
            assert "签发机关的公钥暂时不能读取，现在无法查验，请稍后再试。" in page.text
        assert verdict(client_as(None).get(where).text) == "有效"

    def test_a_revoked_certificate_shows_date_and_reason_but_not_the_opinion(
        self, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs, act_as: ActAs
    ) -> None:
        """PD2: the reason is from a list; the reviewer's own text is not public."""
        key = make_application(status="filed")
        paper = certificate_data(key)
        with act_as("reviewer") as reviewer:
            granted = db.session.get_one(Application, key)
            filing.perform(db.session(), Action.REVOKE, granted, reviewer, "内部意见", reason=Reason.UNLAWFUL)
            db.session.commit()
        for proof in (f"c={paper.code}", f"code={paper.typed}"):
            page = client_as(None).get(f"/verify/{paper.number}?{proof}").text
            assert verdict(page) == "已作废"
            assert f"已于 {dated(clock.today())}作废（{Reason.UNLAWFUL.label}），不能再用于办理进口手续。" in page
            assert "内部意见" not in page
            assert facts(page)["证明编号"] == paper.number

    def test_a_replaced_certificate_names_its_replacement(
        self,
        app: Flask,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        act_as: ActAs,
    ) -> None:
        """PD2: revoked and reissued; the old number is void and names the new one, which is valid."""
        key = make_application(status="revoked")
        old = certificate_data(key)
        with act_as("publisher") as publisher:
            draft, _left = reissue.copy(db.session(), db.session.get_one(Application, key), publisher, store())
            again = draft.id
            db.session.commit()
        for step in (Action.SUBMIT, Action.GRANT):
            perform_step(app, step, again, "publisher")
        new = certificate_data(again)
        page = client_as(None).get(f"/verify/{old.number}?c={old.code}").text
        assert verdict(page) == "已作废"
        assert f"已由证明 {new.number} 替代。" in page
        assert verdict(client_as(None).get(f"/verify/{new.number}?c={new.code}").text) == "有效"

    def test_an_expired_certificate_shows_its_last_day(
        self,
        app: Flask,
        make_application: MakeApplication,
        certificate_data: CertificateData,
        client_as: ClientAs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """PD2: on its last day it is valid; the day after it is not."""
        app.config["VALID_DAYS"] = "30"
        paper, last = certificate_data(make_application(status="filed")), clock.today() + timedelta(days=30)
        for day, word in ((last, "有效"), (last + timedelta(days=1), "已过有效期")):
            monkeypatch.setattr("models.clock.today", lambda day=day: day)
            page = client_as(None).get(f"/verify/{paper.number}?c={paper.code}").text
            assert (verdict(page), facts(page)["有效期至"]) == (word, dated(last))
            bare = client_as(None).get(f"/verify/{paper.number}").text
            assert (verdict(bare), facts(bare), dated(last) in bare) == (word, {}, False)
        assert f"这份备案证明的有效期已于 {dated(last)}届满。" in page
