"""作废 with a reason, 重新申请, and how the two certificates name each other."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from models import access
from models.application.attachments import Attachment
from models.people.accounts import Organisation
from tests.apps import engine_of_owner, without_triggers
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.models.acts.test_reissue import rival
from tests.views.ledger import ledger
from tests.views.pages import flashed


@pytest.fixture
def reapply(client_as: ClientAs) -> Callable[..., int]:
    """`reapply(key)`: 重新申请; the number of the new row."""

    def applied(key: int, by: str = "publisher") -> int:
        answer = client_as(by).post("/applications/copy/", data={"id": key})
        assert answer.status_code == 303
        found = re.fullmatch(r"/applications/edit/\?id=(\d+)", answer.location)
        assert found
        return int(found[1])

    return applied


@pytest.fixture
def grant(client_as: ClientAs) -> Callable[[int], list[str]]:
    """`grant(draft)`: submit and grant it; the messages to the province."""

    def granted(key: int) -> list[str]:
        client_as("publisher").post("/applications/submit/", data={"id": key})
        return flashed(client_as("reviewer").post("/review/grant/", data={"id": key}, follow_redirects=True).text)

    return granted


class TestRevoked:
    @pytest.mark.slow
    def test_the_history_shows_the_reason_of_a_revocation(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """A reason of the list, and words; where none was chosen it is 其他."""
        for sent, recorded, words in (
            ({"reason": "deceit"}, "deceit", "作废原因：以欺骗等不正当手段取得"),
            ({}, "other", "作废原因：其他"),
        ):
            key = make_application(status="filed")
            client_as("reviewer").post("/filings/revoke/", data={"id": key, "opinion": "合同系伪造。"} | sent)
            entry = stored_rows(key)["trail_entry"][-1]
            expected = ("revoke", "合同系伪造。", {"reason": [None, recorded]})
            assert (entry["act"], entry["opinion"], entry["changes"]) == expected
            page = client_as("publisher").get(f"/applications/details/?id={key}").text
            assert words in page
            assert "合同系伪造。" in page

    def test_a_revocation_with_an_unknown_reason_is_refused(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        key, browser = make_application(status="filed"), client_as("reviewer")
        before = ledger(app)
        answer = browser.post("/filings/revoke/", data={"id": key, "opinion": "理由", "reason": "whim"})
        assert answer.status_code == 400
        assert ledger(app) == before

    @pytest.mark.slow
    def test_the_revoke_button_asks_for_a_reason_and_an_opinion(
        self, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        page = client_as("reviewer").get(f"/filings/details/?id={make_application(status='filed')}").text
        [button] = re.findall(r'<button[^>]*data-act="revoke"[^>]*>', page)
        assert "data-reason" in button and "data-opinion" in button
        assert '<option value="deceit">以欺骗等不正当手段取得</option>' in page


class TestAppliedForAnew:
    @pytest.mark.slow
    def test_a_copied_draft_opens_in_its_form_with_all_fields(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, reapply: Any
    ) -> None:
        """Fields, carriers and files; the bytes are stored once, and the old application stays unchanged."""
        key = make_application(status="revoked", carriers=3)
        before = stored_rows(key)
        draft = reapply(key)
        old, new = stored_rows(key), stored_rows(draft)
        for name in ("title", "summary", "publisher_id", "contract_number", "expected_on"):
            assert new["application"][0][name] == old["application"][0][name]
        assert new["application"][0]["replaces_id"] == old["certificate"][0]["id"]
        for table, names in (("carrier", ("position", "quantity", "unit")), ("attachment", ("kind", "name", "digest"))):
            assert [[row[name] for name in names] for row in new[table]] == [
                [row[name] for name in names] for row in old[table]
            ]
        assert [entry["act"] for entry in old["trail_entry"]][len(before["trail_entry"]) :] == ["copy"]
        newest = {"last_seal": None, "last_change": None}  # of its trail
        assert old["application"][0] | newest == before["application"][0] | newest
        page = client_as("publisher").get(f"/applications/edit/?id={draft}").text
        assert old["certificate"][0]["number"] in page
        assert 'class="alert alert-warning opinion"' not in page

    @pytest.mark.slow
    def test_copying_shows_a_message_with_both_numbers(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        key, browser = make_application(status="revoked"), client_as("publisher")
        page = browser.post("/applications/copy/", data={"id": key}, follow_redirects=True).text
        old = stored_rows(key)["application"][0]["number"]
        [sentence] = flashed(page)
        assert re.fullmatch(rf"已按 {old} 新建申请 SQ\d+，请核对后申报。", sentence)
        offered = browser.get(f"/applications/details/?id={key}").text
        assert re.search(r'formaction="/applications/copy/[^>]*data-act="copy"', offered)

    @pytest.mark.slow
    def test_copying_twice_leads_to_the_existing_draft(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, reapply: Any
    ) -> None:
        """Double click, a lost answer, another tab: the draft, or the details while it waits for the province."""
        key, browser = make_application(status="revoked"), client_as("publisher")
        draft = reapply(key)
        old, new = (stored_rows(each)["application"][0]["number"] for each in (key, draft))
        for label, page in (("暂存", "edit"), ("待审核", "details")):
            before = ledger(app)
            answer = browser.post("/applications/copy/", data={"id": key}, follow_redirects=True)
            assert (answer.request.path, answer.request.args["id"]) == (f"/applications/{page}/", str(draft))
            sentence = f"{old} 已经重新申请为 {new}（{label}），没有另建，请在这一份上继续办理。"
            assert flashed(answer.text)[-1] == sentence  # after that of 申报, the second time
            assert ledger(app) == before
            browser.post("/applications/submit/", data={"id": draft})

    @pytest.mark.slow
    def test_a_file_that_would_be_refused_today_is_not_copied(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
    ) -> None:
        """FU2: a file found unsafe is not copied into a new application; a message names it."""
        key = make_application(status="revoked")
        bad = stored_rows(key)["attachment"][0]
        content = b"MZ\x90\x00 no paper at all"
        digest = hashlib.sha256(content).hexdigest()
        Path(app.config["STORE"], digest[:2]).mkdir(exist_ok=True)
        Path(app.config["STORE"], digest[:2], digest).write_bytes(content)
        # Accepted by a former version.
        with app.app_context(), engine_of_owner(app).begin() as connection, without_triggers(connection):
            connection.execute(update(Attachment).where(Attachment.id == bad["id"]).values(digest=digest))
        answer = client_as("publisher").post("/applications/copy/", data={"id": key}, follow_redirects=True)
        _done, left = flashed(answer.text)
        assert left.startswith(f"有一个附件没有复制：文件“{bad['name']}”不是 PDF、JPEG、PNG 或 TIFF")
        draft = int(answer.request.args["id"])
        copied = [file["digest"] for file in stored_rows(draft)["attachment"]]
        assert copied == [file["digest"] for file in stored_rows(key)["attachment"]][1:]

    @pytest.mark.slow
    def test_foreign_and_valid_certificates_cannot_be_replaced(
        self, app: Flask, client_as: ClientAs, make_application: MakeApplication
    ) -> None:
        own, strange = make_application(status="filed"), make_application(by="publisher2", status="revoked")
        browser, before = client_as("publisher"), ledger(app)
        for key in (strange, 99999, "abc", ""):
            assert browser.post("/applications/copy/", data={"id": key}).status_code == 404
        answer = browser.post("/applications/copy/", data={"id": own}, follow_redirects=True)
        assert flashed(answer.text) == ["当前状态为「已备案」，不能重新申请；「已作废」状态可以重新申请。"]
        assert client_as("reviewer").post("/filings/copy/", data={"id": own}).status_code == 404
        assert ledger(app) == before


class TestOneInThePlaceOfTheOther:
    @pytest.mark.slow
    def test_both_certificates_name_each_other_to_permitted_readers(
        self, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, reapply: Any, grant: Any
    ) -> None:
        """替代证明 on the new, 已由证明 … 替代 on the old, each a link that opens."""
        old = make_application(status="revoked")
        new = reapply(old)
        grant(new)
        numbers = {key: stored_rows(key)["certificate"][0]["number"] for key in (old, new)}
        for who, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
            browser = client_as(who)
            for key, other, words in ((new, old, "替代证明"), (old, new, "已由证明")):
                page = browser.get(f"/{screen}/details/?id={key}").text
                assert words in page
                link = re.search(rf'<a href="([^"]*)">{numbers[other]}</a>', page)
                assert link
                assert browser.get(link[1].replace("&amp;", "&")).status_code == 200

    @pytest.mark.slow
    def test_a_certificate_the_reader_may_not_open_is_not_linked(
        self,
        app: Flask,
        client_as: Any,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        make_publisher: Any,
        reapply: Any,
    ) -> None:
        """The publisher has moved to another province: the new one cannot see the old certificate or its number."""
        make_publisher("440000")
        old = make_application(status="revoked")
        with app.app_context(), access.everything() as session:
            session.execute(
                update(Organisation).where(Organisation.name == "江苏文艺音像出版社").values(province="440000")
            )
            session.commit()
        new = reapply(old)
        client_as("publisher").post("/applications/submit/", data={"id": new})
        page = client_as("reviewer2").get(f"/filings/details/?id={new}").text
        assert stored_rows(new)["application"][0]["replaces_id"]
        assert stored_rows(old)["certificate"][0]["number"] not in page
        assert "替代证明" not in page

    @pytest.mark.slow
    def test_a_replaced_certificate_cannot_be_replaced_again(
        self,
        app: Flask,
        client_as: Any,
        make_application: MakeApplication,
        stored_rows: StoredRows,
        reapply: Any,
        grant: Any,
    ) -> None:
        """It would be a dead end: no certificate could be granted for it. The sentence names what to look at."""
        old = make_application(status="revoked")
        new = reapply(old)
        grant(new)
        numbers = [stored_rows(key)["certificate"][0]["number"] for key in (old, new)]
        before = ledger(app)
        page = client_as("publisher").post("/applications/copy/", data={"id": old}, follow_redirects=True).text
        assert flashed(page) == [f"证明 {numbers[0]} 已由 {numbers[1]} 替代，不能再次替代，请查看 {numbers[1]}。"]
        assert ledger(app) == before

    @pytest.mark.slow
    def test_a_second_replacement_certificate_is_refused(
        self, app: Flask, make_application: MakeApplication, stored_rows: StoredRows, reapply: Any, grant: Any
    ) -> None:
        old = make_application(status="revoked")
        first, second = reapply(old), rival(app, make_application(), old)
        grant(first)
        numbers = [stored_rows(key)["certificate"][0]["number"] for key in (old, first)]
        advice = "请不予备案，由申请人另行申请。"
        assert grant(second) == [f"证明 {numbers[0]} 已由 {numbers[1]} 替代，不能再次替代。{advice}"]
        assert stored_rows(second)["certificate"] == []
        assert stored_rows(second)["application"][0]["status"] == "pending"
