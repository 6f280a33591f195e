"""备案证明申请 as the publisher meets it: the blank form, 保存, 载体信息, 申报, and what stays shut afterwards."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import escape, unescape

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import access, clock
from models.application import Application
from models.database import db
from models.people.accounts import Entrustment
from models.text import is_blank
from models.vocabulary import Status
from tests.cast import FIELDS
from tests.conftest import Acting, Browser, Making, Recording
from tests.views.ledger import ledger
from tests.views.pages import complaints, form_of, result, said

As = Callable[[str | None], Browser]
XHR = {"X-Requested-With": "XMLHttpRequest"}
ROW = {"specification": "12 英寸黑胶唱片", "quantity": "500", "unit": "010"}


def opened(browser: Browser, key: int) -> dict[str, str]:
    """The form of this application, as the browser would send it untouched."""
    return form_of(browser.get(f"/applications/edit/?id={key}").text)


def save(browser: Browser, key: int, form: dict[str, str]) -> TestResponse:
    """保存."""
    return browser.post(f"/applications/edit/?id={key}", data=form)


def row(number: int, **fields: str) -> dict[str, str]:
    """One new row of 载体信息, as the page sends it."""
    return {f"carriers-{number}-{name}": value for name, value in ({"id": ""} | ROW | fields).items()}


def summary(page: str) -> dict[str, str]:
    """The list on top of the page: id of the field → sentence."""
    return {name: unescape(sentence) for name, sentence in re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', page)}


def born(answer: TestResponse) -> int:
    """The number of the draft that a saved blank form has become."""
    assert answer.status_code == 302, said(answer.text) + complaints(answer.text)
    return int(answer.location.rpartition("=")[2])


def test_a_blank_form_creates_nothing_until_it_is_saved(app: Flask, as_: As) -> None:
    """手册 第一章: the menu opens the form; the grey boxes are filled, and the only press there is is chosen."""
    before = ledger(app)
    page = as_("publisher").get("/applications/new/").text
    assert ledger(app) == before
    assert "江苏文艺音像出版社" in page
    assert form_of(page)["publisher_id"] != "__None"
    assert form_of(as_("agent").get("/applications/new/").text)["publisher_id"] != "__None"


def test_an_incomplete_draft_can_be_saved(as_: As, on_record: Recording) -> None:
    """手册 第一章·小提示: what is starred is required to declare, not to save."""
    browser = as_("publisher")
    key = born(browser.post("/applications/new/", data=form_of(browser.get("/applications/new/").text)))
    (kept,) = on_record(key)["application"]
    assert (kept["status"], kept["title"], kept["applied_on"]) == (Status.DRAFT, None, None)
    assert kept["authority"] == "江苏省新闻出版局"
    assert save(browser, key, opened(browser, key) | {"title": " 黑胶唱片\0《茉莉花》 "}).status_code == 302
    assert on_record(key)["application"][0]["title"] == "黑胶唱片《茉莉花》"


def test_a_whole_form_is_kept_word_for_word(as_: As, on_record: Recording) -> None:
    browser = as_("publisher")
    typed = form_of(browser.get("/applications/new/").text)
    typed |= {name: str(value) for name, value in FIELDS.items()}
    key = born(browser.post("/applications/new/", data=typed | row(0, kind="DVD", unit_price="12.50", currency="欧元")))
    kept = on_record(key)
    assert {name: kept["application"][0][name] for name in FIELDS} == FIELDS
    (carrier,) = kept["carrier"]
    assert (carrier["kind"], carrier["quantity"], carrier["unit"]) == ("DVD", Decimal(500), "010")
    assert (carrier["unit_price"], carrier["currency"]) == (Decimal("12.5"), "EUR")


@pytest.mark.slow
def test_a_mistake_is_saved_as_typed_and_marked(as_: As, make_application: Making, on_record: Recording) -> None:
    """One bad cell does not stop a draft: what is right is saved, what is wrong comes back with its sentence."""
    key, browser = make_application(carriers=2), as_("publisher")
    typed = opened(browser, key) | row(2, name="<b>新的一行</b>", quantity="许多", unit="铢", note="附注")
    typed |= row(3, specification="  ", quantity="", unit="")  # into which nothing was typed
    typed |= {"title": "改过的“标题”", "hs_code": "85", "expected_on": "2027-02-30", "isbn": "9" * 30, "country": "XXX"}
    answer = save(browser, key, typed)
    assert (answer.status_code, answer.location) == (302, f"/applications/edit/?id={key}")
    page = browser.get(answer.location).text
    (told,) = said(page)
    assert re.fullmatch(r"已于 \d\d:\d\d 保存；有 6 处还需改正，见红字。", told)
    wrong = {
        "hs_code": "商品编码：请填写 8 位或 10 位数字。",
        "expected_on": "预计进口日期：没有这一天，请核对后按 2026-01-31 的格式填写日期。",
        "isbn": "ISBN：最多 20 字，现在 30 字。",
        "country": "国别（地区）：请从下拉列表中选择。",
        "carriers-2-quantity": "第 3 行 进口数量：请只填写数字，例如 1000 或 12.5。",
        "carriers-2-unit": "第 3 行 单位：“铢”不在代码表中，请从下拉列表中选择。",
    }
    assert summary(page) == wrong
    assert sorted(complaints(page)) == sorted(sentence.partition("：")[2] for sentence in wrong.values())
    for name in wrong:
        (control,) = re.findall(rf'<[^>]*\bname="{name}"[^>]*>', page)
        assert 'aria-invalid="true"' in control and f'aria-describedby="{name}-note"' in control
        assert f'id="{name}-note"' in page
    again = form_of(page)
    lost = {name: value for name, value in typed.items() if again.get(name) != value}
    assert {name for name, value in lost.items() if value.strip()} == {
        "country",
        "version",
        "last_entry",
        "page_key",
    }  # no such code
    kept = on_record(key)
    assert {name: kept["application"][0][name] for name in ("title", "hs_code", "expected_on", "isbn", "country")} == {
        "title": "改过的“标题”", "hs_code": None, "expected_on": None, "isbn": None, "country": None,
    }  # fmt: skip
    assert (kept["carrier"][2]["name"], kept["carrier"][2]["quantity"]) == ("<b>新的一行</b>", None)
    assert all(text not in str(kept["trail_entry"]) for text in ("许多", "铢", "2027-02-30"))
    assert not {"unread"} & set(kept["trail_entry"][-1]["changes"])


@pytest.mark.slow
def test_what_is_marked_cannot_be_declared_and_goes_away_when_corrected(
    app: Flask, as_: As, make_application: Making, on_record: Recording
) -> None:
    """From the form and from the list: 申报 names each wrong cell; corrected, nothing of it is left."""
    key, browser = make_application(), as_("publisher")
    wrong = {"hs_code": "12", "carriers-0-quantity": "abc", "carriers-0-unit": ""}
    assert save(browser, key, opened(browser, key) | wrong).status_code == 302
    for send in (
        lambda: save(browser, key, opened(browser, key) | {"_submit": "1"}),
        lambda: browser.post("/applications/submit/", data={"id": key}),
    ):
        answer = send()
        assert answer.location == f"/applications/edit/?id={key}&check=1"
        page = browser.get(answer.location).text
        assert said(page) == ["还有 3 项没有完成，暂不能申报。"]
        assert summary(page) == {
            "hs_code": "商品编码：请填写 8 位或 10 位数字。",
            "carriers-0-quantity": "第 1 行 进口数量：请只填写数字，例如 1000 或 12.5。",
            "carriers-0-unit": "第 1 行 单位：必填。",
        }
    assert on_record(key)["application"][0]["status"] == Status.DRAFT
    right = {"hs_code": "8523499030", "carriers-0-quantity": "500", "carriers-0-unit": "010"}
    answer = save(browser, key, opened(browser, key) | right | {"_submit": "1"})
    assert answer.location == f"/applications/details/?id={key}"
    kept = on_record(key)
    assert (kept["application"][0]["unread"], kept["carrier"][0]["unread"]) == (None, None)


def test_after_declaring_the_page_says_who_has_it_and_what_comes_next(as_: As, make_application: Making) -> None:
    """Not 保存记录成功: what happened, where it is, and the ways on."""
    key, browser = make_application(), as_("publisher")
    form = opened(browser, key)
    page = browser.get(save(browser, key, form | {"_submit": "1"}).location).text
    assert said(page) == ["已申报"]
    sentence, links = result(page)
    assert re.fullmatch(r"SQ\d{12} 已送江苏省新闻出版局审核，审核期间不能修改；审核结果会显示在.*。", sentence)
    assert links == ["返回列表", "继续新建"]


def test_a_quiet_save_tells_the_page_what_it_has_become(as_: As, on_record: Recording) -> None:
    """Before the first file of a blank form: the page stays, so it must know its draft and its rows by number."""
    browser = as_("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"title": "先写名称", "_quiet": "1"}
    blank = row(0, specification="", quantity="", unit="")
    draft = browser.post("/applications/new/", data=form | blank | row(1), headers=XHR).json
    kept = on_record(draft["id"])
    assert draft["carriers"] == {"carriers-1": kept["carrier"][0]["id"]}
    assert (draft["number"], draft["version"]) == (kept["application"][0]["number"], kept["application"][0]["version"])
    again = form | {"version": draft["version"], "hs_code": "8523499030"} | row(1, id=draft["carriers"]["carriers-1"])
    assert save(browser, draft["id"], again | {"_quiet": "1"}).status_code == 200
    assert len(on_record(draft["id"])["carrier"]) == 1
    assert said(browser.get(draft["edit"]).text) == []


@pytest.mark.slow
def test_three_hundred_and_six_hundred_rows_go_in_one_save(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """Flask's own limit of 1000 parts would answer 413 to a hundred rows, and lose them all.

    No empty value among the multipart rows: Werkzeug 3.1.9 runs an empty part into the next one where a chunk of
    64 KB ends between them. Our page is safe, for it sends its form urlencoded.
    """
    key, browser = make_application(carriers=0), as_("publisher")
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "enctype" not in re.findall(r'<form id="application"[^>]*>', page)[0]
    for count, kind in ((300, "multipart/form-data"), (600, "application/x-www-form-urlencoded")):
        form = opened(browser, key)
        for number in range(len(on_record(key)["carrier"]), count):
            form |= row(number, id="new", quantity=str(number + 1), name=f"第 {number + 1} 张")
        answer = browser.post(f"/applications/edit/?id={key}", data=form, content_type=kind)
        assert answer.status_code == 302, said(answer.text) + complaints(answer.text)
        carriers = on_record(key)["carrier"]
        assert [carrier["position"] for carrier in carriers] == list(range(1, count + 1))
        assert [carrier["quantity"] for carrier in carriers] == [Decimal(n) for n in range(1, count + 1)]


@pytest.mark.slow
def test_carriers_are_added_edited_and_deleted_in_place(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """手册 第一章·载体信息: 录入, 编辑, 删除, then 保存."""
    key, browser = make_application(carriers=3), as_("publisher")
    form = opened(browser, key) | {"carriers-0-quantity": "7", "del-carriers-1": "on"} | row(3, unit="盒")
    assert save(browser, key, form).status_code == 302
    rows = on_record(key)["carrier"]
    assert sorted((r["position"], r["quantity"], r["unit"]) for r in rows) == [
        (1, Decimal(7), "010"),
        (2, Decimal(1002), "010"),
        (3, Decimal(500), "140"),
    ]
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "载体信息：3 条 → 3 条" not in page  # a count that has not changed is no news
    assert [form_of(page)[f"carriers-{n}-quantity"] for n in range(3)] == ["7", "1002", "500"]


@pytest.mark.slow
def test_a_row_deleted_that_is_not_there_stays_away(as_: As, make_application: Making, on_record: Recording) -> None:
    """A row that a colleague took out meanwhile, marked for deletion in a form that still shows it, is not reborn."""
    key, browser = make_application(), as_("publisher")
    before = on_record(key)["carrier"]
    for gone in ({"carriers-1-id": "99999"}, row(1, id="99999"), row(1)):
        form = opened(browser, key) | gone | {"del-carriers-1": "on"}
        assert save(browser, key, form).status_code == 302
        assert on_record(key)["carrier"] == before


ACCEPTED = {
    "quantity": {
        "1": "1", "１２": "12", "1,000": "1000", " 7 ": "7", "0.00001": "0.00001", "１，０００．５": "1000.5",
        "9999999999999.99999": "9999999999999.99999", "+5": "5", "0012.50": "12.5", "1\u00a0000\u00a0": "1000",
        "\u200b\u202d2000\u202c": "2000",
    },
    "unit": {"010": "010", "张": "010", "010-张": "010", "千张": "058", " 盒 ": "140", "20": "020", "０２０": "020",
             "020": "020", "片": "020", "020-片": "020", "20 － 片\u200b": "020", "10": "010"},
    "kind": {"DVD": "DVD", "dvd": "DVD", "CD-ROM": "CD-ROM", "黑胶": "黑胶唱片", "ＣＤ－ｒｏｍ": "CD-ROM", "": None},
    "currency": {"USD": "USD", "usd": "USD", "美元": "USD", "USD-美元": "USD", "ｕｓｄ": "USD", "\u3000": None},
    "name": {"\u200b第一张\ufeff ": "第一张", "第\u200b二张": "第二张", "葛\U000e0100城": "葛\U000e0100城",
             "\u3164": None},
}  # fmt: skip
REFUSED = {
    "quantity": ("0", "-1", "0.000001", "NaN", "sNaN", "Infinity", "-Infinity", "1e3", "1e-999999", "1" * 14,
                 "三", "1.2.3", "²", "5²", "", "   ", "\u200b", "1,5", "1，5", "1,00", "0,500", "1,000,00", "12 34",
                 "1\t200", "１０００张", "\u202e500\u202c", "0x10", "张\0三"),
    "unit": ("010-盒", "01", "件儿", "999", "", "  ", "\u200b", "张张", "\0"),
    "kind": ("DVD-9", "光碟机", "CD"),
    "currency": ("钱", "USDT", "元元"),
    "specification": ("", "  ", "\0", "\u200b\u3164", "120\u202e mm", "长" * 256),
    "unit_price": ("0", "-0.5", "NaN", "贵"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("field", ACCEPTED)
def test_a_carrier_takes_what_people_mean(field: str, as_: As, make_application: Making, on_record: Recording) -> None:
    """A code, a name or both; a number as Chinese keyboards and spreadsheets write it; exact on both databases."""
    key, browser = make_application(), as_("publisher")
    form = opened(browser, key)
    for typed, stored in ACCEPTED[field].items():
        form["version"] = str(on_record(key)["application"][0]["version"])
        assert save(browser, key, form | {f"carriers-0-{field}": typed}).status_code == 302, typed
        kept = on_record(key)["carrier"][0][field]
        assert (kept if kept is None else str(kept)) == stored, typed


@pytest.mark.slow
def test_a_carrier_refuses_nonsense(as_: As, make_application: Making, on_record: Recording) -> None:
    """手册 第一章: 规格型号, 进口数量, 单位 are required; CU9: what customs cannot take is only marked."""
    key, browser = make_application(carriers=0), as_("publisher")
    wrong = [(field, typed) for field, values in REFUSED.items() for typed in values]
    form = opened(browser, key)
    for number, (field, typed) in enumerate(wrong):
        form |= row(number, **{field: typed})
    assert save(browser, key, form).status_code == 302
    rows = browser.get(f"/applications/edit/?id={key}").text.split('<tr class="inline-row')[1:-1]  # the last: a pattern
    for (field, typed), shown in zip(wrong, rows, strict=True):
        told = re.findall(r'<td class="col-(\w+) wrong"', shown)
        assert told == [field], (field, typed)
        assert len(complaints(shown)) == 1, (field, typed)
        assert all(complaints(shown)), (field, typed)
    for (field, typed), kept in zip(wrong, on_record(key)["carrier"], strict=True):
        assert kept[field] is None, (field, typed)
        assert (kept["unread"] or {}).get(field, "") == ("" if is_blank(typed) else typed.strip())


@pytest.mark.slow
def test_a_declaration_is_told_everything_it_lacks_with_links_to_the_fields(as_: As, on_record: Recording) -> None:
    """行政许可法 第三十二条, by analogy: everything missing, at once. What was typed has been saved as a draft."""
    browser = as_("publisher")
    form = form_of(browser.get("/applications/new/").text) | {"title": "黑胶唱片", "_submit": "1"}
    answer = browser.post("/applications/new/", data=form, follow_redirects=True)
    assert "还有 18 项没有完成，暂不能申报。" in said(answer.text)
    links = re.findall(r'<li><a href="#([\w-]+)">(请[^<]+)</a></li>', answer.text)
    assert len(links) == 18
    assert {"carriers", "file-contract", "phone"} <= {name for name, _sentence in links}
    for name, _sentence in links:
        assert f'id="{name}"' in answer.text, f"the link to {name} leads nowhere"
    (kept,) = on_record(int(answer.request.args["id"]))["application"]
    assert (kept["title"], kept["status"]) == ("黑胶唱片", Status.DRAFT)


@pytest.mark.slow
def test_an_agent_is_told_of_the_letter_of_entrustment_as_well(as_: As) -> None:
    """Design 2.5: 委托书 is lacking only where one applies for another press."""
    for username, told in (("agent", 1), ("publisher", 0)):
        browser = as_(username)
        form = form_of(browser.get("/applications/new/").text) | {"_submit": "1"}
        page = browser.post("/applications/new/", data=form, follow_redirects=True).text
        assert page.count('<a href="#file-entrustment">请上传委托书。</a>') == told


@pytest.mark.slow
def test_a_complete_form_is_saved_and_declared_in_one_press(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """手册 第一章: 确认以上录入信息无误，点击申报按钮."""
    key, browser = make_application(), as_("publisher")
    form = opened(browser, key) | {"title": "最后改的标题", "_submit": "1"}
    answer = browser.post(f"/applications/edit/?id={key}", data=form)
    assert answer.location == f"/applications/details/?id={key}"
    (kept,) = on_record(key)["application"]
    assert (kept["title"], kept["status"], kept["applied_on"]) == ("最后改的标题", Status.PENDING, clock.today())


def test_declaring_from_the_list_what_is_incomplete_leads_to_the_form(as_: As, make_application: Making) -> None:
    key, browser = make_application(phone=None), as_("publisher")
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert answer.request.path == "/applications/edit/"
    assert said(answer.text) == ["还有 1 项没有完成，暂不能申报。"]
    assert '<li><a href="#phone">请填写联系电话。</a></li>' in answer.text


@pytest.mark.slow
def test_a_wrong_isbn_is_told_and_does_not_block(as_: As, make_application: Making, on_record: Recording) -> None:
    """domain.md: a bad checksum warns, never blocks."""
    key, browser = make_application(), as_("publisher")
    answer = save(browser, key, opened(browser, key) | {"isbn": "978-7-5399-0000-0"})
    assert answer.status_code == 302
    assert "的校验位不符，请核对；不影响保存。" in said(browser.get(answer.location).text)[0]
    assert on_record(key)["application"][0]["isbn"] == "978-7-5399-0000-0"
    right = save(browser, key, opened(browser, key) | {"isbn": "9787111075660"})
    (told,) = said(browser.get(right.location).text)
    assert re.fullmatch(r"已于 \d\d:\d\d 保存。", told)


@pytest.mark.slow
@pytest.mark.parametrize("status", [status for status in Status if status not in ("draft", "returned")])
def test_once_declared_the_page_is_for_reading(app: Flask, as_: As, make_application: Making, status: Status) -> None:
    """手册 第二章: 数据为暂存和退回状态时，详情界面数据可以编辑修改，其他状态只允许查看."""
    key, browser = make_application(status=status), as_("publisher")
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
    for version, status_code in ((2, 409), (current, 422)):  # told who was first; told which status would allow it
        answer = save(browser, key, form | {"version": str(version)})
        assert answer.status_code == status_code
        assert "事后改的" in answer.text
    assert ledger(app) == before


@pytest.mark.parametrize("status", ["draft", "returned"])
def test_the_blue_number_leads_to_the_form_while_it_may_be_edited(
    as_: As, make_application: Making, status: str
) -> None:
    """手册 第二章: 点击蓝色“申请单号”，系统自动跳转到数据详情界面."""
    key, browser = make_application(status=status), as_("publisher")
    assert f'<a class="number" href="/applications/edit/?id={key}&amp;' in browser.get("/applications/").text
    assert form_of(browser.get(f"/applications/edit/?id={key}").text)["title"] == "黑胶唱片《茉莉花》"


@pytest.mark.slow
def test_an_agent_chooses_among_the_presses_that_entrust_it_today(
    as_: As, acting: Acting, a_press: Callable[..., str], make_application: Making, on_record: Recording
) -> None:
    """Design 2.5; AD10 for a choice that was good yesterday."""
    key, browser = make_application(by="agent"), as_("agent")
    a_press("440000", by_agent="agent")
    a_press("330000")
    page = browser.get(f"/applications/edit/?id={key}").text
    choices = dict(re.findall(r'<option[^>]*value="(\d+)">\w{18}-(\w+音像出版社)</option>', page))
    assert sorted(choices.values()) == ["440000音像出版社", "江苏文艺音像出版社"]
    cantonese = next(number for number, name in choices.items() if name.startswith("44"))
    assert save(browser, key, form_of(page) | {"publisher_id": cantonese}).status_code == 302
    assert on_record(key)["application"][0]["province"] == "440000"
    with acting("operator"):
        for entrustment in db.session.scalars(select(Entrustment)):
            entrustment.until = clock.today() - timedelta(days=1)
        db.session.commit()
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "江苏文艺音像出版社</option>" not in page
    assert "440000音像出版社</option>" in page  # the one that the draft names stays readable where it stands
    ended = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert said(ended.text) == ["贵单位目前没有受该出版单位委托，不能为其申报，请核对委托期限。"]
    assert browser.post("/applications/new/", data=form_of(page)).status_code == 422


@pytest.mark.slow
def test_once_declared_the_press_stays_and_says_so(
    as_: As, a_press: Callable[..., str], make_application: Making
) -> None:
    """After 申报 another press would move the case to another province's desk; the select offers the one."""
    key, browser = make_application(by="agent", status="returned"), as_("agent")
    a_press("440000", by_agent="agent")
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "440000音像出版社" not in page
    for forged in ("__None", "99", form_of(browser.get("/applications/new/").text)["publisher_id"]):
        answer = save(browser, key, form_of(page) | {"publisher_id": forged})
        assert answer.status_code == 422 or forged == form_of(page)["publisher_id"]


