"""An empty store, in a folder and in a bucket."""

import pytest

from models.application.attachments import Store


@pytest.fixture
def store(address: str) -> Store:
    return Store(address)
