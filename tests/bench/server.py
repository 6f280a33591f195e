"""Memory and start-up time of a server, and the speed of exports; in `make bench` below the table."""

import csv
import io
import tempfile
from pathlib import Path
from time import perf_counter

from flask import Flask

from tests.bench.addresses import busiest
from tests.bench.table import Line
from tests.bench.writes import family
from tests.browsing import signed_in
from tests.serving import serving

VISITED = ("/register/", "/statistics/", "/desk/", "/register/?title=花")
EXPORTED = "/register/export/csv/?status=revoked"  # one in a hundred


def exported(app: Flask) -> Line:
    """Milliseconds for each thousand rows of the nation's export."""
    name = next(account for who, account, _pages in busiest(app) if who == "nation")
    browser = signed_in(app, name)
    browser.get(EXPORTED)  # modules that are imported at first use
    began = perf_counter()
    text = browser.get(EXPORTED).text
    took = perf_counter() - began
    rows = sum(1 for _row in csv.reader(io.StringIO(text))) - 1
    assert rows > 0, text[:200]
    return Line(f"导出 CSV, a thousand rows (of {rows:,})", 1e6 * took / rows, None, "", None, None, None)


def resource_use(app: Flask) -> str:
    """A sentence: how long gunicorn takes to start, and the memory of its processes after some pages of the nation."""
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        with serving(app, Path(folder)) as server:
            start = perf_counter() - began
            client = server.client("national")
            for _turn in range(3):
                for address in VISITED:
                    assert client.get(address).status == 200, address
            first, *workers = (megabytes(pid) for pid in family(server.process.pid))
    each = ", ".join(f"{size:.0f}" for size in workers)
    return f"gunicorn answers after {start:.1f} s; memory {first:.0f} MB, its processes {each} MB (shares counted once)"


def megabytes(pid: int) -> float:
    """Proportional set size (PSS) of a process: shared pages are divided among the processes that share them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
