"""常用意见: the reviewers of a province manage their own, and find them where they write an opinion."""

import re

import pytest
from sqlalchemy import select

from models import opinions
from models.access import Closed
from models.database import db
from models.opinions import StockOpinion
from models.vocabulary import Action
from models.workflow import Refused
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import flashed


def add(browser: Browser, words: str, act: str = "return") -> str:
    """The page after 添加."""
    return browser.post("/province/opinions/add/", data={"act": act, "words": words}, follow_redirects=True).text


def offered(page: str, act: str) -> list[str]:
    """The sentences that the dialog of this act offers."""
    lists = dict(
        re.findall(r'<div class="ask-stock"[^>]*data-act="(\w+)".*?<ul class="stock">(.*?)</ul>', page, re.DOTALL)
    )
    return re.findall(r'<button type="button" class="act">(.*?)</button>', lists.get(act, ""), re.DOTALL)


def the_only_one(act_as: ActAs) -> dict[str, int]:
    with act_as("reviewer"):
        row = db.session.scalars(select(StockOpinion)).one()
        return {"id": row.id, "version": row.version}


@pytest.mark.slow
def test_an_added_stock_opinion_is_offered_with_its_act_and_recorded(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    page = add(reviewer, "  请补充加工合同的中文译本。 ")
    assert flashed(page) == ["已保存。"]
    assert "常用意见（退回）：（无） → 请补充加工合同的中文译本。" in page
    assert "陈静" in page
    details = reviewer.get(f"/review/details/?id={key}").text
    assert offered(details, "return") == ["请补充加工合同的中文译本。"]
    assert offered(details, "refuse") == []


def test_a_changed_or_removed_stock_opinion_is_updated_in_the_list_and_recorded(
    client_as: ClientAs, act_as: ActAs
) -> None:
    reviewer = client_as("reviewer")
    add(reviewer, "材料不全。")
    form = the_only_one(act_as) | {"words": "材料不全，请补正。"}
    page = reviewer.post("/province/opinions/change/", data=form, follow_redirects=True).text
    assert "常用意见（退回）：材料不全。 → 材料不全，请补正。" in page
    page = reviewer.post("/province/opinions/remove/", data=the_only_one(act_as), follow_redirects=True).text
    assert "常用意见（退回）：材料不全，请补正。 → （无）" in page
    with act_as("reviewer"):
        assert db.session.scalars(select(StockOpinion)).all() == []


def test_another_province_cannot_see_or_change_stock_opinions(
    client_as: ClientAs, act_as: ActAs, make_application: MakeApplication
) -> None:
    add(client_as("reviewer"), "材料不全。")
    row, stranger = the_only_one(act_as), client_as("reviewer2")
    assert "材料不全" not in stranger.get("/province/opinions/").text
    for what in ("change", "remove"):
        answer = stranger.post(f"/province/opinions/{what}/", data=row | {"words": "改了"})
        assert answer.status_code == 404
    assert the_only_one(act_as) == row
    for who in ("reviewer2", "publisher", "national", "operator"):
        with act_as(who):
            assert db.session.scalars(select(StockOpinion)).all() == [], who
            db.session.add(StockOpinion(province="320000", act=Action.RETURN, words="混入的。"))
            with pytest.raises(Closed):
                db.session.flush()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [("", "请填写"), (" \u200b\n", "请填写"), ("长" * 201, "最多 200 字，现在 201 字"), ("材料不全。", "已有相同")],
)
def test_an_invalid_stock_opinion_has_an_error_and_stays_as_typed(
    client_as: ClientAs, words: str, sentence: str
) -> None:
    reviewer = client_as("reviewer")
    add(reviewer, "材料不全。")
    answer = reviewer.post("/province/opinions/add/", data={"act": "return", "words": words})
    assert answer.status_code == 422
    assert sentence in flashed(answer.text)[0]
    assert f">\n{words}</textarea>" in answer.text


