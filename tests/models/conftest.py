"""Fixtures for tests of the models."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models import access
from models.files.flaws import Flawed
from models.files.inspection import inspect_file

Verdict = Callable[[bytes], str]
SystemSession = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def system_session(app: Flask) -> SystemSession:
    """`with system_session() as session:` sees every row, as a deliverer does."""

    @contextmanager
    def opened() -> Iterator[Session]:
        with app.app_context(), access.everything() as session:
            yield session

    return opened


@pytest.fixture
def verdict(tmp_path: Path) -> Verdict:
    """`verdict(content)`: the media type of these bytes, or the flaw, as the worker process reports it."""

    def verdict_of(content: bytes) -> str:
        path = tmp_path / "file"
        path.write_bytes(content)
        try:
            return inspect_file(path)
        except Flawed as flawed:
            return str(flawed.args[0])

    return verdict_of
