"""The story of an application through the models, from a blank form to customs' receipt, on both databases."""

from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from models import access, clock
from models.acts import drafts, filing
from models.application import MOST_CARRIERS, Application
from models.application.carriers import Carrier
from models.application.changes import explain
from models.application.trail import TrailEntry
from models.database import db
from models.database.triggers import SENTENCE
from models.vocabulary import Action, Filing, Status, Step
from models.workflow import Refused
from tests.conftest import ActAs, MakeApplication, StoredRows

YEAR = clock.today().year


def test_a_new_draft_has_its_number_and_its_system_filled_fields(act_as: ActAs, stored_rows: StoredRows) -> None:
    """手册 第一章: 置灰输入框为系统自动返填字段."""
    with act_as("publisher") as filer:
        application = drafts.start(db.session(), filer)
        db.session.commit()
        assert application.number == f"SQ{YEAR}00000001"
        assert (application.applicant_name, application.applicant_code) == ("江苏文艺音像出版社", "12320000466000101W")
        assert (application.publisher_name, application.publisher_code) == ("江苏文艺音像出版社", "12320000466000101W")
        assert (application.province, application.authority) == ("320000", "江苏省新闻出版局")
        assert application.filing is Filing.OWN
        assert application.status is Status.DRAFT
        assert application.applied_on is None
        key = application.id
    assert [entry["act"] for entry in stored_rows(key)["trail_entry"]] == ["start"]


