"""Opens files from untrusted folders: only regular files, and never through a symbolic link."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_plain(path: Path) -> BufferedReader | None:
    """The file opened for reading; None for a link, a folder, a pipe, or a file that cannot be opened.

    Raises FileNotFoundError. Folders above the file may be links.
    """
    try:
        return _open(path)
    except FileNotFoundError:
        raise
    except OSError:
        return None


def open_regular(path: Path) -> BufferedReader:
    """As open_plain(), but raises FileNotFoundError for anything but a regular file, and OSError for other failures."""
    file = None
    try:
        file = _open(path)
    except OSError as broken:
        if broken.errno != errno.ELOOP:  # a link
            raise
    if file is None:
        raise FileNotFoundError(errno.ENOENT, "not a regular file", str(path))
    return file


def _open(path: Path) -> BufferedReader | None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would wait for its writer
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    return None
