"""Typed text becomes the intended value, or gets a message beside its field (issue 8: 3, 5, 6; 9: 33)."""

from datetime import date, timedelta

import pytest

from models import clock
from tests.browsing import ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import complaints, form_of
from tests.views.panel.saved_values import marked, save

SOON = clock.today() + timedelta(days=60)


def imports() -> str:
    """The sentence about 预计进口日期, as of now: tests may run past midnight."""
    return f"请填写 {clock.today() - timedelta(days=365)} 至 {clock.today() + timedelta(days=3653)} 之间的日期。"


@pytest.mark.slow
def test_a_date_may_be_typed_in_any_usual_way(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(), client_as("publisher")
    for typed in (
        f"{SOON:%Y-%m-%d}",
        f"{SOON:%Y/%m/%d}",
        f"{SOON:%Y%m%d}",
        f" {SOON.year}年{SOON.month}月{SOON.day}日\u200b",
    ):
        save(browser, key, expected_on=f"{SOON + timedelta(days=1)}")
        assert save(browser, key, expected_on=typed).status_code == 302, typed
        assert stored_rows(key)["application"][0]["expected_on"] == SOON
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
def test_an_impossible_or_absurd_date_has_an_error_and_stays_as_typed(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, typed: str, sentence: str
) -> None:
    key, browser = make_application(), client_as("publisher")
    page = marked(browser, key, expected_on=typed)
    assert complaints(page) == [sentence or imports()]
    assert form_of(page)["expected_on"] == typed
    assert stored_rows(key)["application"][0]["expected_on"] is None


@pytest.mark.slow
def test_a_draft_with_an_old_date_opens_and_is_refused_at_submission(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Saved before there were bounds, or long ago."""
    key, browser = make_application(expected_on=date(1, 12, 22)), client_as("publisher")
    page = browser.get(f"/applications/edit/?id={key}")
    assert (page.status_code, complaints(page.text)) == (200, [])
    answer = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True)
    assert f'<li><a href="#expected_on">预计进口日期：{imports()}</a></li>' in answer.text


def test_an_entrustment_with_an_absurd_end_date_is_refused(client_as: ClientAs) -> None:
    browser = client_as("operator")
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
def test_no_field_truncates_pasted_text(client_as: ClientAs, make_application: MakeApplication) -> None:
    """Two blanks before 8523499030 were cut to 85234990, which is lawful, and another commodity."""
    make_application()
    make_application(status="pending")
    for username, addresses in PAGES.items():
        browser = client_as(username)
        for address in addresses:
            page = browser.get(address)
            assert page.status_code == 200, address
            assert "<input" in page.text
            assert "maxlength" not in page.text, address


@pytest.mark.slow
def test_a_pasted_code_is_validated_whole(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, browser = make_application(), client_as("publisher")
    for typed in (
        "  8523499030",
        "8523.4990.30",
        "8523 4990 30\u3000",
        "８５２３４９９０３０",
        "\u202d8523499030\u202c",
    ):
        save(browser, key, hs_code="85234990")
        assert save(browser, key, hs_code=typed).status_code == 302, typed
        assert stored_rows(key)["application"][0]["hs_code"] == "8523499030"
    saved = {
        "isbn": ("ISBN 978–7–88518–210–6", "978-7-88518-210-6"),
        "isrc": ("cn　c18 26 00009", "CN-C18-26-00009"),
        "phone": ("０２５－８３２１００００", "025-83210000"),
        "catalogue_number": ("ISRC CN-C18-26-0009-0/V·J4\u200b", "ISRC CN-C18-26-0009-0/V·J4"),
    }
    assert save(browser, key, **{name: typed for name, (typed, _stored) in saved.items()}).status_code == 302
    record = stored_rows(key)["application"][0]
    assert {name: record[name] for name in saved} == {name: stored for name, (_typed, stored) in saved.items()}


def test_codes_are_saved_in_one_width_and_a_sid_code_in_capitals(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """So that they read alike on the certificate. The letters of a contract keep their case: they are its own."""
    key, browser = make_application(), client_as("publisher")
    written = {
        "sid_code": ("ifpi　ｌ２７８", "IFPI L278"),
        "contract_number": ("ＨＴ－２０２６－０１８ａ（补）", "HT-2026-018a（补）"),
        "catalogue_number": ("ＩＳＲＣ CN-C18-26-０００９-0/V·J4", "ISRC CN-C18-26-0009-0/V·J4"),
        "trade_mode": ("０１１０", "0110"),
        "carriers-0-catalogue_number": ("ＣＮ－Ｃ１８", "CN-C18"),
    }
    assert save(browser, key, **{name: typed for name, (typed, _stored) in written.items()}).status_code == 302
    rows = stored_rows(key)
    stored = rows["application"][0] | {"carriers-0-catalogue_number": rows["carrier"][0]["catalogue_number"]}
    assert {name: stored[name] for name in written} == {name: expected for name, (_typed, expected) in written.items()}


@pytest.mark.slow
def test_a_too_long_text_is_refused_with_both_lengths(client_as: ClientAs, make_application: MakeApplication) -> None:
    key, browser = make_application(), client_as("publisher")
    page = marked(browser, key, title="长" * 312, summary="短" * 2001)
    assert complaints(page) == ["最多 300 字，现在 312 字。", "最多 2000 字，现在 2001 字。"]
    assert form_of(page)["title"] == "长" * 312
    assert save(browser, key, title=" " * 400 + "长" * 300).status_code == 302
