"""Files as they are put into a store."""

import io
from datetime import timedelta

from models import clock
from models.application.attachments import Store

MANY = 20 << 20


def put(store: Store, content: bytes, name: str = "文件.pdf", limit: int = MANY) -> str:
    """Put a file into the store; returns the media type that was found. Raises Refused as the store does."""
    return store.put(io.BytesIO(content), name, limit).media_type


def stored_digests(store: Store) -> list[str]:
    """Every digest in the store; asserts that no incomplete file is left."""
    assert store.delete_leftovers(clock.now() + timedelta(days=1)) == 0
    return list(store.digests())
