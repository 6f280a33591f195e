"""空白表格: the operator offers a PDF for a kind of attachment, publishers download it beside its upload field."""

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, log
from models.access import Closed
from models.application import blank_forms
from models.application.attachments import Store, Stored
from models.application.blank_forms import BlankForm
from models.backup import missing_files, sweep
from models.database import db
from models.log import Operation
from models.vocabulary import AttachmentKind
from models.workflow import Refused
from tests.browsing import Browser, ClientAs
from tests.cast import blank_form
from tests.conftest import ActAs, MakeApplication, MakePdf
from tests.stores import grow_old
from tests.views.conftest import Invoke
from tests.views.pages import flashed

KIND = AttachmentKind.CONTRACT
WHERE = f"/applications/blank/?kind={KIND}"


def offer(browser: Browser, content: bytes, name: str = "合同样本.pdf", version: int = 0) -> list[str]:
    """The sentences after 上传 or 更换."""
    sent = {"kind": KIND.value, "version": str(version), "file": (io.BytesIO(content), name)}
    return flashed(browser.post("/blanks/keep/", data=sent, follow_redirects=True).text)


def seen(operator: Browser) -> int:
    """The version of the form that the page of the operator shows; 0 for none."""
    found = re.findall(r"/blanks/remove/\?version=(\d+)", operator.get("/blanks/").text)
    return int(found[0]) if found else 0


def remove(operator: Browser, version: int) -> list[str]:
    """The sentences after 移除."""
    where = f"/blanks/remove/?version={version}"
    return flashed(operator.post(where, data={"id": KIND.value}, follow_redirects=True).text)


def test_a_blank_form_is_offered_on_the_empty_desk_and_beside_its_upload_box(
    client_as: ClientAs, make_pdf: MakePdf
) -> None:
    assert "空白表格" not in client_as("publisher").get("/desk/").text
    assert "下载空白表格" not in client_as("publisher").get("/applications/new/").text
    offer(client_as("operator"), make_pdf("x"))
    for who in ("publisher", "agent"):
        browser = client_as(who)
        assert WHERE in browser.get("/desk/").text
        page = browser.get("/applications/new/").text
        assert re.findall(r'<a href="([^"]*)">下载空白表格', page) == [WHERE]
        assert page.index('id="file-contract"') < page.index(WHERE) < page.index('id="file-copyright"')
        answer = browser.get(WHERE)
        assert answer.data == make_pdf("x")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert (answer.mimetype, answer.content_length) == ("application/pdf", len(make_pdf("x")))
        assert browser.head(WHERE).status_code == 200


def test_a_desk_with_applications_does_not_offer_blank_forms(
    client_as: ClientAs, app: Flask, make_application: MakeApplication
) -> None:
    make_application()
    blank_form(app, KIND)
    assert WHERE not in client_as("publisher").get("/desk/").text


def test_replacing_and_removing_a_blank_form_is_logged(client_as: ClientAs, make_pdf: MakePdf) -> None:
    operator, publisher = client_as("operator"), client_as("publisher")
    offer(operator, make_pdf("1"))
    assert offer(operator, make_pdf("2"), "新样本.pdf", seen(operator)) == [
        "已保存，申请单位现在可以下载「境外加工合同」的空白表格。"
    ]
    assert publisher.get(WHERE).data == make_pdf("2")
    assert remove(operator, seen(operator)) == ["已移除，「境外加工合同」不再提供空白表格。"]
    assert publisher.get(WHERE).status_code == 404
    assert "下载空白表格" not in publisher.get("/applications/new/").text
    page = operator.get("/operations/").text
    for words in ("上传空白表格", "更换空白表格", "移除空白表格", "境外加工合同", "新样本.pdf"):
        assert words in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "是空的"),
        (b"PK\x03\x04 not what it is called", "不是 PDF、JPEG、PNG 或 TIFF"),
        (b"%PDF-1.4 broken", "不完整"),
    ],
)
def test_a_blank_form_is_inspected_like_an_attachment(
    client_as: ClientAs, act_as: ActAs, content: bytes, sentence: str
) -> None:
    (found,) = offer(client_as("operator"), content)
    assert sentence in found
    with act_as("operator"):
        assert blank_forms.listed(db.session()) == {}
        assert log.newest(db.session(), Operation.BLANK_FORM_ADDED) is None


