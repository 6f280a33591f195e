"""The queue in front of a worker process: an owner of many tasks does not delay the others."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest

from models.files.fair_queue import FairQueue, QueueFull, WaitedTooLong


def in_order(queue: FairQueue, owners: list[str]) -> list[str]:
    """The owners in the order in which they were served; all tasks joined while another one ran."""
    served: list[str] = []

    def task(owner: str) -> None:
        with queue.turn(owner):
            served.append(owner)

    with ThreadPoolExecutor(len(owners)) as pool, queue.turn("the one before"):
        for number, owner in enumerate(owners):
            pool.submit(task, owner)
            wait_until(lambda number=number: sum(map(queue.count, set(owners))) == number + 1)
    return served


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        sleep(0.001)


def test_owners_take_turns_regardless_of_their_number_of_tasks() -> None:
    assert in_order(FairQueue(), list("aaaaabbc")) == list("abcabaaa")


def test_tasks_of_one_owner_are_all_done_in_order() -> None:
    queue = FairQueue()
    served: list[int] = []

    def task(number: int) -> None:
        with queue.turn("a"):
            served.append(number)

    with ThreadPoolExecutor(8) as pool, queue.turn("b"):
        for number in range(8):
            pool.submit(task, number)
            wait_until(lambda number=number: queue.count("a") == number + 1)
    assert served == list(range(8))
    assert queue.count("a") == queue.count("b") == 0


def test_the_number_of_tasks_of_an_owner_is_limited() -> None:
    queue = FairQueue(most=2)
    with ThreadPoolExecutor(1) as pool, queue.turn("a"):
        second: Future[Any] = pool.submit(in_turn, queue, "a")
        wait_until(lambda: queue.count("a") == 2)
        with pytest.raises(QueueFull), queue.turn("a"):
            pass
        with pytest.raises(WaitedTooLong), queue.turn("b", 0.01):
            pass
    assert second.result() == "a"
    assert in_turn(queue, "a") == "a"


def in_turn(queue: FairQueue, owner: str) -> str:
    with queue.turn(owner):
        return owner


def test_a_task_that_gave_up_does_not_get_the_turn() -> None:
    """Otherwise the queue would stop for ever."""
    queue = FairQueue()
    with queue.turn("a"):
        with pytest.raises(WaitedTooLong), queue.turn("b", 0.01):
            pass
        assert queue.count("b") == 0
    assert in_turn(queue, "c") == "c"


def test_a_task_that_fails_passes_the_turn_on() -> None:
    queue = FairQueue()
    with pytest.raises(ValueError, match="broken"), queue.turn("a"):
        raise ValueError("broken")
    assert in_turn(queue, "a") == "a"
