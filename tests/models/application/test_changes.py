"""Changes of carrier rows are found by row, in linear time (issue of 2026-11: 62 s)."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from models.application.changes import MOST_LINES, differences, explain
from models.application.trail import TrailEntry

Row = dict[str, Any]


def rows(count: int, **changed: Callable[[int], Any]) -> list[Row]:
    """Carrier rows as the trail stores them; `changed` maps a field to its value in row n."""
    names = ("kind", "unit", "name", "catalogue_number", "unit_price", "currency", "note")
    blank = dict.fromkeys(names)
    made = []
    for n in range(1, count + 1):
        row = blank | {"id": n, "position": n, "specification": f"12 英寸 {n}", "quantity": "1000", "unit": "010"}
        made.append(row | {name: value(n) for name, value in changed.items()})
    return made


def explained(before: list[Row], after: list[Row]) -> list[str]:
    """The lines that a page shows."""
    return explain(TrailEntry(changes=differences({"carriers": before}, {"carriers": after})))


def test_the_publisher_is_named_and_not_numbered() -> None:
    changes = {"publisher_id": [None, 7], "publisher_name": [None, "江苏文艺音像出版社"]}
    assert explain(TrailEntry(changes=changes)) == ["出版单位：（空） → “江苏文艺音像出版社”"]


def calls(work: Callable[[], object]) -> int:
    """How many function calls, of Python and of C, the work takes."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def every_second(n: int) -> str:
    return f"改名 {n}" if n % 2 else f"12 英寸 {n}"


@pytest.fixture(autouse=True)
def _translations(app: Any) -> Any:
    with app.test_request_context():
        yield


def test_a_carrier_row_is_identified_by_its_id_at_any_position() -> None:
    before = rows(4)
    after = [before[0] | {"quantity": "7"}, *(row | {"position": row["position"] - 1} for row in before[2:])]
    after.append(rows(1)[0] | {"id": 9, "position": 4, "specification": "DVD-9"})
    assert explained(before, after) == [
        "第 1 条 进口数量：“1000” → “7”",
        "删除原第 2 条：“12 英寸 2” “1000” “010-张”",
        "新增第 4 条：“DVD-9” “1000” “010-张”",
    ]


def test_a_changed_number_of_rows_is_reported() -> None:
    before = rows(3)
    assert explained(before, before[:2])[0] == "载体信息：3 条 → 2 条"
    swapped = [before[1] | {"position": 1}, before[0] | {"position": 2}, before[2]]
    assert explained(before, swapped) == ["载体信息：调整了顺序"]


def test_unchanged_rows_are_not_stored_in_the_entry() -> None:
    before = rows(3000)
    after = [*before[:-1], before[-1] | {"note": "x"}]
    stored = differences({"carriers": before}, {"carriers": after})
    assert stored == {"carriers": [[before[-1]], [after[-1]]], "carrier_count": [3000, 3000]}


def test_a_long_list_of_changes_ends_with_the_number_of_the_others() -> None:
    lines = explained(rows(3000), rows(3000, specification=every_second))
    assert len(lines) == MOST_LINES
    assert lines[0] == "第 1 条 规格型号：“12 英寸 1” → “改名 1”"
    assert lines[-1] == f"另有 {1500 - (MOST_LINES - 1)} 处改动。"


def test_an_entry_of_an_earlier_version_is_explained_unchanged() -> None:
    """Entries are never rewritten: those of 2026-11-25 and before hold every row, and no ids."""
    before = [{name: value for name, value in row.items() if name != "id"} for row in rows(4)]
    after = [before[0] | {"quantity": "7"}, before[1], before[3] | {"position": 3}]
    assert explain(TrailEntry(changes={"carriers": [before, after]})) == [
        "载体信息：4 条 → 3 条",
        "第 1 条 进口数量：“1000” → “7”",
        "删除原第 3 条：“12 英寸 3” “1000” “010-张”",
    ]


@pytest.mark.parametrize("earlier", [False, True])
def test_the_cost_of_comparing_rows_is_linear(earlier: bool) -> None:
    def work(count: int) -> int:
        before, after = rows(count), rows(count, specification=every_second)
        if earlier:
            for row in (*before, *after):
                del row["id"]
            entry = TrailEntry(changes={"carriers": [before, after]})
            return calls(lambda: explain(entry))
        return calls(lambda: explained(before, after))

    few, many = work(300), work(3000)
    assert many < 11 * few
