"""What row-level security costs on PostgreSQL: `python -m tests.bench.row_security [N]`, N applications (10,000).

The same pages of lists on the same rows, in turn by the owner of the tables and by a login under row-level security.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

import psycopg

from app import create_app
from tests.apps import POSTGRESQL, settings_of
from tests.apps import new_database as database
from tests.bench.addresses import busiest, visitor
from tests.bench.lists import filled, timed
from tests.row_security import login_under_row_security

ROUNDS = 3


def run(count: int) -> None:
    """One line a page: milliseconds without, with, and the ratio; the median of all ratios at the end."""
    ratios = []
    with (
        tempfile.TemporaryDirectory() as name,
        psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True) as server,
        database(server, "filing_bench_row_security") as address,
    ):
        folder = Path(name)
        open_ = filled(address, folder, count)
        with login_under_row_security(server, address) as own:
            restricted = create_app(settings_of(own, folder))
            print(f"{count:,} applications{'owner ms':>30}{'login ms':>12}{'ratio':>8}")
            for who, username, pages in busiest(open_):
                browsers = visitor(open_, who, username), visitor(restricted, who, username)
                for page, where in pages.items():
                    turns = [[timed(browser, where)[0] for browser in browsers] for _round in range(ROUNDS)]
                    without, behind = (median(column) for column in zip(*turns, strict=True))
                    ratios.append(behind / without)
                    print(f"{who + ': ' + page:42}{without:8.1f}{behind:12.1f}{ratios[-1]:8.2f}", flush=True)
    print(f"median ratio {median(ratios):.2f}, largest {max(ratios):.2f}")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
