"""Warnings before 申报, which never prevent it: likely duplicates, the same file twice, a past date."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from models import clock
from models.acts import uploads
from models.acts.doubts import doubts
from models.application import Application, whole_pieces
from models.database import db
from models.vocabulary import Action, AttachmentKind
from tests.cast import perform_step
from tests.conftest import ActAs, MakeApplication
from views.resources import store


def doubts_of(act_as: ActAs, app: Flask, key: int, who: str = "publisher") -> list[str]:
    with app.test_request_context(), act_as(who):
        return doubts(db.session(), db.session.get_one(Application, key))


def number(act_as: ActAs, key: int) -> str:
    with act_as("publisher"):
        return db.session.get_one(Application, key).number


@pytest.mark.slow
@pytest.mark.parametrize("status", ["draft", "pending", "returned", "filed", "customs_received"])
def test_an_application_with_the_same_publisher_title_and_plant_is_reported_as_a_duplicate(
    app: Flask, act_as: ActAs, make_application: MakeApplication, status: str
) -> None:
    """Width, case and unseen characters do not count."""
    other = make_application(status=status, manufacturer="ＯＰＴＩＭＡＬ Media GmbH")
    key = make_application()
    (sentence,) = doubts_of(act_as, app, key)
    assert sentence.startswith(number(act_as, other)) and "请确认不是重复申请" in sentence


@pytest.mark.parametrize(
    "other",
    [
        {"status": "not_accepted"}, {"status": "refused"}, {"status": "revoked"}, {"title": "另一部作品"},
        {"manufacturer": "另一家企业"}, {"by": "publisher2"},
    ],
    ids=str,
)  # fmt: skip
def test_a_refused_application_or_another_work_is_no_duplicate(
    app: Flask, act_as: ActAs, make_application: MakeApplication, other: dict[str, Any]
) -> None:
    make_application(**other)
    assert doubts_of(act_as, app, make_application()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("days", "found"), [(365, 1), (366, 0)])
def test_a_granted_application_is_a_duplicate_for_a_year_from_its_date_of_issue(
    app: Flask, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, days: int, found: int
) -> None:
    """The certificate is issued 40 days after the application: the year does not begin on the day of 申报."""
    applied = clock.today()
    other = make_application(status="pending")
    monkeypatch.setattr(clock, "today", lambda: applied + timedelta(days=40))
    perform_step(app, Action.GRANT, other, "publisher")
    key = make_application()
    monkeypatch.setattr(clock, "today", lambda: applied + timedelta(days=40 + days))
    sentences = [sentence for sentence in doubts_of(act_as, app, key) if "重复申请" in sentence]
    assert [sentence[:14] for sentence in sentences] == [number(act_as, other)] * found


def test_an_undecided_application_is_a_duplicate_however_old_it_is(
    app: Flask, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, key = make_application(status="pending"), make_application()
    later = clock.today() + timedelta(days=800)
    monkeypatch.setattr(clock, "today", lambda: later)
    assert number(act_as, other) in doubts_of(act_as, app, key)[0]


def test_a_duplicate_file_and_a_past_date_are_reported(
    app: Flask, act_as: ActAs, make_application: MakeApplication, make_png: Any
) -> None:
    day = clock.today() - timedelta(days=3)
    key = make_application(expected_on=day)
    with app.test_request_context(), act_as("publisher") as account:
        for kind, name in ((AttachmentKind.OTHER, "封面.png"), (AttachmentKind.COPYRIGHT, "授权.png")):
            application = db.session.get_one(Application, key)
            uploads.attach(db.session(), application, kind, io.BytesIO(make_png()), name, account, store(), 1 << 20)
        db.session.commit()
    assert doubts_of(act_as, app, key) == [
        "附件其他“封面.png”、著作权授权“授权.png”的内容相同，请核对是否重复上传。",
        f"预计进口日期 {day} 已经过去，请核对。",
    ]


def test_a_fraction_of_a_piece_is_reported_with_its_row_and_a_fraction_of_a_thousand_is_not(
    app: Flask, act_as: ActAs, make_application: MakeApplication
) -> None:
    """1.5 千张 are 1500 张; 0.00015 万张 are one and a half."""
    key = make_application(carriers=6)
    amounts = [("1.5", "010"), ("2", "006"), ("1.5", "058"), ("0.00015", "059"), ("7.25", "140"), ("0.5", "006")]
    with app.test_request_context(), act_as("publisher"):
        carriers = db.session.get_one(Application, key).carriers
        for carrier, (quantity, unit) in zip(carriers, amounts, strict=True):
            carrier.quantity, carrier.unit = Decimal(quantity), unit
        first_three = "第 1 行 1.5 张、第 4 行 0.00015 万张、第 5 行 7.25 盒"
        assert whole_pieces.doubts(carriers) == [f"载体信息{first_three} 等 4 行的进口数量不是整数，请核对。"]
        carriers[0].quantity = None
        assert whole_pieces.doubts(carriers[:3]) == [], "a quantity that is missing is no fraction"


def test_files_and_applications_that_are_not_named_are_counted(
    app: Flask, act_as: ActAs, make_application: MakeApplication, make_png: Any
) -> None:
    for _other in range(5):
        make_application()
    key = make_application()
    with app.test_request_context(), act_as("publisher") as account:
        for n in range(4):
            application, file = db.session.get_one(Application, key), io.BytesIO(make_png())
            uploads.attach(db.session(), application, AttachmentKind.OTHER, file, f"{n}.png", account, store(), 1 << 20)
        db.session.commit()
    assert doubts_of(act_as, app, key)[3:] == [
        "这样的申请还有 2 份，没有逐一列出。",
        "附件其他“0.png”、其他“1.png”、其他“2.png” 等 4 个文件的内容相同，请核对是否重复上传。",
    ]