def test_the_number_of_drafts_of_an_organisation_is_limited(act_as: ActAs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts of other organisations and deleted ones do not count."""
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 2)
    with act_as("publisher2") as other:
        drafts.start(db.session(), other)
        db.session.commit()
    with act_as("publisher") as filer:
        first, _second = drafts.start(db.session(), filer), drafts.start(db.session(), filer)
        with pytest.raises(Refused, match="贵单位已有 2 份草稿，请先申报或删除"):
            drafts.start(db.session(), filer)
        filing.perform(db.session(), Action.DELETE, first, filer)
        assert drafts.start(db.session(), filer).number


def test_each_act_leaves_one_trail_entry(make_application: MakeApplication, act_as: ActAs) -> None:
    """AU1: each act has exactly one entry, with who, before, after and opinion."""
    key = make_application(status="customs_received")
    files = [("attach", "draft", "draft", "王敏（江苏文艺音像出版社）", None)] * 4
    with act_as("publisher"):
        recorded = [
            (entry.act, entry.before and entry.before.value, entry.after.value, entry.actor_name, entry.opinion)
            for entry in db.session.get_one(Application, key).trail
        ]
    assert recorded == [
        ("start", None, "draft", "王敏（江苏文艺音像出版社）", None),
        ("edit", "draft", "draft", "王敏（江苏文艺音像出版社）", None),
        *files,
        ("submit", "draft", "pending", "王敏（江苏文艺音像出版社）", None),
        ("grant", "pending", "filed", "陈静", None),
        ("customs_accepted", "filed", "customs_received", "海关", "回执说明"),
    ]


def test_the_trail_explains_an_edit_field_by_field(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        with drafts.revising(db.session(), application, application.version, filer):
            application.title = "黑胶唱片《紫竹调》"
            application.port = "2233"
            application.trade_mode = None
            application.carriers.append(Carrier(specification="CD", quantity=Decimal("0.5"), unit="140"))
        db.session.commit()
        entry = application.trail[-1]
        assert (entry.act, entry.before, entry.after) == ("edit", Status.DRAFT, Status.DRAFT)
        assert explain(entry) == [
            "商品名称：“黑胶唱片《茉莉花》” → “黑胶唱片《紫竹调》”",
            "进口口岸：“2201-浦江海关” → “2233-浦东机场”",
            "监管方式：“0110” → （空）",
            "载体信息：1 条 → 2 条",
            "新增第 2 条：“CD” “0.5” “140-盒”",
        ]


def test_the_trail_explains_an_upload_by_kind_and_name(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application()
    with act_as("publisher"):
        uploads = [entry for entry in db.session.get_one(Application, key).trail if entry.act == Step.ATTACH]
        assert explain(uploads[0]) == ["备案申请表：“备案申请表.pdf”"]


def test_an_edit_that_changes_nothing_leaves_no_entry(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        entries = len(application.trail)
        with drafts.revising(db.session(), application, application.version, filer):
            application.title = "黑胶唱片《茉莉花》"
        db.session.commit()
        assert len(application.trail) == entries


def test_carriers_are_added_changed_and_removed_in_place(make_application: MakeApplication, act_as: ActAs) -> None:
    """手册 第一章·载体信息: the numbers of the rows stay without gaps."""
    key = make_application(carriers=3)
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        with drafts.revising(db.session(), application, application.version, filer):
            application.carriers[2].quantity = Decimal("12.5")
            del application.carriers[0]
            application.carriers.append(Carrier(specification="DVD-9", quantity=Decimal(7), unit="010"))
        db.session.commit()
        rows = [(row.position, row.quantity) for row in db.session.get_one(Application, key).carriers]
    assert rows == [(1, Decimal(1001)), (2, Decimal("12.5")), (3, Decimal(7))]


def test_more_carriers_than_a_certificate_can_carry_are_refused(
    make_application: MakeApplication, act_as: ActAs
) -> None:
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        rows = [Carrier(specification="CD", quantity=Decimal(1), unit="010") for _ in range(MOST_CARRIERS)]
        with (
            pytest.raises(Refused, match="最多录入 3000 条"),
            drafts.revising(db.session(), application, application.version, filer),
        ):
            application.carriers.extend(rows)
        db.session.rollback()
        assert len(application.carriers) == 1


@pytest.mark.parametrize("status", list(Status))
def test_a_status_cannot_be_assigned_by_hand(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, status: Status
) -> None:
    """AD6: from every status to every other: without a trail entry of the act nothing is written."""
    key = make_application(status=status)
    before = stored_rows(key)
    with act_as("publisher"):
        for wanted in set(Status) - {status}:
            db.session.get_one(Application, key).status = wanted
            with pytest.raises(DBAPIError, match=SENTENCE):
                db.session.commit()
            db.session.rollback()
    assert stored_rows(key) == before


def test_an_application_can_be_returned_edited_and_resubmitted_repeatedly(
    make_application: MakeApplication, act_as: ActAs
) -> None:
    """ST6, AD7: each round works like the first; a reason lives on in the history, not beside the new declaration."""
    key = make_application(status="returned")
    for turn in range(3):
        with act_as("publisher") as filer:
            application = db.session.get_one(Application, key)
            with drafts.revising(db.session(), application, application.version, filer):
                application.title = f"第 {turn} 次修改"
            filing.perform(db.session(), Action.SUBMIT, application, filer)
            db.session.commit()
            assert application.status is Status.PENDING
            assert application.trail[-1].opinion is None
        with act_as("reviewer") as reviewer:
            application = db.session.get_one(Application, key)
            assert application.title == f"第 {turn} 次修改"
            filing.perform(db.session(), Action.RETURN, application, reviewer, f"第 {turn} 次退回的理由")
            db.session.commit()
    with act_as("publisher"):
        entries = db.session.scalars(select(TrailEntry).filter_by(act=Action.RETURN.value).order_by(TrailEntry.id))
        assert [entry.opinion for entry in entries] == [
            "材料需要核对。",
            "第 0 次退回的理由",
            "第 1 次退回的理由",
            "第 2 次退回的理由",
        ]


def test_the_number_of_a_deleted_draft_is_never_reused(
    app: Flask, make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """RC5: hidden, not erased."""
    key = make_application()
    with act_as("publisher") as filer:
        filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), filer)
        db.session.commit()
    with act_as("publisher") as filer:
        assert db.session.get(Application, key) is None
        assert drafts.start(db.session(), filer).number == f"SQ{YEAR}00000002"
    record = stored_rows(key)
    assert record["application"][0]["number"] == f"SQ{YEAR}00000001"
    assert record["trail_entry"][-1]["act"] == "delete"
    with app.app_context(), access.everything() as session:
        assert session.get_one(Application, key).deleted_at is not None


@pytest.mark.parametrize("status", ["not_accepted", "refused"])
def test_a_decided_application_deleted_by_its_owner_stays_visible_to_its_province(
    make_application: MakeApplication, act_as: ActAs, status: str
) -> None:
    """Design 2.3: 申请人已删除."""
    key = make_application(status=status)
    with act_as("publisher") as filer:
        filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), filer)
        db.session.commit()
        assert db.session.scalars(select(Application)).all() == []
    with act_as("reviewer"):
        application = db.session.get_one(Application, key)
        assert application.deleted_at is not None
        assert application.status == status


def test_the_application_date_is_the_day_of_submission(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(status="pending")
    with act_as("reviewer"):
        application = db.session.get_one(Application, key)
        assert application.applied_on == clock.today()
        assert application.submitted_at is not None
