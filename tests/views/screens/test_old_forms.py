"""An old page overwrites nothing: changes made in between are shown before they can be replaced."""

import html
import re
from collections.abc import Callable

import pytest

from models.acts import drafts, filing
from models.application import Application
from models.database import db
from models.vocabulary import Action, Status
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.pages import flashed, form_of


@pytest.mark.slow
def test_an_old_form_saved_after_the_decision_changes_nothing(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD5: one tab submits, the province grants, the other tab saves its old form: 409 with the name, text kept."""
    key, browser = make_application(), client_as("publisher")
    old = form_of(browser.get(f"/applications/edit/?id={key}").text)
    browser.post("/applications/submit/", data={"id": key})
    client_as("reviewer").post("/review/grant/", data={"id": key})
    before = stored_rows(key)
    browser.get("/applications/")  # where the first tab showed the result of 申报
    for button in ({}, {"_submit": "1"}):
        answer = browser.post(f"/applications/edit/?id={key}", data=old | {"title": "旧页面上改的标题"} | button)
        assert answer.status_code == 409
        (sentence,) = flashed(answer.text)
        assert sentence.startswith("陈静已于 ")
        assert "准予备案，当前状态为「已备案」。您的操作没有保存" in sentence
        assert form_of(answer.text)["title"] == "旧页面上改的标题"
        assert stored_rows(key) == before
        old["version"] = form_of(answer.text)["version"]  # saved once more, knowingly: the rule still stands
        again = browser.post(f"/applications/edit/?id={key}", data=old)
        assert (again.status_code, stored_rows(key)) == (422, before)
        old["version"] = "2"


@pytest.mark.slow
def test_two_colleagues_editing_one_draft_lose_no_text(
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    add_colleague: Callable[..., None],
) -> None:
    """AD5: the later one sees both texts side by side; saving a second time is a choice, made knowingly."""
    add_colleague("second", like="publisher")
    key, early, late = make_application(), client_as("second"), client_as("publisher")
    form = form_of(late.get(f"/applications/edit/?id={key}").text)
    first = form_of(early.get(f"/applications/edit/?id={key}").text)
    early.post(f"/applications/edit/?id={key}", data=first | {"title": "先到的标题", "port": "2233", "contact": ""})
    before = stored_rows(key)
    typed = form | {"title": "后到的标题", "phone": "025-1"}
    answer = late.post(f"/applications/edit/?id={key}", data=typed)
    assert answer.status_code == 409
    assert "编辑，当前状态为「暂存」" in flashed(answer.text)[0]
    assert stored_rows(key) == before
    form_now = form_of(answer.text)
    assert (form_now["title"], form_now["phone"]) == ("后到的标题", "025-1")
    for theirs in ("先到的标题", "2233-浦东机场", '<span class="none">--</span>', "025-83210000"):
        assert f'<p class="theirs">已保存的内容：{theirs}</p>' in answer.text
    assert late.post(f"/applications/edit/?id={key}", data=form_now).status_code == 302
    assert stored_rows(key)["application"][0]["title"] == "后到的标题"
    assert "商品名称：“先到的标题” → “后到的标题”" in late.get(f"/applications/edit/?id={key}").text


@pytest.mark.slow
def test_a_conflict_shows_the_carrier_changes_of_a_colleague(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """The cells of a row cannot show a second text, so the conflict lists the changes saved in between."""
    key, early, late = make_application(carriers=2), client_as("publisher"), client_as("publisher")
    form, first = (form_of(browser.get(f"/applications/edit/?id={key}").text) for browser in (late, early))
    early.post(f"/applications/edit/?id={key}", data=first | {"carriers-0-quantity": "500", "del-carriers-1": "on"})
    answer = late.post(f"/applications/edit/?id={key}", data=form | {"contact": "李想"})
    assert answer.status_code == 409
    changes = answer.text.partition("这期间已保存的改动，请核对后再保存：")[2].partition("</ul>")[0]
    assert "第 1 条 进口数量：“1000” → “500”" in changes
    assert "删除原第 2 条" in changes


@pytest.mark.slow
def test_a_conflict_lists_only_changes_made_since_the_page_was_opened(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Only changes after opening the page are listed, also with unchanged saves in between."""
    key, early, late = make_application(), client_as("publisher"), client_as("publisher")
    for title in ("很早以前的", "打开以前的"):
        early.post(
            f"/applications/edit/?id={key}",
            data=form_of(early.get(f"/applications/edit/?id={key}").text) | {"title": title},
        )
    form = form_of(late.get(f"/applications/edit/?id={key}").text)
    for phone in (form["phone"], form["phone"], "025-1"):
        opened = form_of(early.get(f"/applications/edit/?id={key}").text)
        early.post(f"/applications/edit/?id={key}", data=opened | {"phone": phone})
    answer = late.post(f"/applications/edit/?id={key}", data=form | {"contact": "李想"})
    assert answer.status_code == 409
    changes = answer.text.partition("这期间已保存的改动，请核对后再保存：")[2].partition("</ul>")[0]
    assert re.findall(r"<li>(.*?)</li>", changes) == [f"联系电话：“{form['phone']}” → “025-1”"]
    opened = form_of(early.get(f"/applications/edit/?id={key}").text)
    early.post(f"/applications/edit/?id={key}", data=opened)  # saved without a change: nothing to tell
    form_now = form_of(answer.text)
    answer = late.post(f"/applications/edit/?id={key}", data=form_now)
    assert answer.status_code == 409
    assert "这期间已保存的改动" not in answer.text


@pytest.mark.slow
def test_a_form_without_a_valid_version_is_a_conflict(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD5: leaving the version out, or guessing it, is no way round."""
    key, browser = make_application(), client_as("publisher")
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    before = stored_rows(key)
    for version in (None, "", "0", "1", "3", "-2", "2.0", "abc", "９", "9" * 5000, "2,2"):
        sent = {name: value for name, value in form.items() if name != "version"}
        sent |= {} if version is None else {"version": version}
        assert browser.post(f"/applications/edit/?id={key}", data=sent).status_code == 409, version
    assert stored_rows(key) == before


@pytest.mark.slow
def test_a_decision_on_an_unseen_version_is_refused(
    client_as: ClientAs, act_as: ActAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AD5 for a decision: returned by a colleague, rewritten, declared again: an old tab does not know."""
    key = make_application(status="pending")
    reviewer = client_as("reviewer")
    page = reviewer.get(f"/review/details/?id={key}").text
    grant = html.unescape(re.search(r'formaction="(/review/grant/[^"]*)"', page)[1])  # type: ignore[index]
    reviewer.post("/review/return/", data={"id": key, "opinion": "请补正。"})
    with act_as("publisher") as publisher:
        application = db.session.get(Application, key)
        assert application is not None
        with drafts.revising(db.session(), application, application.version, publisher):
            application.title = "另一部作品"
        filing.perform(db.session(), Action.SUBMIT, application, publisher)
        db.session.commit()
    answer = reviewer.post(grant, data={"id": key}, follow_redirects=True)
    assert "您的操作没有保存" in answer.text
    assert stored_rows(key)["application"][0]["status"] == Status.PENDING
    fresh = reviewer.get(f"/review/details/?id={key}").text
    grant = html.unescape(re.search(r'formaction="(/review/grant/[^"]*)"', fresh)[1])  # type: ignore[index]
    reviewer.post(grant, data={"id": key})
    assert stored_rows(key)["application"][0]["status"] == Status.FILED


def test_a_late_reviewer_reads_which_colleague_has_decided_and_what_customs_has_answered_since(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Customs may answer before the second reviewer clicks."""
    key = make_application(status="customs_received")
    answer = client_as("reviewer").post("/review/grant/?version=1", data={"id": key}, follow_redirects=True)
    (sentence,) = flashed(answer.text)
    assert sentence.startswith("陈静已于 ")
    assert "准予备案，此后收到海关接收成功回执，当前状态为「海关接收成功」。您的操作没有保存" in sentence


def test_a_form_of_a_draft_deleted_meanwhile_says_so(client_as: ClientAs, make_application: MakeApplication) -> None:
    """A script shows the sentence beside the buttons, and the form stays."""
    key, browser = make_application(), client_as("publisher")
    old = form_of(browser.get(f"/applications/edit/?id={key}").text)
    client_as("publisher").post("/applications/delete/", data={"id": key})
    answer = browser.post(f"/applications/edit/?id={key}", data=old)
    assert answer.status_code == 404
    assert "可能已由同事或在另一个窗口中删除，没有保存。仍需办理的，请新建申请。" in answer.text
    assert 'href="/applications/new/"' in answer.text
    assert browser.get(f"/applications/edit/?id={key}").status_code == 404


@pytest.mark.parametrize("place", ["edit", "details"])
def test_going_back_to_a_deleted_or_foreign_case_shows_a_sentence_and_ways_on_that_do_not_tell_which(
    place: str, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """The page before may be about the same case: the list and the desk are offered instead."""
    deleted, foreign, browser = make_application(), make_application(by="publisher2"), client_as("publisher")
    browser.post("/applications/delete/", data={"id": deleted})
    addresses = [f"/applications/{place}/?id={key}" for key in (deleted, foreign, 99_999_999, "x")]
    back = {"Referer": f"http://localhost/applications/edit/?id={deleted}"}
    answers = [browser.get(address, headers=back) for address in addresses]
    assert {answer.status_code for answer in answers} == {404}
    pages = {answer.text.partition("<main")[2].partition("</main>")[0] for answer in answers}
    assert len(pages) == 1
    (page,) = pages
    assert "没有找到这项资料：可能已经删除，也可能不属于当前账号的范围。请返回列表查询。" in page
    assert re.findall(r'<a class="btn [a-z-]+" href="(.*?)">', page) == ["/applications/", "/"]


@pytest.mark.parametrize(
    "address", ["submit/", "delete/", "copy/", "duplicate/", "carriers/preview/", "carriers/take/", "autosave/"]
)
def test_an_act_on_a_draft_deleted_meanwhile_says_that_nothing_was_done(
    address: str, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key, browser = make_application(), client_as("publisher")
    client_as("publisher").post("/applications/delete/", data={"id": key})
    answer = browser.post(f"/applications/{address}?id={key}", data={"id": key})
    assert answer.status_code == 404
    assert "没有找到这项资料，可能已由同事或在另一个窗口中删除，没有办理。请返回列表查询。" in answer.text
    assert '<a class="btn btn-primary" href="/applications/">返回列表</a>' in answer.text
