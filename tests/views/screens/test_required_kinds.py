"""Additional required kinds of a province: set in 本省设置, applied at once by the form, its asterisks and 申报."""

import io
import re

import pytest

from models.acts.completeness import lacking, required_kinds
from models.application import Application
from models.database import db
from models.vocabulary import AttachmentKind, Filing
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs, MakeApplication, MakePdf, StoredRows
from tests.views.pages import flashed, form_of

COPYRIGHT, OTHER = "请上传著作权授权。", "请上传其他。"


def require(browser: Browser, *kinds: str) -> str:
    """The page after 保存 of 本省设置 with these kinds ticked."""
    form: dict[str, object] = dict(form_of(browser.get("/province/").text, "card-box"))
    form["required_kinds"] = list(kinds)
    return browser.post("/province/", data=form, follow_redirects=True).text


def starred(page: str) -> list[str]:
    """The kinds of attachments that the form marks with a visible asterisk."""
    boxes = re.findall(r'<div class="box[^"]*" id="file-(\w+)" .*?<h3>(.*?)</h3>', page, re.DOTALL)
    return [kind for kind, heading in boxes if 'class="star"' in heading and " hidden>" not in heading]


ALWAYS = ["application_form", "licence", "sample", "contract"]


def test_form_and_missing_list_follow_the_settings_of_the_province(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    publisher, key = client_as("publisher"), make_application()
    assert starred(publisher.get("/applications/new/").text) == ALWAYS
    page = require(client_as("reviewer"), "copyright", "other")
    assert flashed(page) == ["已保存。"]
    assert "另外必须提交的附件：（无） → 著作权授权、其他" in page
    assert starred(publisher.get("/applications/new/").text) == [*ALWAYS, "copyright", "other"]
    page = publisher.get(f"/applications/edit/?id={key}&check=1").text
    assert COPYRIGHT in page and OTHER in page
    assert "另外必须提交的附件：著作权授权、其他 → （无）" in require(client_as("reviewer"))
    assert COPYRIGHT not in publisher.get(f"/applications/edit/?id={key}&check=1").text


def test_an_application_without_a_required_kind_cannot_be_submitted(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, make_pdf: MakePdf
) -> None:
    publisher, key = client_as("publisher"), make_application()
    require(client_as("reviewer"), "copyright")
    assert (
        "还有 1 项没有完成"
        in flashed(publisher.post("/applications/submit/", data={"id": key}, follow_redirects=True).text)[0]
    )
    assert stored_rows(key)["application"][0]["status"] == "draft"
    file = {"id": key, "kind": "copyright", "file": (io.BytesIO(make_pdf("x")), "授权.pdf")}
    assert publisher.post("/applications/upload/", data=file).status_code == 200
    publisher.post("/applications/submit/", data={"id": key})
    assert stored_rows(key)["application"][0]["status"] == "pending"


def test_required_kinds_of_one_province_do_not_apply_to_another(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """By the province of the publisher, not of the applicant: each publisher of an agent has its own asterisks."""
    require(client_as("reviewer2"), "copyright")
    key = make_application()
    assert starred(client_as("publisher").get(f"/applications/edit/?id={key}").text) == ALWAYS
    assert COPYRIGHT not in client_as("publisher").get(f"/applications/edit/?id={key}&check=1").text
    require(client_as("reviewer"), "copyright")
    page = client_as("agent").get("/applications/new/").text
    assert starred(page) == [*ALWAYS, "copyright", "entrustment"]
    assert re.findall(r'data-publishers="([\d ]+)"', page) == ["1", "1"]


def test_new_required_kinds_do_not_affect_submitted_applications(
    client_as: ClientAs, act_as: ActAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Its decision follows the old rules; once returned, it is submitted by the rules of that day."""
    pending, returned = make_application(status="pending"), make_application(status="returned")
    require(client_as("reviewer"), "copyright")
    with act_as("reviewer"):
        assert lacking(db.session.get_one(Application, pending)) == {}
        assert lacking(db.session.get_one(Application, returned)) == {"file-copyright": COPYRIGHT}
    page = client_as("reviewer").get(f"/review/details/?id={pending}").text
    assert '<dt><b class="star">*</b>著作权授权</dt>' not in page
    assert client_as("reviewer").post("/review/grant/", data={"id": pending}).status_code == 303
    assert stored_rows(pending)["application"][0]["status"] == "filed"
    found = client_as("publisher").post("/applications/submit/", data={"id": returned}, follow_redirects=True)
    assert "还有 1 项没有完成" in flashed(found.text)[0]


@pytest.mark.parametrize("forged", ["contract", "entrustment", "application_form", "x", ""])
def test_only_optional_kinds_can_be_made_required(client_as: ClientAs, act_as: ActAs, forged: str) -> None:
    reviewer = client_as("reviewer")
    form: dict[str, object] = dict(form_of(reviewer.get("/province/").text, "card-box"))
    assert reviewer.post("/province/", data=form | {"required_kinds": [forged]}).status_code == 422
    assert "没有改动过" in reviewer.get("/province/").text


def test_the_required_kinds_follow_one_table() -> None:
    assert required_kinds(None) == {AttachmentKind(kind) for kind in ALWAYS}
    assert required_kinds(Filing.ENTRUSTED) - required_kinds(Filing.OWN) == {AttachmentKind.ENTRUSTMENT}
    further = frozenset({AttachmentKind.OTHER})
    assert required_kinds(Filing.OWN, further) == required_kinds(Filing.OWN) | further