def test_a_picture_is_refused_as_a_blank_form(act_as: ActAs) -> None:
    with act_as("operator") as by, pytest.raises(Refused, match="须为 PDF"):
        blank_forms.save(db.session(), KIND, 0, Stored("0" * 64, 1, "image/png"), "a.png", by)


def test_a_request_without_a_file_stores_no_blank_form(client_as: ClientAs) -> None:
    sent = {"kind": KIND.value, "version": "0"}
    assert flashed(client_as("operator").post("/blanks/keep/", data=sent, follow_redirects=True).text) == [
        "请先选择文件。"
    ]
    for place in ("keep", "remove", "file"):
        answer = client_as("operator").open(f"/blanks/{place}/", method="GET" if place == "file" else "POST")
        assert answer.status_code == 400


def test_the_second_of_two_operators_gets_a_version_conflict(client_as: ClientAs, make_pdf: MakePdf) -> None:
    operator = client_as("operator")
    offer(operator, make_pdf("1"))
    assert "刚刚已被他人更换或移除" in offer(operator, make_pdf("2"))[0]
    former = seen(operator)
    remove(operator, former)
    assert "刚刚已被他人更换或移除" in remove(operator, former)[-1]
    assert "刚刚已被他人更换或移除" in offer(operator, make_pdf("2"), version=former)[0]


def test_a_page_showing_a_removed_blank_form_cannot_replace_its_successor(
    client_as: ClientAs, make_pdf: MakePdf
) -> None:
    """A form made anew begins with no version that a page which is still open may name."""
    operator = client_as("operator")
    offer(operator, make_pdf("1"))
    former = seen(operator)
    remove(operator, former)
    offer(operator, make_pdf("2"))
    assert "刚刚已被他人更换或移除" in offer(operator, make_pdf("3"), version=former)[0]
    assert "刚刚已被他人更换或移除" in remove(operator, former)[0]
    assert client_as("publisher").get(WHERE).data == make_pdf("2")


@pytest.mark.parametrize("version", ["0", "-1", "x", ""])
def test_removing_a_missing_blank_form_is_refused(client_as: ClientAs, version: str) -> None:
    answer = client_as("operator").post(
        f"/blanks/remove/?version={version}", data={"id": KIND.value}, follow_redirects=True
    )
    assert "刚刚已被他人更换或移除" in flashed(answer.text)[0]


@pytest.mark.parametrize("who", ["publisher", "reviewer", "national"])
def test_other_roles_cannot_change_blank_forms(client_as: ClientAs, app: Flask, act_as: ActAs, who: str) -> None:
    blank_form(app, KIND)
    for place in ("", "file/?kind=contract"):
        assert client_as(who).get(f"/blanks/{place}").status_code == 403
    assert client_as(who).post("/blanks/remove/?version=1", data={"id": KIND.value}).status_code == 403
    with act_as(who) as account:
        row = db.session.scalars(select(BlankForm)).one()
        row.name = f"{account.username}.pdf"
        with pytest.raises(Closed):
            db.session.flush()


def test_backup_restore_and_sweep_keep_the_bytes_of_a_blank_form(app: Flask, invoke: Invoke, tmp_path: Path) -> None:
    blank_form(app, KIND)
    assert invoke("backup", str(tmp_path / "backup")).exit_code == 0
    with app.app_context(), access.everything() as session:
        store, digest = Store(app.config["STORE"]), session.scalars(select(BlankForm.digest)).one()
        assert digest in {path.name for path in (tmp_path / "backup" / "store").rglob("*")}
        grow_old(app.config["STORE"], digest)
        assert sum(count for label, count in sweep(session, store) if label == "无主文件") == 0
        assert missing_files(session, store) == []
        store.place.delete(f"{digest[:2]}/{digest}")
        assert missing_files(session, store) == ["空白表“一”.pdf"]


def test_a_blank_form_with_lost_bytes_shows_an_incident_number(app: Flask, client_as: ClientAs) -> None:
    blank_form(app, KIND)
    with app.app_context(), access.everything() as session:
        digest = session.scalars(select(BlankForm.digest)).one()
        Store(app.config["STORE"]).place.delete(f"{digest[:2]}/{digest}")
    answer = client_as("publisher").get(WHERE)
    assert answer.status_code == 409
    assert "缺失或已损坏" in answer.text
