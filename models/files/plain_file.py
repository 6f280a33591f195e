"""Files that somebody else has put there: opened only when they are plain files, and never through a link."""

import os
import stat
from io import BufferedReader
from pathlib import Path


def open_plain(path: Path) -> BufferedReader | None:
    """The file, to be read and closed; None for a link, a folder, a pipe, and what cannot be opened.

    Raises FileNotFoundError. Of the folders above it nothing is asked.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would wait for its writer
    except FileNotFoundError:
        raise
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    return None