def test_the_second_of_two_reviewers_gets_a_version_conflict(client_as: ClientAs, act_as: ActAs) -> None:
    reviewer = client_as("reviewer")
    add(reviewer, "材料不全。")
    seen = the_only_one(act_as)
    reviewer.post("/province/opinions/change/", data=seen | {"words": "请补正材料。"})
    for what in ("change", "remove"):
        answer = reviewer.post(f"/province/opinions/{what}/", data=seen | {"words": "请核对材料。"})
        assert (answer.status_code, "已被他人修改" in flashed(answer.text)[-1]) == (422, True)
    with act_as("reviewer"):
        assert db.session.scalars(select(StockOpinion.words)).one() == "请补正材料。"


def test_the_number_of_stock_opinions_is_limited(act_as: ActAs) -> None:
    with act_as("reviewer") as by:
        for n in range(opinions.MOST_EACH):
            opinions.add(db.session(), Action.RETURN, f"第 {n} 条。", by)
        with pytest.raises(Refused, match="最多 30 条"):
            opinions.add(db.session(), Action.RETURN, "再一条。", by)
        opinions.add(db.session(), Action.REFUSE, "再一条。", by)


def test_stock_opinions_are_shown_in_the_order_given_by_reviewers(client_as: ClientAs, act_as: ActAs) -> None:
    """Up and down by one place, no move at either end; an outdated page gets a version conflict."""
    reviewer = client_as("reviewer")
    for words in ("甲。", "乙。", "丙。"):
        add(reviewer, words, "grant")

    def order() -> dict[str, dict[str, int]]:
        with act_as("reviewer"):
            rows = opinions.listed(db.session())[Action.GRANT]
            return {row.words: {"id": row.id, "version": row.version} for row in rows}

    def move(what: str, row: dict[str, int]) -> int:
        return reviewer.post(f"/province/opinions/{what}/", data=row).status_code

    assert move("up", order()["丙。"]) == 302
    assert list(order()) == ["甲。", "丙。", "乙。"]
    assert "3. 丙。 → 2. 丙。" in reviewer.get("/province/").text
    seen = order()["甲。"]
    assert (move("up", seen), move("down", seen)) == (302, 302)
    assert list(order()) == ["丙。", "甲。", "乙。"]
    assert move("down", seen) == 422
    add(reviewer, "丁。", "grant")
    assert list(order()) == ["丙。", "甲。", "乙。", "丁。"]


def test_a_page_showing_a_removed_stock_opinion_cannot_change_its_successor(client_as: ClientAs, act_as: ActAs) -> None:
    """SQLite gives its id again."""
    reviewer = client_as("reviewer")
    add(reviewer, "材料不全。")
    former = the_only_one(act_as)
    reviewer.post("/province/opinions/remove/", data=former)
    add(reviewer, "请补正材料。")
    with act_as("reviewer"):
        here = db.session.scalars(select(StockOpinion.id)).one()
    assert reviewer.post("/province/opinions/remove/", data=former | {"id": here}).status_code == 422


def test_an_act_without_an_opinion_has_no_stock_opinions(client_as: ClientAs) -> None:
    page = client_as("reviewer").get("/province/opinions/").text
    assert re.findall(r'id="opinions-(\w+)"', page) == ["grant", "return", "decline", "refuse", "extend", "revoke"]
    assert (
        client_as("reviewer").post("/province/opinions/add/", data={"act": "resend", "words": "同意。"}).status_code
        == 400
    )


def test_a_stock_opinion_with_unsaved_changes_is_not_moved(client_as: ClientAs, act_as: ActAs) -> None:
    """The button is in the form of the sentence: unsaved text would be lost."""
    reviewer = client_as("reviewer")
    add(reviewer, "材料不全。")
    form = the_only_one(act_as)
    answer = reviewer.post("/province/opinions/up/", data=form | {"words": "材料不全，请补正。"})
    assert answer.status_code == 422
    assert "请先点击保存，再移动" in flashed(answer.text)[0]
    assert "材料不全，请补正。</textarea>" in answer.text
    assert reviewer.post("/province/opinions/up/", data=form | {"words": "材料不全。"}).status_code == 302