def test_words_of_others_cannot_become_part_of_the_page(as_: As, make_application: Making) -> None:
    """AC6: what a form is given back after a mistake is text as well."""
    key, browser = make_application(), as_("publisher")
    evil = "\"><script>alert(1)</script>'"
    typed = opened(browser, key) | {"title": evil, "hs_code": evil, "expected_on": evil, "carriers-0-quantity": evil}
    page = save(browser, key, typed | {"carriers-0-unit": evil, "publisher_id": evil, "summary": evil}).text
    assert "<script>alert" not in page
    assert page.count(escape("<script>alert(1)</script>")) >= 5


def test_a_row_numbered_in_strange_digits_is_refused_and_nothing_breaks(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """`²` is a digit to one library and none to another: a forged field must not become a 500."""
    key, browser = make_application(), as_("publisher")
    before = on_record(key)
    form = opened(browser, key) | {"carriers-²-specification": "120 mm"}
    assert browser.post(f"/applications/edit/?id={key}", data=form).status_code == 400
    assert on_record(key) == before


def test_the_longest_names_can_file(as_: As, acting: Acting, on_record: Recording) -> None:
    """An account of 50 signs in an organisation of 100: the history has room for both, on both databases."""
    with acting("publisher") as account:
        assert account.organisation
        account.name, account.organisation.name = "名" * 50, "社" * 100
        db.session.commit()
    browser = as_("publisher")
    answer = browser.post("/applications/new/", data=form_of(browser.get("/applications/new/").text))
    (entry, *_rest) = on_record(int(answer.location.rpartition("=")[2]))["trail_entry"]
    assert entry["actor_name"] == f"{'名' * 50}（{'社' * 100}）"


def test_a_row_number_longer_than_any_form_has_is_refused(app: Flask, as_: As, make_application: Making) -> None:
    """5,000 digits are more than Python reads as a number: a forged field must not become a 500."""
    key, browser = make_application(), as_("publisher")
    before = ledger(app)
    for where in (f"/applications/edit/?id={key}", "/applications/new/"):
        for digits in (7, 5000):
            assert browser.post(where, data={f"carriers-{'9' * digits}-id": "1"}).status_code == 400
    assert ledger(app) == before


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["٨٥٢٣٤٩٩٠٣٠", "⁸⁵²³⁴⁹⁹⁰", "8523499.0", "85234990305", "8,523,499,030", "8.52E+09"])
def test_a_commodity_code_is_of_plain_digits(as_: As, make_application: Making, typed: str) -> None:
    """Customs reads 0–9 alone, and so does the certificate. What is refused stays in the field."""
    key, browser = make_application(), as_("publisher")
    page = browser.get(save(browser, key, opened(browser, key) | {"hs_code": typed}).location).text
    assert complaints(page) == ["请填写 8 位或 10 位数字。"]
    assert form_of(page)["hs_code"] == typed


