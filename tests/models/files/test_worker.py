"""The worker process: what counts against a task, and what only says that the machine is busy."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.application.attachments import Store
from models.files.inspection import INSPECTION
from models.files.worker import Busy, Unfinished, WorkerProcess, WorkerTask
from models.workflow import Refused


def echo(order: Any) -> Any:
    return order


def slow_start() -> None:
    time.sleep(2)


def obey(order: str) -> str:
    """Idle, or busy within one call of C that no exception interrupts."""
    if order == "idle":
        time.sleep(600)
    if order == "busy":
        sum(range(10**15))
    return order


@contextmanager
def opened(*args: Any) -> Iterator[WorkerProcess]:
    workshop = WorkerProcess(*args)
    try:
        yield workshop
    finally:
        workshop._stop()


def test_the_start_of_the_process_does_not_count_into_the_time_of_a_task() -> None:
    """On a busy machine it takes as long as many tasks: a good file must not be called bad for it."""
    with opened(WorkerTask(echo, slow_start, cpu=1), 1) as workshop:
        assert workshop.done("file") == "file"


def test_a_task_that_takes_all_its_processor_time_is_ended_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once, and who comes next gets an answer."""
    with opened(WorkerTask(obey, cpu=1), 600) as workshop:
        started: list[int] = []
        start = workshop._started
        monkeypatch.setattr(workshop, "_started", lambda: (started.append(1), start())[1])
        with pytest.raises(Unfinished, match="all its processor time") as ended:
            workshop.done("busy")
        assert not isinstance(ended.value, Busy)
        assert len(started) == 1
        assert workshop.done("next") == "next"


def test_a_task_that_got_no_processor_time_says_nothing_of_itself() -> None:
    with opened(WorkerTask(obey, cpu=1), 0.5) as workshop:
        with pytest.raises(Busy):
            workshop.done("idle")
        workshop.longest = 600
        assert workshop.done("next") == "next"


def test_who_waits_too_long_for_their_turn_is_told_to_try_again(
    tmp_path: Path, a_png: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """31: too busy is no flaw of a file; nothing is stored, and the same file is accepted later."""
    store = Store(str(tmp_path / "store"))
    monkeypatch.setattr(INSPECTION, "patience", 0.05)
    with INSPECTION.queue.turn("another"), pytest.raises(Refused, match=r"^系统繁忙，请稍后重试。$"):
        store.put(io.BytesIO(a_png()), "合同.png", 1 << 20)
    assert list(store.kept()) == []
    assert store.put(io.BytesIO(a_png()), "合同.png", 1 << 20).media_type == "image/png"
