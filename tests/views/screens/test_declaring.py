"""申报 by a publisher: the list of missing fields, and the read-only page afterwards."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.database import db
from models.people.accounts import Entrustment
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.ledger import ledger
from tests.views.pages import flashed, form_of, result
from tests.views.screens.saved_forms import opened, save


def test_the_page_after_submission_names_the_authority_and_the_next_step(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Not 保存记录成功: what happened, where it is, and the ways on."""
    key, browser = make_application(), client_as("publisher")
    form = opened(browser, key)
    page = browser.get(save(browser, key, form | {"_submit": "1"}).location).text
    assert flashed(page) == ["已申报"]
    sentence, links = result(page)
    assert re.fullmatch(r"SQ\d{12} 已送江苏省新闻出版局审核，审核期间不能修改；审核结果会显示在.*。", sentence)
    assert links == ["返回列表", "继续新建"]


@pytest.mark.slow
def test_a_refused_submission_lists_everything_missing_with_links_to_the_fields(
    client_as: ClientAs, stored_rows: StoredRows
) -> None:
    """行政许可法 第三十二条, by analogy: everything missing, at once. The typed text is saved as a draft."""
    browser = client_as("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"title": "黑胶唱片", "_submit": "1"}
    answer = browser.post("/applications/new/", data=form, follow_redirects=True)
    assert "还有 18 项没有完成，暂不能申报。" in flashed(answer.text)
    links = re.findall(r'<li><a href="#([\w-]+)">(请[^<]+)</a></li>', answer.text)
    assert len(links) == 18
    assert {"carriers", "file-contract", "phone"} <= {name for name, _sentence in links}
    for name, _sentence in links:
        assert f'id="{name}"' in answer.text, f"the link to {name} leads nowhere"
    (record,) = stored_rows(int(answer.request.args["id"]))["application"]
    assert (record["title"], record["status"]) == ("黑胶唱片", Status.DRAFT)


@pytest.mark.slow
def test_a_refused_submission_of_an_agent_also_lists_the_entrustment_letter(client_as: ClientAs) -> None:
    """Design 2.5: 委托书 is required only in an application for another publisher."""
    for username, found in (("agent", 1), ("publisher", 0)):
        browser = client_as(username)
        form = form_of(browser.get("/applications/new/").text) | {"_submit": "1"}
        page = browser.post("/applications/new/", data=form, follow_redirects=True).text
        assert page.count('<a href="#file-entrustment">请上传委托书。</a>') == found


@pytest.mark.slow
def test_a_complete_form_is_saved_and_submitted_with_one_button(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """手册 第一章: 确认以上录入信息无误，点击申报按钮."""
    key, browser = make_application(), client_as("publisher")
    form = opened(browser, key) | {"title": "最后改的标题", "_submit": "1"}
    answer = browser.post(f"/applications/edit/?id={key}", data=form)
    assert answer.location == f"/applications/details/?id={key}"
    (record,) = stored_rows(key)["application"]
    assert (record["title"], record["status"], record["applied_on"]) == ("最后改的标题", Status.PENDING, clock.today())


def test_submitting_an_incomplete_draft_from_the_list_leads_to_the_form(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    key, browser = make_application(phone=None), client_as("publisher")
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert answer.request.path == "/applications/edit/"
    assert flashed(answer.text) == ["还有 1 项没有完成，暂不能申报。"]
    assert '<li><a href="#phone">请填写联系电话。</a></li>' in answer.text


@pytest.mark.slow
def test_a_wrong_isbn_is_reported_to_both_sides_and_does_not_prevent_submission(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """domain.md: a bad checksum warns, never blocks. The reviewer reads every warning that the applicant has."""
    key, browser = make_application(), client_as("publisher")
    warning = "ISBN “978-7-5399-0000-0” 的校验位不符，请核对。"
    answer = save(browser, key, opened(browser, key) | {"isbn": "978-7-5399-0000-0"})
    assert answer.status_code == 302
    assert browser.get(answer.location).text.count(warning) == 1
    assert stored_rows(key)["application"][0]["isbn"] == "978-7-5399-0000-0"
    sent = browser.post(f"/applications/edit/?id={key}", data=opened(browser, key) | {"_submit": "1"})
    assert sent.location == f"/applications/details/?id={key}"
    assert client_as("reviewer").get(f"/review/details/?id={key}").text.count(warning) == 1


def test_a_right_isbn_is_saved_without_a_warning(client_as: ClientAs, make_application: MakeApplication) -> None:
    key, browser = make_application(), client_as("publisher")
    right = save(browser, key, opened(browser, key) | {"isbn": "9787111075660"})
    page = browser.get(right.location).text
    (sentence,) = flashed(page)
    assert "校验位不符" not in page
    assert re.fullmatch(r"已于 \d\d:\d\d 保存。", sentence)


@pytest.mark.slow
@pytest.mark.parametrize("status", [status for status in Status if status not in ("draft", "returned")])
def test_a_submitted_application_is_read_only(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, status: Status
) -> None:
    """手册 第二章: 数据为暂存和退回状态时，详情界面数据可以编辑修改，其他状态只允许查看."""
    key, browser = make_application(status=status), client_as("publisher")
    assert browser.get(f"/applications/edit/?id={key}").location == f"/applications/details/?id={key}"
    page = browser.get(f"/applications/details/?id={key}").text
    assert '<form id="application"' not in page
    assert "data-remove" not in page
    assert "黑胶唱片《茉莉花》" in page
    assert page.count("下载") == 4
    assert f'href="/applications/details/?id={key}' in browser.get("/applications/").text
    before = ledger(app)
    form = form_of(browser.get("/applications/new/").text) | {"title": "事后改的"}
    current = before["application"][0].version
    for version, status_code in (
        (2, 409),
        (current, 422),
    ):  # who was first; which status would allow it
        answer = save(browser, key, form | {"version": str(version)})
        assert answer.status_code == status_code
        assert "事后改的" in answer.text
    assert ledger(app) == before


@pytest.mark.parametrize("status", ["draft", "returned"])
def test_the_number_in_the_list_links_to_the_form_while_it_may_be_edited(
    client_as: ClientAs, make_application: MakeApplication, status: str
) -> None:
    """手册 第二章: 点击蓝色“申请单号”，系统自动跳转到数据详情界面."""
    key, browser = make_application(status=status), client_as("publisher")
    assert f'<a class="number" href="/applications/edit/?id={key}&amp;' in browser.get("/applications/").text
    assert form_of(browser.get(f"/applications/edit/?id={key}").text)["title"] == "黑胶唱片《茉莉花》"


@pytest.mark.slow
def test_an_agent_chooses_among_publishers_with_a_valid_entrustment(
    client_as: ClientAs,
    act_as: ActAs,
    make_publisher: Callable[..., str],
    make_application: MakeApplication,
    stored_rows: StoredRows,
) -> None:
    """Design 2.5; AD10 for a choice that was good yesterday."""
    key, browser = make_application(by="agent"), client_as("agent")
    make_publisher("440000", by_agent="agent")
    make_publisher("330000")
    page = browser.get(f"/applications/edit/?id={key}").text
    choices = dict(re.findall(r'<option[^>]*value="(\d+)">\w{18}-(\w+音像出版社)</option>', page))
    assert sorted(choices.values()) == ["440000音像出版社", "江苏文艺音像出版社"]
    cantonese = next(number for number, name in choices.items() if name.startswith("44"))
    assert save(browser, key, form_of(page) | {"publisher_id": cantonese}).status_code == 302
    assert stored_rows(key)["application"][0]["province"] == "440000"
    with act_as("operator"):
        for entrustment in db.session.scalars(select(Entrustment)):
            entrustment.until = clock.today() - timedelta(days=1)
        db.session.commit()
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "江苏文艺音像出版社</option>" not in page
    assert "440000音像出版社</option>" in page  # the one that the draft names stays readable where it stands
    ended = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert flashed(ended.text) == ["贵单位目前没有受该出版单位委托，不能为其申报，请核对委托期限。"]
    assert browser.post("/applications/new/", data=form_of(page)).status_code == 422


@pytest.mark.slow
def test_the_publisher_cannot_be_changed_after_submission(
    client_as: ClientAs, make_publisher: Callable[..., str], make_application: MakeApplication
) -> None:
    """After 申报 another publisher would move the case to another province's desk; the select offers only one."""
    key, browser = make_application(by="agent", status="returned"), client_as("agent")
    make_publisher("440000", by_agent="agent")
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "440000音像出版社" not in page
    for forged in ("__None", "99", form_of(browser.get("/applications/new/").text)["publisher_id"]):
        answer = save(browser, key, form_of(page) | {"publisher_id": forged})
        assert answer.status_code == 422 or forged == form_of(page)["publisher_id"]


def test_an_account_with_the_longest_names_can_file(app: Flask, client_as: ClientAs, stored_rows: StoredRows) -> None:
    """An account of 50 signs in an organisation of 100: the history has room for both, on both databases."""
    with app.app_context(), access.everything() as session:
        account = account_of("publisher", session)
        assert account.organisation
        account.name, account.organisation.name = "名" * 50, "社" * 100
        session.commit()
    browser = client_as("publisher")
    answer = browser.post("/applications/new/", data=form_of(browser.get("/applications/new/").text))
    (entry, *_rest) = stored_rows(int(answer.location.rpartition("=")[2]))["trail_entry"]
    assert entry["actor_name"] == f"{'名' * 50}（{'社' * 100}）"
