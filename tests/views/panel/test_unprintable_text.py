"""Invisible, direction-changing and unprintable characters are reported by field and character."""

import re

import pytest

from models.application import Application
from models.database import db
from models.people.accounts import Organisation
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.pages import complaints, flashed, form_of
from tests.views.panel.saved_values import marked, save


@pytest.mark.slow
def test_invisible_text_counts_as_blank(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A title of U+200B alone was declared and got a certificate."""
    key, browser = make_application(), client_as("publisher")
    assert save(browser, key, title="\u200b", contact="\u3164\u2800", summary="\ufe0f\n").status_code == 302
    record = stored_rows(key)["application"][0]
    assert (record["title"], record["contact"], record["summary"]) == (None, None, None)
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert re.findall(r'<li><a href="#(\w+)">请填写', answer.text) == ["title", "summary", "contact"]


def test_invisible_text_stored_before_counts_as_missing(
    act_as: ActAs, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """In the fields, and in the cells of the carriers."""
    key = make_application(carriers=2, title="\u200b")
    with act_as("publisher"):
        db.session.get_one(Application, key).carriers[1].specification = "\u3164"
        db.session.commit()
    answer = client_as("publisher").post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert flashed(answer.text) == ["还有 2 项没有完成，暂不能申报。"]
    assert '<li><a href="#title">请填写商品名称。</a></li>' in answer.text
    assert '<li><a href="#carriers-1-specification">第 2 行 规格型号：必填。</a></li>' in answer.text
    assert 'id="carriers-1-specification"' in answer.text


def test_direction_characters_are_refused_by_name(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Issue 9, 26; and it stays in its field."""
    key, browser = make_application(), client_as("publisher")
    page = marked(browser, key, title="探戈\u202e精选")
    assert complaints(page) == ["“探戈”后面有改变文字顺序的隐藏字符（U+202E），请删去后重新输入这一处。"]
    assert form_of(page)["title"] == "探戈\u202e精选"
    assert stored_rows(key)["application"][0]["title"] is None


def test_an_invisible_opinion_counts_as_blank(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(status="pending"), client_as("reviewer")
    for opinion in ("\u200b", " \u3164", "\ufeff\n"):
        answer = browser.post("/review/return/", data={"id": key, "opinion": opinion})
        assert "退回须填写意见，请写明理由后再提交。" in answer.text
    turned = browser.post("/review/return/", data={"id": key, "opinion": "材料\u202e不全"})
    assert "后面有改变文字顺序的隐藏字符（U+202E）" in turned.text
    assert stored_rows(key)["application"][0]["status"] == Status.PENDING
    browser.post("/review/return/", data={"id": key, "opinion": "\u202a材料\u200b不全\u202c "})
    assert stored_rows(key)["trail_entry"][-1]["opinion"] == "材料不全"


@pytest.mark.slow
def test_unprintable_text_is_reported_at_save_and_refused_at_submission(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """By field and character; a draft is saved all the same, and fields that are not printed do not matter."""
    key, browser = make_application(carriers=2), client_as("publisher")
    typed = {"title": "探戈\ue123", "summary": "\ue124", "carriers-1-name": "第\ue125辑"}
    answer = save(browser, key, **typed)
    assert answer.status_code == 302
    assert stored_rows(key)["application"][0]["title"] == "探戈\ue123"
    found = [
        "商品名称中的字符 （U+E123） 无法打印，请改用其他写法。",
        "第 2 条载体信息的名称中的字符 （U+E125） 无法打印，请改用其他写法。",
    ]
    assert flashed(browser.get(answer.location).text)[:2] == found
    refused = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    links = re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', refused.text)
    assert links == list(zip(("title", "carriers-1-name"), found, strict=True))
    for name, _sentence in links:
        assert f'id="{name}"' in refused.text
    assert stored_rows(key)["application"][0]["status"] == Status.DRAFT


@pytest.mark.slow
def test_many_unprintable_fields_fit_into_one_response(client_as: ClientAs, make_application: MakeApplication) -> None:
    """The sentences travel in a cookie of 4 KB."""
    key, browser = make_application(carriers=20), client_as("publisher")
    worst = "".join(chr(0xE000 + n) for n in range(200))
    answer = save(browser, key, title=worst, **{f"carriers-{n}-name": worst for n in range(20)})
    assert len(answer.headers["Set-Cookie"]) < 4000
    sentences = flashed(browser.get(answer.location).text)
    assert "另有 16 处无法打印，申报时会逐项列出。" in sentences


def test_an_unprintable_name_is_reported_at_its_registration(client_as: ClientAs, act_as: ActAs) -> None:
    """A name of invisible characters is no name."""
    browser = client_as("operator")
    with act_as("operator"):
        organisation = db.session.query(Organisation).first()
        assert organisation
        where = f"/organisations/edit/?id={organisation.id}"
    form = form_of(browser.get(where).text, "card-box")
    answer = browser.post(where, data=form | {"name": "出版社\ue123"})
    assert "单位名称中的字符 （U+E123） 无法打印，请改用其他写法。" in flashed(browser.get(answer.location).text)
    answer = browser.post(where, data=form | {"name": "\u200b\u3164"})
    assert (answer.status_code, complaints(answer.text)) == (422, ["必填。"])
    form = form_of(browser.get(where).text, "card-box")
    answer = browser.post(where, data=form | {"credit_code": f"{form['credit_code'].lower()} \u3000"})
    assert answer.status_code == 302
    assert form_of(browser.get(where).text, "card-box")["credit_code"] == form["credit_code"]
    who = browser.get("/accounts/").text
    account = re.search(r"/accounts/edit/\?id=(\d+)", who)
    assert account
    where = f"/accounts/edit/?id={account[1]}"
    form = form_of(browser.get(where).text, "card-box")
    answer = browser.post(where, data=form | {"name": "陈\ue123"})
    assert "姓名中的字符 （U+E123） 无法打印，请改用其他写法。" in flashed(browser.get(answer.location).text)


def test_an_unprintable_registered_name_is_reported_to_the_operator(
    act_as: ActAs, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """The applicant cannot mend the names of the units."""
    key = make_application()
    with act_as("publisher"):
        application = db.session.get_one(Application, key)
        application.publisher_name = application.applicant_name = "出版社\ue123"
        db.session.commit()
    answer = client_as("publisher").post("/applications/submit/", data={"id": key}, follow_redirects=True)
    links = dict(re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', answer.text))
    assert links == {
        "auto-applicant_name": "申请单位中的字符 （U+E123） 无法打印，请联系系统管理员改用其他写法。",
        "publisher_id": "出版单位中的字符 （U+E123） 无法打印，请联系系统管理员改用其他写法。",
    }
    for name in links:
        assert f'id="{name}"' in answer.text
