"""工作日历: the yearly notice is imported from a file in two steps, or day by day; 2027 is not published yet."""

import io
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock, deadlines
from models.database import db
from models.deadlines import calendar
from models.deadlines.calendar import CalendarDay
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import complaints, flashed, form_of

NOTICE = [
    ("2027-01-01", "放假", "元旦"), ("2027-02-05", "放假", "春节"), ("2027-02-20", "上班", "春节"),
    ("2027-04-05", "放假", "清明节"), ("2027-05-03", "放假", "劳动节"), ("2027-06-09", "放假", "端午节"),
    ("2027-09-15", "放假", "中秋节"), ("2027-10-01", "放假", "国庆节"), ("2026-12-31", "放假", "元旦"),
]  # fmt: skip


@pytest.fixture
def in_december(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is 21 December 2026, ten o'clock in Beijing."""
    moment = clock.datetime(2026, 12, 21, 10, tzinfo=clock.SHANGHAI)
    monkeypatch.setattr(clock, "now", lambda: moment)


def sheet(rows: list[tuple[str, str, str]], kind: str = "utf-8") -> tuple[io.BytesIO, str]:
    lines = [("关于2027年部分节假日安排的通知", "", ""), ("日期", "类别", "节日名称"), *rows]
    return io.BytesIO("".join(",".join(row) + "\r\n" for row in lines).encode(kind)), "2027.csv"


def preview(operator: Browser, rows: list[tuple[str, str, str]], kind: str = "utf-8") -> str:
    return operator.post("/calendar/import/", data={"file": sheet(rows, kind)}, follow_redirects=True).text


@pytest.mark.slow
@pytest.mark.usefixtures("in_december")
@pytest.mark.parametrize("kind", ["utf-8-sig", "gb18030"])
def test_an_imported_notice_is_previewed_first_and_recalculates_every_estimate(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, kind: str
) -> None:
    """The preview writes nothing; then 31 December and 1 January are free, and the due date moves by two days."""
    key, operator = make_application(status="pending"), client_as("operator")
    assert stored_rows(key)["application"][0]["due_on"] == date(2027, 1, 18)
    assert "有 1 份申请的办结期限在此之后" in operator.get("/calendar/").text
    page = preview(operator, NOTICE, kind)
    assert "放假 8 天" in page
    assert "上班 1 天" in page
    assert "周六" in page  # 2027-02-20
    assert stored_rows(key)["application"][0]["due_on"] == date(2027, 1, 18)
    answer = operator.post("/calendar/import/confirm/", data=form_of(page, "confirm-import"), follow_redirects=True)
    assert flashed(answer.text)[0] == "已导入 2027 年的安排共 9 天，重新计算了 1 份申请的办结期限。"
    assert stored_rows(key)["application"][0]["due_on"] == date(2027, 1, 20)
    assert "工作日历需要补充" not in answer.text
    assert "与现有的日历一致，无需导入。" in preview(operator, NOTICE, kind)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("2027-01-04", "上班", "元旦")], "2027-01-04 是周一至周五，不是调休上班"),
        ([("2027-13-01", "放假", "元旦")], "没有这一天"),
        ([("2027-01-01", "休假", "元旦")], "类别“休假”，须为放假或上班"),
        ([("2027-01-01", "放假", "")], "节日须填写"),
        ([("2027-01-01", "放假", "元旦"), ("2026-10-01", "放假", "国庆")], "不属于 2027 年：2026-10-01"),
        ([], "文件中没有数据"),
    ],
)
def test_an_invalid_notice_file_is_refused_with_its_row(
    app: Flask, client_as: ClientAs, rows: list[tuple[str, str, str]], sentence: str
) -> None:
    (found,) = [words for words in flashed(preview(client_as("operator"), rows)) if sentence in words]
    assert found and "。）" not in found
    with app.app_context():
        assert calendar.load(db.session()).years == frozenset(range(2004, 2027))


