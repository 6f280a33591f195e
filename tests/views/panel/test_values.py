"""What a person types becomes the value that they meant, or a sentence beside its field (issue 8: 3, 5, 6; 9: 33)."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from werkzeug.test import TestResponse

from models import clock
from models.application import Application
from models.database import db
from models.people.accounts import Organisation
from models.vocabulary import Status
from tests.conftest import Acting, Browser, Making, Recording
from tests.views.pages import complaints, form_of, said

As = Callable[[str | None], Browser]
SOON = clock.today() + timedelta(days=60)
IMPORTS = f"请填写 {clock.today() - timedelta(days=365)} 至 {clock.today() + timedelta(days=3653)} 之间的日期。"


def save(browser: Browser, key: int, **typed: str) -> TestResponse:
    """保存 the form as it stands, with these fields typed anew."""
    form = form_of(browser.get(f"/applications/edit/?id={key}").text)
    return browser.post(f"/applications/edit/?id={key}", data=form | typed)


def marked(browser: Browser, key: int, **typed: str) -> str:
    """The page after 保存 of a draft in which something cannot be read: it is kept as typed, and marked."""
    answer = save(browser, key, **typed)
    assert answer.status_code == 302
    return browser.get(answer.location).text


@pytest.mark.slow
def test_a_date_may_be_typed_in_any_usual_way(as_: As, make_application: Making, on_record: Recording) -> None:
    key, browser = make_application(), as_("publisher")
    for typed in (
        f"{SOON:%Y-%m-%d}",
        f"{SOON:%Y/%m/%d}",
        f"{SOON:%Y%m%d}",
        f" {SOON.year}年{SOON.month}月{SOON.day}日\u200b",
    ):
        save(browser, key, expected_on=f"{SOON + timedelta(days=1)}")
        assert save(browser, key, expected_on=typed).status_code == 302, typed
        assert on_record(key)["application"][0]["expected_on"] == SOON
    assert form_of(browser.get(f"/applications/edit/?id={key}").text)["expected_on"] == str(SOON)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2027-02-30", "没有这一天，请核对后按 2026-01-31 的格式填写日期。"),
        ("明年三月", "请按 2026-01-31 的格式填写日期。"),
        ("0001-12-22", ""),
        ("9999-12-31", ""),
        ("2020-01-31", ""),
    ],
)
def test_an_impossible_or_absurd_date_is_told_and_stays_as_typed(
    as_: As, make_application: Making, on_record: Recording, typed: str, sentence: str
) -> None:
    key, browser = make_application(), as_("publisher")
    page = marked(browser, key, expected_on=typed)
    assert complaints(page) == [sentence or IMPORTS]
    assert form_of(page)["expected_on"] == typed
    assert on_record(key)["application"][0]["expected_on"] is None


@pytest.mark.slow
def test_a_draft_with_an_old_date_opens_and_is_told_when_it_is_declared(as_: As, make_application: Making) -> None:
    """Saved before there were bounds, or long ago."""
    key, browser = make_application(expected_on=date(1, 12, 22)), as_("publisher")
    page = browser.get(f"/applications/edit/?id={key}")
    assert (page.status_code, complaints(page.text)) == (200, [])
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert f'<li><a href="#expected_on">预计进口日期：{IMPORTS}</a></li>' in answer.text


def test_an_entrustment_ends_on_a_day_that_people_can_mean(as_: As) -> None:
    browser = as_("operator")
    form = form_of(browser.get("/entrustments/edit/?id=1").text, "card-box")
    answer = browser.post("/entrustments/edit/?id=1", data=form | {"since": "0202-01-01", "until": "9999-12-31"})
    assert answer.status_code == 422
    assert complaints(answer.text) == ["请填写 1990-01-01 至 2099-12-31 之间的日期。"] * 2
    assert browser.post("/entrustments/edit/?id=1", data=form | {"until": "2030年12月31日"}).status_code == 302
    assert form_of(browser.get("/entrustments/edit/?id=1").text, "card-box")["until"] == "2030-12-31"


PAGES = {
    "publisher": ("/applications/new/", "/applications/edit/?id=1", "/applications/"),
    "reviewer": ("/review/", "/filings/", "/review/details/?id=2", "/exchange/"),
    "national": ("/register/",),
    "operator": ("/accounts/", "/accounts/new/", "/organisations/", "/organisations/new/", "/entrustments/new/",
                 "/districts/"),
    None: ("/login", "/verify/"),
}  # fmt: skip


@pytest.mark.slow
def test_no_field_cuts_a_paste(as_: As, make_application: Making) -> None:
    """Two blanks before 8523499030 were cut to 85234990, which is lawful, and another commodity."""
    make_application()
    make_application(status="pending")
    for username, addresses in PAGES.items():
        browser = as_(username)
        for address in addresses:
            page = browser.get(address)
            assert page.status_code == 200, address
            assert "<input" in page.text
            assert "maxlength" not in page.text, address


@pytest.mark.slow
def test_a_pasted_code_is_judged_whole(as_: As, make_application: Making, on_record: Recording) -> None:
    key, browser = make_application(), as_("publisher")
    for typed in (
        "  8523499030",
        "8523.4990.30",
        "8523 4990 30\u3000",
        "８５２３４９９０３０",
        "\u202d8523499030\u202c",
    ):
        save(browser, key, hs_code="85234990")
        assert save(browser, key, hs_code=typed).status_code == 302, typed
        assert on_record(key)["application"][0]["hs_code"] == "8523499030"
    kept = {
        "isbn": ("ISBN 978–7–88518–210–6", "978-7-88518-210-6"),
        "isrc": ("cn　c18 26 00009", "CN-C18-26-00009"),
        "phone": ("０２５－８３２１００００", "025-83210000"),
        "catalogue_number": ("ISRC CN-C18-26-0009-0/V·J4\u200b", "ISRC CN-C18-26-0009-0/V·J4"),
    }
    assert save(browser, key, **{name: typed for name, (typed, _stored) in kept.items()}).status_code == 302
    record = on_record(key)["application"][0]
    assert {name: record[name] for name in kept} == {name: stored for name, (_typed, stored) in kept.items()}


@pytest.mark.slow
def test_too_long_a_text_is_told_with_both_lengths(as_: As, make_application: Making) -> None:
    key, browser = make_application(), as_("publisher")
    page = marked(browser, key, title="长" * 312, summary="短" * 2001)
    assert complaints(page) == ["最多 300 字，现在 312 字。", "最多 2000 字，现在 2001 字。"]
    assert form_of(page)["title"] == "长" * 312
    assert save(browser, key, title=" " * 400 + "长" * 300).status_code == 302


@pytest.mark.slow
def test_text_that_nobody_sees_is_no_text(as_: As, make_application: Making, on_record: Recording) -> None:
    """A title of U+200B alone was declared and got a certificate."""
    key, browser = make_application(), as_("publisher")
    assert save(browser, key, title="\u200b", contact="\u3164\u2800", summary="\ufe0f\n").status_code == 302
    record = on_record(key)["application"][0]
    assert (record["title"], record["contact"], record["summary"]) == (None, None, None)
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert re.findall(r'<li><a href="#(\w+)">请填写', answer.text) == ["title", "summary", "contact"]


def test_what_was_stored_before_is_missing_too(acting: Acting, as_: As, make_application: Making) -> None:
    """In the fields, and in the cells of the carriers."""
    key = make_application(carriers=2, title="\u200b")
    with acting("publisher"):
        db.session.get_one(Application, key).carriers[1].specification = "\u3164"
        db.session.commit()
    answer = as_("publisher").post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert said(answer.text) == ["还有 2 项没有完成，暂不能申报。"]
    assert '<li><a href="#title">请填写商品名称。</a></li>' in answer.text
    assert '<li><a href="#carriers-1-specification">第 2 行 规格型号：必填。</a></li>' in answer.text
    assert 'id="carriers-1-specification"' in answer.text


def test_what_turns_a_text_around_is_refused_by_name(as_: As, make_application: Making, on_record: Recording) -> None:
    """Issue 9, 26; and it stays where it was typed."""
    key, browser = make_application(), as_("publisher")
    page = marked(browser, key, title="探戈\u202e精选")
    assert complaints(page) == ["“探戈”后面有改变文字顺序的隐藏字符（U+202E），请删去后重新输入这一处。"]
    assert form_of(page)["title"] == "探戈\u202e精选"
    assert on_record(key)["application"][0]["title"] is None


def test_an_opinion_that_nobody_sees_is_none(as_: As, make_application: Making, on_record: Recording) -> None:
    key, browser = make_application(status="pending"), as_("reviewer")
    for opinion in ("\u200b", " \u3164", "\ufeff\n"):
        answer = browser.post("/review/return/", data={"id": key, "opinion": opinion})
        assert "退回须填写意见，请写明理由后再提交。" in answer.text
    turned = browser.post("/review/return/", data={"id": key, "opinion": "材料\u202e不全"})
    assert "后面有改变文字顺序的隐藏字符（U+202E）" in turned.text
    assert on_record(key)["application"][0]["status"] == Status.PENDING
    browser.post("/review/return/", data={"id": key, "opinion": "\u202a材料\u200b不全\u202c "})
    assert on_record(key)["trail_entry"][-1]["opinion"] == "材料不全"


@pytest.mark.slow
def test_what_cannot_be_printed_is_told_at_save_and_refused_at_declaration(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """By field and character; a draft is saved all the same, and what the paper does not show does not matter."""
    key, browser = make_application(carriers=2), as_("publisher")
    typed = {"title": "探戈\ue123", "summary": "\ue124", "carriers-1-name": "第\ue125辑"}
    answer = save(browser, key, **typed)
    assert answer.status_code == 302
    assert on_record(key)["application"][0]["title"] == "探戈\ue123"
    told = [
        "商品名称中的字符 （U+E123） 无法打印，请改用其他写法。",
        "第 2 条载体信息的名称中的字符 （U+E125） 无法打印，请改用其他写法。",
    ]
    assert said(browser.get(answer.location).text)[:2] == told
    refused = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    links = re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', refused.text)
    assert links == list(zip(("title", "carriers-1-name"), told, strict=True))
    for name, _sentence in links:
        assert f'id="{name}"' in refused.text
    assert on_record(key)["application"][0]["status"] == Status.DRAFT


@pytest.mark.slow
def test_many_fields_that_cannot_be_printed_fit_into_one_answer(as_: As, make_application: Making) -> None:
    """The sentences travel in a cookie of 4 KB."""
    key, browser = make_application(carriers=20), as_("publisher")
    worst = "".join(chr(0xE000 + n) for n in range(200))
    answer = save(browser, key, title=worst, **{f"carriers-{n}-name": worst for n in range(20)})
    assert len(answer.headers["Set-Cookie"]) < 4000
    sentences = said(browser.get(answer.location).text)
    assert "另有 16 处无法打印，申报时会逐项列出。" in sentences


def test_names_that_cannot_be_printed_are_told_where_they_are_registered(as_: As, acting: Acting) -> None:
    """And a name that nobody sees is none."""
    browser = as_("operator")
    with acting("operator"):
        organisation = db.session.query(Organisation).first()
        assert organisation
        where = f"/organisations/edit/?id={organisation.id}"
    form = form_of(browser.get(where).text, "card-box")
    answer = browser.post(where, data=form | {"name": "出版社\ue123"})
    assert "单位名称中的字符 （U+E123） 无法打印，请改用其他写法。" in said(browser.get(answer.location).text)
    answer = browser.post(where, data=form | {"name": "\u200b\u3164"})
    assert (answer.status_code, complaints(answer.text)) == (422, ["必填。"])
    answer = browser.post(where, data=form | {"credit_code": f"{form['credit_code'].lower()} \u3000"})
    assert answer.status_code == 302
    assert form_of(browser.get(where).text, "card-box")["credit_code"] == form["credit_code"]
    who = browser.get("/accounts/").text
    account = re.search(r"/accounts/edit/\?id=(\d+)", who)
    assert account
    where = f"/accounts/edit/?id={account[1]}"
    form = form_of(browser.get(where).text, "card-box")
    answer = browser.post(where, data=form | {"name": "陈\ue123"})
    assert "姓名中的字符 （U+E123） 无法打印，请改用其他写法。" in said(browser.get(answer.location).text)


def test_a_name_that_changed_after_registration_is_told_to_the_operator(
    acting: Acting, as_: As, make_application: Making
) -> None:
    """The applicant cannot mend the names of the units."""
    key = make_application()
    with acting("publisher"):
        application = db.session.get_one(Application, key)
        application.publisher_name = application.applicant_name = "出版社\ue123"
        db.session.commit()
    answer = as_("publisher").post("/applications/submit/", data={"id": key}, follow_redirects=True)
    links = dict(re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', answer.text))
    assert links == {
        "auto-applicant_name": "申请单位中的字符 （U+E123） 无法打印，请联系系统管理员改用其他写法。",
        "publisher_id": "出版单位中的字符 （U+E123） 无法打印，请联系系统管理员改用其他写法。",
    }
    for name in links:
        assert f'id="{name}"' in answer.text
