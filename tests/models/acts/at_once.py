"""Work done at once, by threads with sessions of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from models.workflow import Refused

Work = Callable[[], object]


def at_once(*works: Work) -> list[object]:
    """Run each in a thread of its own, started together. Their results, or the Refused that they raised."""
    gate = threading.Barrier(len(works))

    def run(work: Work) -> object:
        gate.wait(timeout=30)
        try:
            return work()
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(works)) as threads:
        return [done.result(timeout=90) for done in [threads.submit(run, work) for work in works]]
