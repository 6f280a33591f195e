"""The two parts of the tests, quick and slow, and where they write."""

import os
from pathlib import Path

import pytest

from tests import ROOT

IN_MEMORY, ROOM = "/dev/shm", 2 << 30  # bytes


def write_in_memory() -> None:
    """Let tests write into memory where there is room: every commit waits for the disk otherwise (several ms)."""
    place = Path(IN_MEMORY)
    if place.is_dir() and os.access(place, os.W_OK):
        found = os.statvfs(place)
        if found.f_bavail * found.f_frsize > ROOM and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", IN_MEMORY)  # where pytest makes tmp_path


# Rooms and files that wait for a browser, a server, other processes, a typesetter, or hundreds of files.
SLOW_PLACES = (
    "browser", "served", "corpus", "bench", "cluster", "models/migrations", "models/signing/test_hardware_token.py",
    "views/certificate", "views/terminal", "test_makefile.py",
)  # fmt: skip
SLOW_FIXTURES = {"postgresql", "on_postgresql", "s3", "page"}  # page: a browser's


# What a browser, a typesetter or the bench does with a page does not depend on the database, nor do the words and
# pictures of a page, the published codes, manifests, mail servers, time stamps and the roles of a route: on SQLite
# alone, but for the stories here; `BOTH=1`: all on both.
ON_SQLITE = (
    "browser", "bench", "models/certificate/test_fonts.py", "models/codes/test_codes.py",
    "views/certificate/test_certificate.py", "views/certificate/test_accessible.py",
    "views/certificate/test_long_term.py", "views/certificate/test_time_stamps.py",
    "views/certificate/test_paper_process.py", "views/certificate/test_pages.py",
    "views/entrance/test_captcha.py", "views/entrance/test_refused_pages.py", "views/entrance/test_routes.py",
    "views/entrance/test_static_files.py",
    "views/screens/test_drawn_acts.py", "views/screens/test_handbook.py", "views/screens/test_help.py",
    "views/screens/test_law.py", "views/screens/test_words_of_acts.py",
    "views/terminal/test_manifests.py", "views/terminal/test_mail_servers.py",
)  # fmt: skip
ON_BOTH = ("browser/test_story.py", "browser/test_case.py", "browser/test_keeping.py", "bench/test_bulk.py")


def is_left_out(item: pytest.Item) -> bool:
    """Whether a test on PostgreSQL is left out of `make test`, because the same one runs on SQLite."""
    assert isinstance(item, pytest.Function)
    place = item.path.relative_to(ROOT / "tests")
    on_one = any(place.is_relative_to(each) for each in ON_SQLITE) and place.as_posix() not in ON_BOTH
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return on_one and given.get("app") == "postgresql" and "BOTH" not in os.environ


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is left out of `make quick`, by its folder or its fixtures."""
    assert isinstance(item, pytest.Function)
    place = item.path.relative_to(ROOT / "tests")
    if any(place.is_relative_to(slow) for slow in SLOW_PLACES):
        return True
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "postgresql" in given or not SLOW_FIXTURES.isdisjoint(item.fixturenames)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make quick` runs one part, and `make test` both, in two runs, because CI refuses a run with skipped tests."""
    parser.addoption("--part", choices=("quick", "slow"), help="run this part of the tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The quick part does not collect the files of the slow one."""
    place = collection_path.relative_to(ROOT / "tests") if collection_path.is_relative_to(ROOT / "tests") else None
    is_read = place is None or not any(place.is_relative_to(slow) for slow in SLOW_PLACES)
    return None if is_read or config.getoption("--part") != "quick" else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark slow tests, and keep the requested part."""
    for item in items:
        if is_slow(item):
            item.add_marker("slow")
    if part := config.getoption("--part"):
        items[:] = [item for item in items if not is_left_out(item)]
        items[:] = [item for item in items if bool(item.get_closest_marker("slow")) is (part == "slow")]
