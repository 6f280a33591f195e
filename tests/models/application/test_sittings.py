"""办理过程 shows the saves of one sitting as one entry; the trail keeps each of them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from models import clock
from models.acts import drafts
from models.application import Application, disclosure, trail
from models.application.carriers import Carrier
from models.application.sittings import BREAK, shown_entries
from models.database import db
from models.vocabulary import AttachmentKind
from tests.cast import small_pdf, upload
from tests.conftest import ActAs, MakeApplication

MINUTE = timedelta(minutes=1)
Shown = list[tuple[str, int, list[str]]]


class Desk:
    """One draft of `publisher`, edited at chosen minutes; `shown()` is its 办理过程 without what made it."""

    def __init__(self, app: Flask, act_as: ActAs, key: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.act_as, self.key, self.monkeypatch = app, act_as, key, monkeypatch
        self.began, self.before = clock.now(), 0
        self.before = len(self.entries())

    def at(self, minutes: float) -> None:
        moment = self.began + minutes * MINUTE
        self.monkeypatch.setattr(clock, "now", lambda: moment)

    def save(self, minutes: float, who: str = "publisher", change: Any = None, **fields: Any) -> None:
        self.at(minutes)
        with self.act_as(who) as by:
            application = db.session.get_one(Application, self.key)
            with drafts.revising(db.session(), application, application.version, by):
                for name, value in fields.items():
                    setattr(application, name, value)
                if change:
                    change(application.carriers)
            db.session.commit()

    def attach(self, minutes: float) -> None:
        self.at(minutes)
        with self.act_as("publisher") as by:
            upload(self.app, db.session.get_one(Application, self.key), AttachmentKind.OTHER, small_pdf("x"), by)
            db.session.commit()

    def entries(self, most: int | None = None) -> Shown:
        with self.app.test_request_context(), self.act_as("publisher") as by:
            application = db.session.get_one(Application, self.key)
            entries = [entry for entry, _is_read in disclosure.history(db.session(), application, by)]
            new = entries[: len(entries) - self.before]
            return [(shown.entry.act, shown.saves, shown.lines) for shown in shown_entries(new, most)]


@pytest.fixture
def desk(app: Flask, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(app, act_as, make_application(), monkeypatch)
    with app.app_context(), act_as("publisher") as by:
        made.before = len(list(disclosure.history(db.session(), db.session.get_one(Application, made.key), by)))
    made.began += 2 * BREAK
    return made


def test_the_saves_of_a_sitting_are_one_entry_from_the_first_value_to_the_last(desk: Desk) -> None:
    for minutes, phone in ((0, "1"), (10, "2"), (39, "3")):
        desk.save(minutes, phone=phone)
    desk.save(40, title="另一部作品")
    assert desk.entries() == [
        ("edit", 4, ["联系电话：“025-83210000” → “3”", "商品名称：“黑胶唱片《茉莉花》” → “另一部作品”"])
    ]


def test_a_value_that_came_back_is_not_shown(desk: Desk) -> None:
    desk.save(0, phone="1", contact="李想")
    desk.save(1, phone="025-83210000")
    assert desk.entries() == [("edit", 2, ["联系人：“王敏” → “李想”"])]
    desk.save(2, contact="王敏")
    assert desk.entries() == [("edit", 3, [])], "the API tells of three saves, and so does the page"


def test_no_value_is_shown_as_the_first_of_a_sitting_that_is_cut(desk: Desk) -> None:
    """Neither where its saves go on below, nor where a file uploaded in between is the last that is shown."""
    for minutes, phone in ((0, "1"), (1, "2")):
        desk.save(minutes, phone=phone)
    desk.save(40, phone="3")
    desk.attach(41)
    desk.save(42, phone="4")
    newest = ("edit", 1, ["联系电话：“3” → “4”"])
    assert desk.entries(most=1) == [newest]
    assert [shown[:2] for shown in desk.entries(most=2)] == [("edit", 1), ("attach", 1)]
    whole = desk.entries(most=3)
    assert whole[0] == ("edit", 2, ["联系电话：“2” → “4”"]) and [shown[0] for shown in whole] == ["edit", "attach"]
    assert desk.entries(most=4) == [*whole, ("edit", 1, ["联系电话：“1” → “2”"])]
    assert desk.entries(most=5) == desk.entries() == [*whole, ("edit", 2, ["联系电话：“025-83210000” → “2”"])]


def test_a_pause_another_person_or_another_act_begins_a_new_entry(
    desk: Desk, add_colleague: Callable[..., None]
) -> None:
    add_colleague("second", like="publisher")
    desk.save(0, phone="1")
    desk.save(31, phone="2")
    desk.save(32, "second", phone="3")
    desk.save(33, phone="4")
    assert [(act, saves) for act, saves, _lines in desk.entries()] == [("edit", 1)] * 4


def test_files_uploaded_in_between_have_their_own_entries(desk: Desk) -> None:
    desk.save(0, phone="1")
    desk.attach(5)
    desk.save(10, phone="2")
    assert [(act, saves) for act, saves, _lines in desk.entries()] == [("edit", 2), ("attach", 1)]


def test_carriers_are_joined_row_by_row(desk: Desk) -> None:
    def with_quantity(quantity: int) -> Carrier:
        return Carrier(unit="010", specification="CD", quantity=Decimal(quantity))

    desk.save(0, change=lambda rows: rows.append(with_quantity(5)))
    desk.save(1, change=lambda rows: setattr(rows[1], "quantity", Decimal(6)))
    desk.save(2, change=lambda rows: rows.append(with_quantity(7)))
    assert desk.entries() == [
        ("edit", 3, ["载体信息：1 条 → 3 条", "新增第 2 条：“CD” “6” “010-张”", "新增第 3 条：“CD” “7” “010-张”"])
    ]


def test_a_change_of_the_order_alone_is_shown_by_itself(desk: Desk) -> None:
    desk.save(0, change=lambda rows: rows.append(Carrier(unit="010", specification="CD", quantity=Decimal(5))))
    desk.save(1, change=lambda rows: rows.reverse())
    assert [saves for _act, saves, _lines in desk.entries()] == [1, 1]
    assert desk.entries()[0][2] == ["载体信息：调整了顺序"]


def test_the_trail_itself_keeps_every_save(desk: Desk) -> None:
    for minutes, phone in ((0, "1"), (1, "025-83210000")):
        desk.save(minutes, phone=phone)
    with desk.act_as("publisher"):
        edits = trail.newest(db.session(), desk.key, trail.Action.EDIT, 2)
        assert [entry.changes for entry in edits] == [
            {"phone": ["1", "025-83210000"]}, {"phone": ["025-83210000", "1"]},
        ]  # fmt: skip
        assert list(trail.broken(db.session())) == []
