"""Durable writes to the file system."""

import os
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Fsync a folder: its entries are durable. Raises OSError; not every file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
