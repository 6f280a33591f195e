"""The public keys of check codes and the trusted roots in the folder of keys, read again when a file is replaced.

A file that the disk does not give is left out and logged, and tried again by the next call; the others still count.
Likewise a folder that cannot be listed: nothing is found in it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from models.signing import check_code
from models.signing.check_code import PublicKey

log = logging.getLogger(__name__)
MOST_FILES = 512  # remembered: current and former keys of all provinces
KEY_FILES = {".p12", ".key", ".token", ".pub", ".crt"}
FileStats = frozenset[tuple[str, int, int, int]]  # name, inode, mtime (ns), size: changes when a file is replaced
Found = TypeVar("Found")


def roots_in(folder: Path) -> tuple[list[x509.Certificate], bool]:
    """The root certificates, and whether all could be read."""
    return _of_each(folder, ".crt", _roots)


def code_keys_in(folder: Path) -> tuple[list[tuple[str, PublicKey]], bool]:
    """(province of six digits, public key) of every key of check codes, current and former; whether all could be read.

    What no known key has signed is only then forged.
    """
    return _of_each(folder, ".pub", _code_keys)


def file_stats(folder: Path) -> FileStats:
    """Cache key of what is read from the folder. Raises OSError when it cannot be listed."""
    return frozenset(_stats_in(folder))


def _stats_in(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """One entry for each key file; none for revocation lists, which change every day, or for unfinished downloads."""
    for file in _listed(folder, KEY_FILES):
        with suppress(FileNotFoundError):  # replaced at this moment
            yield _stats_of(file)


def _stats_of(file: Path) -> tuple[str, int, int, int]:
    stat = file.stat()
    return file.name, stat.st_ino, stat.st_mtime_ns, stat.st_size


def _listed(folder: Path, kinds: set[str]) -> list[Path]:
    """The files of these kinds, by name; none if there is no folder. By iterdir(): glob() hides a PermissionError."""
    return sorted(file for file in folder.iterdir() if file.suffix in kinds) if folder.is_dir() else []


def _of_each(folder: Path, kind: str, read: Callable[[Path, FileStats], list[Found]]) -> tuple[list[Found], bool]:
    found: list[Found] = []
    try:
        files = _listed(folder, {kind})
    except OSError as why:
        log.warning("the keys in %s are left out: %s", folder, why)
        return found, False
    complete = bool(files)
    for file in files:
        try:
            found += read(file, frozenset([_stats_of(file)]))
        except OSError as why:
            log.warning("%s is left out: %s", file, why)
            complete = False
    return found, complete


@lru_cache(MOST_FILES)
def _roots(file: Path, _file_stats: FileStats) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (ValueError, x509.InvalidVersion) as why:
        log.warning("%s is left out: %s", file, why)
        return []


@lru_cache(MOST_FILES)
def _code_keys(file: Path, _file_stats: FileStats) -> list[tuple[str, PublicKey]]:
    return check_code.public_keys_in(file)
