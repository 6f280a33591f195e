"""What several tests of the models start from."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models import access

Door = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def door(app: Flask) -> Door:
    """`with door() as session:` sees every row, as a deliverer does."""

    @contextmanager
    def opened() -> Iterator[Session]:
        with app.app_context(), access.everything() as session:
            yield session

    return opened
