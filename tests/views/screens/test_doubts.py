"""Doubts on the screen: shown at 保存, shown before 申报 at the latest, and never in the way after that."""

import html
import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from models import access, clock
from models.application import Application
from models.people.accounts import Organisation
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import flashed, form_of

NOT_SUBMITTED = "还没有申报：请先核对页面上方的提示，确认无误后再次点击申报。"


@pytest.mark.slow
def test_doubts_are_shown_once_before_a_submission_from_the_form(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The second click submits; after seeing the doubts at 保存 one click is enough."""
    make_application()
    key = make_application(title="另一部作品")
    browser, address = client_as("publisher"), f"/applications/edit/?id={key}"
    page = browser.get(address).text
    assert 'id="doubts"' not in page
    answer = browser.post(
        address, data=form_of(page) | {"title": "黑胶唱片《茉莉花》", "_submit": "1"}, follow_redirects=True
    )
    assert flashed(answer.text) == [NOT_SUBMITTED] and "请确认不是重复申请" in answer.text
    assert [stored_rows(key)["application"][0][name] for name in ("status", "title")] == ["draft", "黑胶唱片《茉莉花》"]
    browser.post(address, data=form_of(answer.text) | {"_submit": "1"})
    assert stored_rows(key)["application"][0]["status"] == "pending"


def test_doubts_are_shown_before_a_submission_from_the_list(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    make_application()
    key = make_application()
    browser = client_as("publisher")
    body = form_of(browser.get("/applications/").text, "act") | {"id": str(key)}
    answer = browser.post("/applications/submit/", data=body, follow_redirects=True)
    assert flashed(answer.text) == [NOT_SUBMITTED] and 'id="doubts"' in answer.text
    assert stored_rows(key)["application"][0]["status"] == "draft"


@pytest.mark.slow
def test_missing_fields_are_reported_before_doubts(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application()
    key = make_application(summary=None)
    browser, address = client_as("publisher"), f"/applications/edit/?id={key}"
    form = form_of(browser.get(address).text) | {"doubts_shown": "", "_submit": "1"}
    answer = browser.post(address, data=form, follow_redirects=True)
    assert flashed(answer.text)[0] == "还有 1 项没有完成，暂不能申报。"


@pytest.mark.slow
def test_any_former_application_is_copied_without_files_and_without_replacing(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    for status in ("draft", "filed", "revoked"):
        key = make_application(status=status, carriers=3)
        before = stored_rows(key)
        answer = client_as("publisher").post("/applications/duplicate/", data={"id": key})
        assert answer.status_code == 303 and stored_rows(key) == before
        new = stored_rows(int(answer.location.rpartition("=")[2]))
        (copied,), (old,) = new["application"], before["application"]
        same = ("title", "manufacturer", "publisher_id", "province", "expected_on", "contact")
        assert [copied[name] for name in same] == [old[name] for name in same]
        assert (copied["status"], copied["replaces_id"], copied["applied_on"]) == ("draft", None, None)
        assert [row["specification"] for row in new["carrier"]] == [row["specification"] for row in before["carrier"]]
        assert not new["attachment"]
        assert [entry["opinion"] for entry in new["trail_entry"]] == [f"由 {old['number']} 复制。"]


def test_a_foreign_application_cannot_be_copied(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    assert client_as("publisher2").post("/applications/duplicate/", data={"id": key}).status_code == 404
    assert client_as("reviewer").post("/applications/duplicate/", data={"id": key}).status_code == 403
    assert not stored_rows(key + 1)["application"]


@pytest.mark.slow
def test_text_of_former_applications_is_suggested_to_their_applicant_only(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """The newest first, each once; anything else may be written."""
    for plant, sid in (("甲厂", "IFPI 9A01"), ("乙厂", None), ("甲厂", None)):
        make_application(manufacturer=plant, sid_code=sid)
    make_application(by="publisher2", manufacturer="别人的厂")
    page = client_as("publisher").get("/applications/new/").text
    offered = re.findall(r'<option value="([甲乙]厂)" data-fills="(.*?)">', page)
    assert [(plant, json.loads(html.unescape(fills))) for plant, fills in offered] == [
        ("甲厂", {"country": "DEU", "sid_code": "IFPI 9A01"}),
        ("乙厂", {"country": "DEU"}),
    ]
    assert 'list="former-manufacturer"' in page and "别人的厂" not in page
    assert "甲厂" not in client_as("publisher2").get("/applications/new/").text


def reviewers_doubts(browser: Browser, key: int, screen: str = "review", back: str = "") -> str:
    """The warnings on the page of a case, as HTML; "" for none."""
    page = browser.get(f"/{screen}/details/?{urlencode({'id': key, 'url': back})}").text
    found = re.findall(r'id="doubts">(.*?)</div>', page, re.DOTALL)
    return found[0] if found else ""


@pytest.mark.slow
def test_the_reviewer_reads_the_warnings_of_the_applicant_with_a_link_to_the_other_application(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A draft of the same work is not disclosed; the warning does not prevent the decision."""
    day = clock.today() - timedelta(days=3)
    filed, waiting, draft = (make_application(status=status) for status in ("filed", "pending", "draft"))
    key, reviewer = make_application(status="pending", expected_on=day), client_as("reviewer")
    number = {each: stored_rows(each)["application"][0]["number"] for each in (filed, waiting, draft)}
    found = reviewers_doubts(reviewer, key)
    assert (number[filed] in found, number[waiting] in found, number[draft] in found) == (True, True, False)
    assert f"预计进口日期 {day} 已经过去" in found
    for address in re.findall(r'href="([^"]*)"', found):
        assert reviewer.get(html.unescape(address)).status_code == 200
    links = re.findall(r'href="/(\w+)/details/\?id=(\d+)', found)
    assert links == [("review", str(waiting)), ("filings", str(filed))]
    listed = f"/review/?{urlencode({'title': '茉莉花', 'sort': 6})}"
    from_a_list = reviewers_doubts(reviewer, key, back=listed)
    addresses = map(html.unescape, re.findall(r'href="([^"]*)"', from_a_list))
    backs = [parse_qs(urlsplit(address).query)["url"] for address in addresses]
    assert backs == [[listed]] * 2, "返回列表, 上一件 and 下一件 of the other case are those of the same list"
    assert reviewer.post("/review/grant/", data={"id": key}).status_code == 303
    assert reviewers_doubts(reviewer, key, "filings") == "", "decided"


@pytest.mark.slow
def test_a_likely_duplicate_in_another_province_is_not_disclosed(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The publisher was registered in 广东 for one of its two applications."""
    away, here = make_application(), make_application(status="pending")
    with app.app_context(), access.everything() as session:
        publisher = session.get_one(Application, away).publisher_id
        for province in ("440000", "320000"):
            session.get_one(Organisation, publisher).province = province
            session.commit()
            if province == "440000":
                perform_step(app, Action.SUBMIT, away, "publisher")
    assert stored_rows(away)["application"][0]["province"] == "440000"
    assert reviewers_doubts(client_as("reviewer"), here) == ""
    assert reviewers_doubts(client_as("reviewer2"), away) == ""
    assert client_as("reviewer2").get(f"/review/details/?id={away}").status_code == 200


def test_a_fraction_of_a_piece_is_saved_and_reported_beside_its_cell_and_to_the_reviewer(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(), client_as("publisher")
    address, fraction = f"/applications/edit/?id={key}", {"carriers-0-quantity": "1.5"}
    page = browser.post(address, data=form_of(browser.get(address).text) | fraction, follow_redirects=True).text
    assert "载体信息第 1 行 1.5 张的进口数量不是整数，请核对。" in page
    assert re.findall(r'<p class="note" id="(.*?)" data-doubt>(.*?)</p>', page) == [
        ("carriers-0-quantity-note", "1.5 张不是整数，请核对。")
    ]
    browser.post(address, data=form_of(page) | {"_submit": "1"})
    assert stored_rows(key)["application"][0]["status"] == "pending"
    assert "第 1 行 1.5 张" in reviewers_doubts(client_as("reviewer"), key)
