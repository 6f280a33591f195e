"""自动保存: typed text is stored beside the application, for its account only, until saved or discarded."""

import re
from typing import Any

import pytest
from flask import Flask

from models.access import Closed
from models.application import Application
from models.application.typed_form import TypedForm
from models.clock import now
from models.database import db
from tests.browsing import Browser, ClientAs
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows
from tests.views.pages import flashed, form_of


def opened(browser: Browser, key: int) -> dict[str, str]:
    """The form as a new page shows it."""
    return form_of(browser.get(f"/applications/edit/?id={key}").text)


def autosave(browser: Browser, key: int, form: dict[str, str], **typed: str) -> Any:
    return browser.post(f"/applications/autosave/?id={key}", data=form | typed)


def discard(browser: Browser, key: int, shown: str) -> Any:
    """Press 放弃 on this page, and follow to the next."""
    body = form_of(shown, "restored") | {"discard": "1"}
    return browser.post(f"/applications/autosave/?id={key}", data=body, follow_redirects=True)


def save(browser: Browser, key: int, form: dict[str, str], **typed: str) -> Any:
    return browser.post(f"/applications/edit/?id={key}", data=form | typed)


@pytest.mark.slow
def test_an_autosave_fills_the_form_again_and_leaves_the_application_unchanged(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application(carriers=2)
    browser, before = client_as("publisher"), stored_rows(key)
    form = opened(browser, key) | {"del-carriers-0": "on", "carriers-7-id": "", "carriers-7-quantity": "一千"}
    answer = autosave(browser, key, form, title="还没有保存的名称", expected_on="后天")
    assert answer.status_code == 200 and re.fullmatch(r"\d\d:\d\d", answer.json["at"])
    after = stored_rows(key)
    assert after.pop("typed_form") and before.pop("typed_form") == [] and after == before
    page = client_as("publisher").get(f"/applications/edit/?id={key}").text
    again = form_of(page)
    assert (again["title"], again["expected_on"]) == ("还没有保存的名称", "后天")
    assert "还没有写入申请" in page and "请按 2026-01-31 的格式填写日期" in page
    assert again["del-carriers-0"] and "一千" in again.values()
    answer = save(client_as("publisher"), key, again)
    assert answer.status_code == 302
    saved = stored_rows(key)
    assert saved["application"][0]["title"] == "还没有保存的名称" and saved["typed_form"] == []
    assert [row["unread"] for row in saved["carrier"]] == [None, {"quantity": "一千"}]


def test_an_hour_of_autosaves_and_one_save_are_one_entry_of_the_history(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    browser = client_as("publisher")
    form, entries = opened(browser, key), len(stored_rows(key)["trail_entry"])
    for n in range(5):
        assert autosave(browser, key, form, title=f"名称 {n}").status_code == 200
    assert len(stored_rows(key)["trail_entry"]) == entries
    save(browser, key, form, title="名称 5")
    (entry,) = stored_rows(key)["trail_entry"][entries:]
    assert entry["act"] == "edit" and entry["changes"]["title"][1] == "名称 5"
    assert stored_rows(key)["typed_form"] == []


@pytest.mark.slow
def test_an_autosave_never_overwrites_another_window_of_the_same_person(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """Two open windows: the first that autosaves may continue; one that is opened later continues from there."""
    key = make_application()
    browser = client_as("publisher")
    one, two = opened(browser, key), opened(browser, key)
    assert autosave(browser, key, one, title="第一个窗口").status_code == 200
    answer = autosave(browser, key, two, title="第二个窗口")
    assert answer.status_code == 409 and answer.json["conflict"] and "在另一个窗口自动保存" in answer.json["message"]
    assert autosave(browser, key, one, title="第一个窗口，续").status_code == 200
    three = opened(browser, key)
    assert three["title"] == "第一个窗口，续"
    assert autosave(browser, key, three, title="第三个窗口").status_code == 200
    assert autosave(browser, key, one, title="第一个窗口，再续").status_code == 409
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "第三个窗口"
    assert save(browser, key, two, title="第二个窗口").status_code == 302
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "第三个窗口"  # its text is not saved


@pytest.mark.slow
def test_an_autosave_reports_and_leaves_the_save_of_a_colleague(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    browser = client_as("publisher")
    own, theirs = opened(browser, key), opened(browser, key)
    autosave(browser, key, own, title="我写的名称")
    save(browser, key, theirs | {"page_key": "x" * 24}, consignee="同事改的收货单位")
    answer = autosave(browser, key, own, title="我接着写")
    assert answer.status_code == 409 and "没有覆盖已有的内容" in answer.json["message"]
    page = browser.get(f"/applications/edit/?id={key}").text
    assert "此后申请已有改动" in page and "同事改的收货单位" in page and "data-autosave" not in page
    assert form_of(page)["title"] == "我写的名称"
    assert stored_rows(key)["application"][0]["consignee"] == "同事改的收货单位"


@pytest.mark.slow
def test_an_autosave_is_discarded_by_a_button(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    browser = client_as("publisher")
    autosave(browser, key, opened(browser, key), title="不要了")
    answer = discard(browser, key, browser.get(f"/applications/edit/?id={key}").text)
    assert flashed(answer.text) == ["已放弃自动保存的内容，下面是已保存的申请。"]
    assert form_of(answer.text)["title"] == "黑胶唱片《茉莉花》" and stored_rows(key)["typed_form"] == []


@pytest.mark.slow
def test_text_that_another_window_has_continued_is_not_discarded(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    browser = client_as("publisher")
    autosave(browser, key, opened(browser, key), title="写了一半")
    one, other = browser.get(f"/applications/edit/?id={key}").text, opened(browser, key)
    assert autosave(browser, key, other, title="另一个窗口续写").status_code == 200
    answer = discard(browser, key, one)
    assert flashed(answer.text) == ["另一个窗口刚刚又自动保存，没有放弃。下面是那里的内容，请核对。"]
    assert form_of(answer.text)["title"] == "另一个窗口续写"
    assert stored_rows(key)["typed_form"][0]["fields"]["title"] == "另一个窗口续写"


def test_an_application_with_unsaved_text_cannot_be_submitted(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """From the list 申报 would send an outdated text to the province; from the form it saves first."""
    key = make_application()
    browser = client_as("publisher")
    form = opened(browser, key)
    autosave(browser, key, form, title="新的名称")
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert "自动保存的内容还没有写入申请" in flashed(answer.text)[0]
    assert stored_rows(key)["application"][0]["status"] == "draft"
    browser.post(f"/applications/edit/?id={key}", data=form | {"title": "新的名称", "_submit": "1"})
    assert [stored_rows(key)["application"][0][name] for name in ("status", "title")] == ["pending", "新的名称"]


def test_an_autosave_is_visible_to_its_author_only(
    app: Flask, client_as: ClientAs, act_as: ActAs, make_application: MakeApplication
) -> None:
    """Row security: the province and raw SQL cannot read it, and no account can write it for another."""
    key = make_application(status="returned")
    autosave(client_as("publisher"), key, opened(client_as("publisher"), key), title="只有我看得到")
    for username in ("reviewer", "national", "publisher2"):
        with act_as(username):
            assert db.session.query(TypedForm).all() == []
    with act_as("publisher"):
        assert [typed.fields["title"] for typed in db.session.query(TypedForm)] == ["只有我看得到"]
        other = account_of("reviewer").id
        row = TypedForm(account_id=other, version=1, saved_at=now(), fields={})
        row.application = db.session.get(Application, key)
        db.session.add(row)
        with pytest.raises(Closed):
            db.session.flush()


@pytest.mark.parametrize("status", ["pending", "filed"])
def test_an_application_that_cannot_be_edited_accepts_no_autosave(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, status: str
) -> None:
    key = make_application(status=status)
    version = stored_rows(key)["application"][0]["version"]
    answer = autosave(client_as("publisher"), key, {"version": str(version), "title": "改了"})
    assert answer.status_code == 409 and stored_rows(key)["typed_form"] == []


def test_an_autosave_stores_only_fields_of_the_form(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key = make_application()
    browser = client_as("publisher")
    assert autosave(browser, key, opened(browser, key), status="filed", title="甲\0乙", _submit="1").status_code == 200
    fields = stored_rows(key)["typed_form"][0]["fields"]
    assert fields["title"] == "甲乙" and not {"status", "_submit", "csrf_token", "page_key"} & set(fields)
