"""The page on which a province decides."""

import re
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import update

from models import access, clock
from models.application import Application, resubmission
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import flashed, form_of


def case(reviewer: Browser, key: int, back: str = "/review/") -> str:
    return reviewer.get(f"/review/details/?{urlencode({'id': key, 'url': back})}").text


def buttons(page: str) -> list[str]:
    """The acts of the bar, then those beside the opinion."""
    bars = re.findall(r'<div class="(?:bar page-bar|decision-acts)[^>]*>(.*?)</div>', page, re.DOTALL)
    return re.findall(r'data-act="(\w+)"', "".join(bars))


def neighbours(page: str) -> dict[str, int]:
    found = re.findall(r'href="[^"]*id=(\d+)[^"]*">(上一件|下一件)</a>', page)
    return {label: int(key) for key, label in found}


def resubmission_changes(page: str) -> str:
    (sentence,) = re.findall(r'id="resubmission">(.*?)</div>', page, re.DOTALL)
    return re.sub(r"\s*<[^>]+>\s*", "\n", sentence)


def test_the_case_page_offers_the_possible_acts_and_shows_files_before_carriers(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    page = case(client_as("reviewer"), make_application(status="pending", carriers=2))
    assert buttons(page) == ["take", "grant", "return", "decline", "refuse", "extend"]
    assert page.index("<h2>附件</h2>") < page.index("<h2>载体信息")
    assert "<small>共 2 条；2,001 张</small>" in page or "<small>共 2 条；2,001 " in page
    assert 'id="resubmission"' not in page


@pytest.mark.slow
def test_a_resubmitted_application_shows_the_opinion_and_its_changes(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Field by field and row by row, over several saves; a value that was restored is no change."""
    key, publisher = make_application(status="returned", carriers=2), client_as("publisher")
    address = f"/applications/edit/?id={key}"
    for changed in (
        {"title": "昆曲《牡丹亭》", "phone": "025-1", "carriers-0-quantity": "7"},
        {"title": "昆曲《牡丹亭》全本", "phone": "025-83210000", "carriers-0-quantity": "8"},
    ):
        form = form_of(publisher.get(address).text) | changed
        assert publisher.post(address, data=form).status_code == 302
    perform_step(app, Action.SUBMIT, key, "publisher")
    found = resubmission_changes(case(client_as("reviewer"), key))
    assert "材料需要核对。" in found
    assert "商品名称：“黑胶唱片《茉莉花》” → “昆曲《牡丹亭》全本”" in found
    assert "第 1 条 进口数量：“1000” → “8”" in found
    assert "联系电话" not in found
    assert "第 2 条" not in found


def test_a_resubmitted_application_without_changes_says_so(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key = make_application(status="returned")
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert "没有改动" in resubmission_changes(case(client_as("reviewer"), key))


def test_so_many_changes_that_no_page_can_show_them_are_in_the_history_alone(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many imports replaces up to 3,000 rows: their changes are not read."""
    key, publisher = make_application(status="returned"), client_as("publisher")
    form = form_of(publisher.get(f"/applications/edit/?id={key}").text) | {"title": "昆曲《牡丹亭》"}
    assert publisher.post(f"/applications/edit/?id={key}", data=form).status_code == 302
    perform_step(app, Action.SUBMIT, key, "publisher")
    monkeypatch.setattr(resubmission, "MOST_SHOWN", 10)
    found = resubmission_changes(case(client_as("reviewer"), key))
    assert "改动很多，没有在这里列出，请查看办理过程。" in found
    assert "牡丹亭" not in found


@pytest.mark.slow
def test_the_next_and_previous_case_follow_the_query_in_its_order(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Also from a decided case, which is no longer in the list; never outside the query."""
    first, other, second, third = (
        make_application(status="pending", title=title) for title in ("昆曲甲", "评弹", "昆曲乙", "昆曲丙")
    )
    reviewer, back = client_as("reviewer"), f"/review/?{urlencode({'title': '昆曲'})}"
    assert neighbours(case(reviewer, first, back)) == {"下一件": second}
    assert neighbours(case(reviewer, second, back)) == {"上一件": first, "下一件": third}
    assert neighbours(case(reviewer, third, back)) == {"上一件": second}
    assert neighbours(case(reviewer, second)) == {"上一件": other, "下一件": third}
    downwards = f"/review/?{urlencode({'title': '昆曲', 'sort': 0, 'desc': 1})}"
    assert neighbours(case(reviewer, second, downwards)) == {"上一件": third, "下一件": first}
    by_deadline = f"/review/?{urlencode({'title': '昆曲', 'sort': 6})}"
    after = form_of(case(reviewer, second, by_deadline), "act")["url"]  # where the page leads after the act
    found = reviewer.post("/review/return/", data={"id": second, "opinion": "材料不全。", "url": after})
    assert found.location == after
    assert neighbours(case(reviewer, second, back)) == {"下一件": first}, "its former place is not in the address"
    assert neighbours(reviewer.get(after).text) == {"上一件": first, "下一件": third}, "the act has emptied 办结期限"
    assert neighbours(case(reviewer, second, by_deadline)) == {"下一件": first}
    nonsense = reviewer.get(f"/review/details/?{urlencode({'id': second, 'url': by_deadline, 'due': '昨天'})}").text
    assert neighbours(nonsense) == {"下一件": first}


@pytest.mark.parametrize("descending", [0, 1])
def test_cases_without_the_value_of_the_order_are_at_its_end(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, descending: int
) -> None:
    """Sorted by 数量: from the last with one to those without, among them by number, and back."""
    keys = [make_application(status="pending") for _n in range(4)]
    with app.app_context(), access.everything() as session:
        session.execute(update(Application).where(Application.id.in_(keys[1:3])).values(sheets=None, totals=None))
        session.execute(update(Application).where(Application.id == keys[3]).values(sheets=1))
        session.commit()
    listed = [keys[3], keys[0], keys[1], keys[2]]
    if descending:
        listed.reverse()
    reviewer, back = client_as("reviewer"), f"/filings/?sort=5&desc={descending}"
    places = re.findall(r"/filings/details/\?id=(\d+)", reviewer.get(back).text)
    assert list(dict.fromkeys(map(int, places))) == listed
    for key, before, after in zip(listed, [None, *listed], [*listed[1:], None], strict=False):
        page = reviewer.get(f"/filings/details/?{urlencode({'id': key, 'url': back})}").text
        assert neighbours(page) == {label: n for label, n in (("上一件", before), ("下一件", after)) if n}


@pytest.mark.slow
def test_a_foreign_return_address_is_not_used_as_a_query(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    first, second = (make_application(status="pending") for _n in range(2))
    many = "/review/?" + "&".join(f"f{n}=1" for n in range(60))
    for back in ("https://elsewhere.example/review/?title=x", "/filings/?title=x", "//x", many):
        assert neighbours(case(client_as("reviewer"), first, back)) == {"下一件": second}
    assert neighbours(case(client_as("reviewer"), first, "/review/?since=abc")) == {}


def test_the_preview_has_the_text_of_the_certificate_and_stores_nothing(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    reviewer.get(f"/review/details/?id={key}")  # the first look, which a preview is too
    before = stored_rows(key)
    page = reviewer.get(f"/review/preview/?id={key}").text
    for words in ("预览", "黑胶唱片《茉莉花》", "陈静", "江苏省", f"{clock.today().year}年", "（签发时编号）"):
        assert words in page
    assert "现在还不能签发" not in page
    for words in ("校验码", "二维码", "电子印章", "/verify/"):
        assert words not in page
    assert stored_rows(key) == before


def test_the_preview_shows_why_the_grant_is_refused(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    key = make_application(status="pending")
    former_key, app.config["SIGNING_KEY"] = app.config["SIGNING_KEY"], "/nowhere"
    try:
        page = client_as("reviewer").get(f"/review/preview/?id={key}").text
    finally:
        app.config["SIGNING_KEY"] = former_key
    assert "现在还不能签发" in page


def test_a_case_that_cannot_be_granted_has_no_preview(client_as: ClientAs, make_application: MakeApplication) -> None:
    key, reviewer = make_application(status="returned"), client_as("reviewer")
    answer = reviewer.get(f"/filings/preview/?id={key}", follow_redirects=True)
    assert "不能准予备案" in flashed(answer.text)[0]


def test_only_attachments_may_be_framed_and_only_by_own_pages(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    file = stored_rows(key)["attachment"][0]["id"]
    answer = reviewer.get(f"/review/attachment/?id={file}")
    policy = answer.headers["Content-Security-Policy"]
    assert ("default-src 'none'" in policy, "frame-ancestors 'self'" in policy) == (True, True)
    assert (answer.headers["X-Frame-Options"], answer.headers["X-Content-Type-Options"]) == ("SAMEORIGIN", "nosniff")
    for address in (f"/review/details/?id={key}", f"/review/preview/?id={key}"):
        answer = reviewer.get(address)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_much_too_long_opinion_is_refused_and_not_stored(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """A slightly too long opinion is stored for shortening; a far longer one gets a message, and the old text stays."""
    key, browser = make_application(status="pending"), client_as("reviewer")
    assert browser.post(f"/review/typed/?id={key}", data={"opinion": "长" * 5000}).status_code == 200
    answer = browser.post(
        f"/review/typed/?id={key}", data={"opinion": "长" * 5001}, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert answer.status_code == 409
    assert answer.json["message"] == "意见已有 5001 字，超过 5000 字，没有自动保存，请精简。"
    assert stored_rows(key)["typed_form"][0]["fields"]["opinion"] == "长" * 5000