def test_a_notice_without_some_holidays_is_imported_only_after_confirmation(app: Flask, client_as: ClientAs) -> None:
    operator = client_as("operator")
    page = preview(operator, NOTICE[:2])
    assert "没有提到：清明、劳动、端午、中秋、国庆。" in page
    assert "没有调休上班的日期" in page
    form = form_of(page, "confirm-import")
    assert operator.post("/calendar/import/confirm/", data=form).status_code == 422
    assert operator.post("/calendar/import/confirm/", data=form | {"checked": "y"}).status_code == 303
    again = form_of(preview(operator, [*NOTICE[:2], ("2027-04-05", "放假", "清明")]), "confirm-import")
    refused = operator.post("/calendar/import/confirm/", data=again)
    assert (refused.status_code, "改动的日期" in refused.text, "2027-04-05" in refused.text) == (422, False, True)
    assert "预览已失效" in "".join(
        flashed(operator.post("/calendar/import/confirm/", data={"rows": "x"}, follow_redirects=True).text)
    )


def test_a_notice_that_is_imported_again_keeps_the_december_day_of_the_next(app: Flask, client_as: ClientAs) -> None:
    """2027's names 31 December 2026; a corrected one of 2026 does not."""
    operator = client_as("operator")
    for rows in (NOTICE, [("2026-10-01", "放假", "国庆节")]):
        form = form_of(preview(operator, rows), "confirm-import") | {"checked": "y"}
        assert operator.post("/calendar/import/confirm/", data=form).status_code == 303
    with app.app_context():
        kinds = {row.day: row.kind for row in db.session.scalars(select(CalendarDay))}
    assert (kinds[date(2026, 12, 31)], date(2026, 2, 17) in kinds) == ("off", False)


@pytest.mark.slow
@pytest.mark.usefixtures("in_december")
def test_one_day_is_entered_by_hand_and_removed(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """As 3 September 2015 was, declared free long after the notice; a weekday that is worked needs no entry."""
    make_application(status="pending")
    operator = client_as("operator")
    day = {"day": "2026-12-25", "kind": "off", "name": "临时放假"}
    sentences = flashed(operator.post("/calendar/new/", data=day, follow_redirects=True).text)
    assert "已登记，重新计算了 1 份申请的办结期限。" in sentences
    assert operator.post("/calendar/new/", data=day).status_code == 422  # it is there already
    refused = operator.post("/calendar/new/", data=day | {"day": "2026-12-24", "kind": "working"})
    assert (refused.status_code, flashed(refused.text)) == (
        422,
        ["2026-12-24 是周一至周五，本来就是工作日，不必登记。"],
    )
    assert operator.post("/calendar/new/", data={"day": "", "kind": "off", "name": "x"}).status_code == 422
    with app.app_context():
        key = db.session.scalars(select(CalendarDay.id).where(CalendarDay.day == date(2026, 12, 25))).one()
    remove = f"/calendar/remove/?day={day['day']}"
    assert f'formaction="{remove}"' in operator.get("/calendar/").text
    stale = operator.post("/calendar/remove/?day=2026-12-31", data={"id": key}, follow_redirects=True)
    assert "这一天刚刚已有变化，没有移除，请核对列表。" in flashed(stale.text)
    sentences = flashed(operator.post(remove, data={"id": key}, follow_redirects=True).text)
    assert "已移除 2026-12-25，重新计算了 1 份申请的办结期限。" in sentences
    assert operator.post(remove, data={"id": key}).status_code == 404


@pytest.mark.usefixtures("in_december")
def test_healthz_reports_the_end_of_the_calendar(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="pending")
    lines = client_as(None).get("/healthz?details").text.splitlines()
    assert "calendar until 2026-12-31!" in lines
    assert "deadlines beyond the calendar 1" in lines


@pytest.mark.usefixtures("in_december")
def test_the_calendar_ends_soon_before_its_end_or_if_a_deadline_lies_beyond(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), access.everything() as session:
        assert deadlines.horizon(session) == deadlines.Horizon(date(2026, 12, 31), 0)
        assert deadlines.horizon(session).is_near
        monkeypatch.setattr(clock, "now", lambda: clock.datetime(2026, 9, 1, tzinfo=clock.SHANGHAI))
        assert not deadlines.horizon(session).is_near
        monkeypatch.setattr(clock, "now", lambda: clock.datetime(2027, 1, 4, tzinfo=clock.SHANGHAI))
        assert deadlines.horizon(session) == deadlines.Horizon(None, 0)
        assert deadlines.horizon(session).is_near


def test_an_invalid_field_is_marked(client_as: ClientAs) -> None:
    page = client_as("operator").post("/calendar/new/", data={"day": "昨天", "kind": "off", "name": "x"}).text
    assert complaints(page) == ["请按 2026-01-31 的格式填写日期。"]
