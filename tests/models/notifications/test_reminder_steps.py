"""The reminder worker: an error in one step does not stop the others, and is reported in 运行状态 and /healthz."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from models import access, clock
from models.customs import heartbeat
from models.notifications import Notification, reminders
from models.notifications.events import Event
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.dates import SetDay
from tests.models.notifications.test_reminders import remind
from tests.views.screens.test_condition import condition_lines

LINE = "提醒和邮件"


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), ProgrammingError("x", {}, Exception("x"))])
def test_a_failing_reminder_step_does_not_stop_the_others(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged with its reason, reported until it works again, and stops nothing else."""
    done: list[str] = []

    def fail(_session: Session) -> None:
        raise error

    steps = {"第一步": fail, "第二步": lambda session: done.append("second")}
    monkeypatch.setattr(reminders, "STEPS", steps)
    remind(app)
    assert done == ["second"]
    assert "a step of the reminders failed: fail" in caplog.text
    state, now, to_do = condition_lines(client_as("operator"))[LINE]
    assert state == "须处理"
    assert "出错的步骤：第一步" in now
    assert "请查看该进程的日志" in to_do
    assert "reminders_failed\n" in client_as(None).get("/healthz").text
    monkeypatch.setattr(reminders, "STEPS", {"第二步": steps["第二步"]})
    remind(app)
    assert condition_lines(client_as("operator"))[LINE][0] == "正常"
    assert "reminders" not in client_as(None).get("/healthz").text


def test_an_unavailable_database_ends_the_round(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of the command waits and tries again; no step counts a failure."""

    def away(_session: Session) -> None:
        raise OperationalError("x", {}, Exception("gone"))

    monkeypatch.setattr(reminders, "STEPS", {"第一步": away})
    with pytest.raises(OperationalError):
        remind(app)
    with app.app_context(), access.everything() as session:
        assert heartbeat.last_round(session, heartbeat.REMINDER) is None


def test_the_condition_screen_reports_that_no_reminder_process_runs(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert condition_lines(client_as("operator"))[LINE] == ("须关注", "没有运行过", "请启动 filing mail send --watch。")
    remind(app)
    state, now, _to_do = condition_lines(client_as("operator"))[LINE]
    assert (state, now.endswith("，待发邮件 0，已搁置 0")) == ("正常", True)
    really = clock.now
    monkeypatch.setattr(clock, "now", lambda: really() + timedelta(minutes=16))
    assert condition_lines(client_as("operator"))[LINE][0] == "须处理"
    assert "reminders\n" in client_as(None).get("/healthz").text
    remind(app)
    assert condition_lines(client_as("operator"))[LINE][0] == "正常"


def test_overdue_cases_are_read_page_by_page(
    app: Flask,
    make_application: MakeApplication,
    set_day: SetDay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each page is committed: after an error the next round continues, and no reminder is sent twice."""
    set_day(3, 2)
    keys = [make_application(status="pending") for _time in range(3)]
    set_day(4, 10)
    monkeypatch.setattr(reminders, "PAGE", 1)
    really, seen = reminders.notify, list[int]()

    def counted(session: Session, row: object, *args: object) -> None:
        seen.append(row.id)  # type: ignore[attr-defined]
        if len(seen) == 2:
            raise ZeroDivisionError
        really(session, row, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(reminders, "notify", counted)
    due = select(Notification.application_id, func.count()).where(Notification.event == Event.DUE_SOON)
    for reminded in (keys[:1], keys):
        remind(app)
        with app.app_context(), access.everything() as session:
            counted_rows = session.execute(due.group_by(Notification.application_id)).all()
            assert dict(counted_rows) == dict.fromkeys(reminded, 1)  # type: ignore[arg-type]
    assert seen == [keys[0], keys[1], *keys]