class TestSentAgain:
    """An answer is lost after the server has committed: the page sends the same save again."""

    def test_a_blank_form_makes_one_draft(self, app: Flask, as_: As, on_record: Recording) -> None:
        browser = as_("publisher")
        form = form_of(browser.get("/applications/new/").text) | {"title": "只有一份"} | row(0) | row(1, quantity="7")
        first = browser.post("/applications/new/", data=form).location
        again = browser.post("/applications/new/", data=form | {"contact": "后来写的"} | row(2, quantity="9")).location
        assert first == again
        kept = on_record(int(again.rpartition("=")[2]))
        assert (kept["application"][0]["contact"], [str(each["quantity"]) for each in kept["carrier"]]) == (
            "后来写的", ["500", "7", "9"],
        )  # fmt: skip
        with app.app_context(), access.everything() as session:
            assert len(session.scalars(select(Application)).all()) == 1

    @pytest.mark.slow
    def test_a_new_row_of_a_draft_stands_once_and_goes_when_it_is_no_longer_sent(
        self, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        key, browser = make_application(carriers=1), as_("publisher")
        form = opened(browser, key)
        for more in (row(1, quantity="7") | row(2, quantity="8"), row(1, quantity="7") | row(2, quantity="8")):
            assert save(browser, key, form | more).status_code == 302
        assert [str(each["quantity"]) for each in on_record(key)["carrier"]] == ["1000", "7", "8"]
        assert save(browser, key, form | row(2, quantity="8") | {"phone": "1"}).status_code == 302
        kept = on_record(key)
        assert [str(each["quantity"]) for each in kept["carrier"]] == ["1000", "8"]
        assert kept["application"][0]["phone"] == "1"

    @pytest.mark.slow
    def test_another_page_that_saved_in_between_is_still_a_conflict(
        self, as_: As, make_application: Making, on_record: Recording
    ) -> None:
        key, browser = make_application(), as_("publisher")
        form, other = opened(browser, key), opened(browser, key)
        assert save(browser, key, form | row(1, quantity="7")).status_code == 302
        assert save(browser, key, opened(browser, key) | {"title": "另一个窗口"}).status_code == 302
        answer = save(browser, key, form | row(1, quantity="7"))
        assert answer.status_code == 409
        assert save(browser, key, other).status_code == 409
        assert save(browser, key, form_of(answer.text)).status_code == 302  # a choice made knowingly
        assert [str(each["quantity"]) for each in on_record(key)["carrier"]] == ["1000", "7"]

    def test_the_key_of_a_page_opens_nobody_elses_draft(self, as_: As, make_application: Making) -> None:
        browser, stranger = as_("publisher"), as_("publisher2")
        form = form_of(browser.get("/applications/new/").text)
        mine = browser.post("/applications/new/", data=form | {"title": "甲"}).location
        theirs = form_of(stranger.get("/applications/new/").text) | {"page_key": form["page_key"], "title": "乙"}
        assert stranger.post("/applications/new/", data=theirs).location != mine
        assert form_of(browser.get(mine).text)["title"] == "甲"


@pytest.mark.slow
@pytest.mark.parametrize("field", ["title", "summary", "hs_code", "expected_on", "carriers-0-quantity"])
def test_what_cannot_be_read_is_kept_up_to_a_length_and_told_beyond(
    app: Flask, as_: As, make_application: Making, field: str
) -> None:
    """4,000 characters a cell: a longer text is not cut and not lost: nothing is saved, and it stands on the page."""
    key, browser = make_application(), as_("publisher")
    form, before = opened(browser, key), ledger(app)
    answer = save(browser, key, form | {field: "长" * 4001})
    assert answer.status_code == 422
    assert complaints(answer.text) == ["现在 4001 字，超过 4000 字的不能暂存，请删减后再保存。"]
    assert form_of(answer.text)[field] == "长" * 4001
    assert ledger(app) == before
    assert save(browser, key, form | {field: "长" * 4000}).status_code == 302
    assert opened(browser, key)[field] == "长" * 4000
