"""The worker process: faults of a task (Unfinished) and lack of time (Busy)."""

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
    worker = WorkerProcess(*args)
    try:
        yield worker
    finally:
        worker._stop()


@pytest.mark.slow
def test_the_start_of_the_process_does_not_count_towards_the_timeout_of_a_task() -> None:
    """On a busy machine it takes as long as many tasks: it must not make a good file look bad."""
    with opened(WorkerTask(echo, slow_start, cpu=1), 1) as worker:
        assert worker.run("file") == "file"


@pytest.mark.slow
def test_a_task_that_uses_up_its_processor_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not retried, and the next task gets a result."""
    with opened(WorkerTask(obey, cpu=1), 600) as worker:
        started: list[int] = []
        start = worker._start
        monkeypatch.setattr(worker, "_start", lambda: (started.append(1), start())[1])
        with pytest.raises(Unfinished, match="all its processor time") as ended:
            worker.run("busy")
        assert not isinstance(ended.value, Busy)
        assert len(started) == 1
        assert worker.run("next") == "next"


@pytest.mark.slow
def test_a_timeout_without_processor_time_is_reported_as_busy_not_as_a_faulty_file() -> None:
    with opened(WorkerTask(obey, cpu=1), 0.5) as worker:
        with pytest.raises(Busy):
            worker.run("idle")
        worker.timeout = 600
        assert worker.run("next") == "next"


def test_a_task_that_waits_too_long_is_refused_with_a_request_to_retry(
    tmp_path: Path, make_png: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """31: a busy server is no flaw of the file; nothing is stored, and the same file is accepted later."""
    store = Store(str(tmp_path / "store"))
    monkeypatch.setattr(INSPECTION, "patience", 0.05)
    with INSPECTION.queue.turn("another"), pytest.raises(Refused, match=r"^系统繁忙，请稍后重试。$"):
        store.put(io.BytesIO(make_png()), "合同.png", 1 << 20)
    assert list(store.digests()) == []
    assert store.put(io.BytesIO(make_png()), "合同.png", 1 << 20).media_type == "image/png"
