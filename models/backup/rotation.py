"""Rotation of backups: keeps the newest of each of the last days, weeks and months that have one."""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from flask_babel import gettext as _

from models.backup import MANIFEST, UNCHECKED
from models.files.durable import flush_folder
from models.workflow import Refused

NAME = "%Y-%m-%dT%H%M%S"  # of the folder of one backup, Beijing time
REJECTED = "manifest-rejected.json"  # the manifest of a backup that has not passed its check
MOST_REJECTED = 3  # of those, the newest that stay
LOCK = ".backup-lock"  # a file in the folder of the backups
FORM = re.compile(r"\d{4}-\d\d-\d\dT\d{6}")
PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar()[:2]),
    "monthly": lambda at: (at.year, at.month),
}


def parse(text: str) -> dict[str, int]:
    """`daily=7,weekly=5,monthly=12` → period → how many; raises Refused."""
    pairs = [part.strip().partition("=") for part in text.split(",")]
    if any(name not in PERIODS or not count.isdecimal() or int(count) < 1 for name, _equals, count in pairs):
        raise Refused(_("--keep 应如 daily=7,weekly=5,monthly=12，可以只写其中几项。"))
    return {name: int(count) for name, _equals, count in pairs}


def to_keep(moments: list[datetime], keep: dict[str, int]) -> set[datetime]:
    """The moments of the backups to keep, always including the newest."""
    retained = set(sorted(moments)[-1:])
    for name, most in keep.items():
        newest: dict[tuple[int, ...], datetime] = {}
        for at in sorted(moments):
            newest[PERIODS[name](at)] = at
        retained |= set(sorted(newest.values())[-most:])
    return retained


def backups(folder: Path, complete: bool = True) -> dict[datetime, Path]:
    """Start → folder of every complete backup in `folder`, or of every unfinished one; other entries are ignored."""
    there = (path for path in folder.glob("*") if FORM.fullmatch(path.name) and not (path / REJECTED).is_file())
    return {datetime.strptime(path.name, NAME): path for path in there if (path / MANIFEST).is_file() == complete}


def accept(place: Path) -> None:
    """Rename the manifest of a backup that has passed its check: from now on it is one."""
    (place / UNCHECKED).rename(place / MANIFEST)
    with suppress(OSError):  # not every file system can; after a power failure the backup is then unfinished
        flush_folder(place)


def reject(place: Path) -> None:
    """Rename the manifest of a backup that has not passed its check: it is none, but stays.

    It may be the only trace of a failing disk, or of a table that lost rows.
    """
    (place / UNCHECKED).rename(place / REJECTED)


def rejected(folder: Path) -> list[Path]:
    """The folders of reject() in `folder`, oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{REJECTED}") if FORM.fullmatch(path.parent.name))


def delete_old_rejected(folder: Path) -> int:
    """Before a new backup: delete the folders of reject() but the newest, so that MOST_REJECTED stay if it fails, too.

    Returns their number; a backup that has passed its check is never among them.
    """
    old = rejected(folder)[: 1 - MOST_REJECTED]
    for path in old:
        with suppress(OSError):  # then it stays, see _delete()
            (path / REJECTED).unlink()  # first: what an interrupted deletion leaves is unfinished
    return _delete(path for path in old if not (path / REJECTED).exists())


def _delete(folders: Iterable[Path]) -> int:
    """Delete these; returns how many are gone. Another person's, or one on a failing disk, prevents no backup."""
    there = [*folders]
    for path in there:
        shutil.rmtree(path, ignore_errors=True)
    return sum(not path.exists() for path in there)


def assert_checked(folder: Path) -> None:
    """Raises Refused for a backup that has not passed its check, with the way to restore it nevertheless."""
    if (folder / MANIFEST).exists():
        return
    for old, why in ((REJECTED, _("没有通过核对")), (UNCHECKED, _("没有做完核对"))):
        if (folder / old).is_file():
            names = {"path": folder, "why": why, "old": old, "new": MANIFEST}
            raise Refused(_("“%(path)s”%(why)s，不能恢复；仍要恢复，请自担风险，将 %(old)s 改名为 %(new)s。", **names))


@contextmanager
def making(folder: Path) -> Iterator[int | None]:
    """Hold a shared lock while a backup is made in `folder`; yields its file. It ends with the process, too.

    None: the lock is another person's. Like a file system without locks, that prevents no backup.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = None
    with suppress(OSError):
        lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
    try:
        yield lock
    finally:
        if lock is not None:
            os.close(lock)


def delete_unfinished(folder: Path, lock: int | None) -> int:
    """Before a new backup: delete what has no manifest, left by an interrupted backup or deletion; returns the number.

    `lock`: of making(). Nothing is deleted without it, or while another backup is made.
    """
    if lock is None:
        return 0
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _delete(backups(folder, complete=False).values())
    except OSError:
        return 0
    finally:
        fcntl.flock(lock, fcntl.LOCK_SH)  # again, also after an attempt that failed, which gives up the former lock


def rotate(folder: Path, keep: dict[str, int]) -> int:
    """Delete the backups that `keep` does not include; returns their number.

    The manifest is deleted first, so that an interrupted deletion leaves no backup that looks complete.
    """
    there = backups(folder)
    expired = [there[at] for at in sorted(set(there) - to_keep(list(there), keep))]
    for path in expired:
        (path / MANIFEST).unlink()
        shutil.rmtree(path)
    return len(expired)


def newest(folder: Path) -> Path:
    """The newest backup in a folder, or the folder itself if it is one; raises Refused when there is none."""
    if (folder / MANIFEST).is_file():
        return folder
    there = backups(folder)
    if not there:
        assert_checked(folder)
        raise Refused(_("“%(path)s”中没有备份。", path=folder))
    return there[max(there)]
