"""Backup of database and files with a manifest of SHA-256 sums, and clean-up of data that is no longer needed."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from obstore.exceptions import BaseError
from sqlalchemy import URL, Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.application.attachments import Attachment, Store
from models.application.blank_forms import BlankForm
from models.certificate import Certificate, Paper
from models.database import db, sqlite
from models.notifications import Notification
from models.notifications.letters import MailLetter
from models.people import portal_visits
from models.people.sessions import Visit
from models.people.signin_failures import SigninFailure
from models.people.spent_challenges import SpentChallenge
from models.workflow import Refused

NUMBER = select(Certificate.number).where(Certificate.id == Paper.certificate_id).scalar_subquery()
# (digest, display name) of every column that refers to a stored file: expected in a backup, kept by a sweep.
FILE_COLUMNS = ((Attachment.digest, Attachment.name), (BlankForm.digest, BlankForm.name), (Paper.digest, NUMBER))
PREFIXES = [f"{number:02x}" for number in range(256)]
MANIFEST, DATABASE, FILES = "manifest.json", "database", "store"
UNCHECKED = "manifest-unchecked.json"  # the manifest until the check has passed: a killed check leaves no backup
VERSION = "alembic_version"
ORPHAN_AGE = timedelta(days=1)  # files are stored before their row is committed: a younger one may get a row yet
CHALLENGE_AGE = timedelta(hours=1)  # a 验证码 lives for minutes
MESSAGE_AGE = timedelta(days=730)  # of notifications; the applications and their trails stay
LOG_RETENTION = timedelta(days=180)  # 网络安全法 第二十一条: logs are kept for six months at least


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def back_up(session: Session, store: Store, destination: Path) -> tuple[int, list[str]]:
    """Write database, files and the manifest, still as UNCHECKED; (number of parts, names of missing or damaged files).

    Raises Refused. Rolls back.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise Refused(_("“%(path)s”已有内容，请另选一个空文件夹。", path=destination))
    with errors_as_refusals(_("备份没有完成。")):
        return _back_up(session, store, destination)


def _back_up(session: Session, store: Store, destination: Path) -> tuple[int, list[str]]:
    store.check()
    destination.mkdir(parents=True, exist_ok=True)
    expected = known_files(session)
    _dump(db.engine, destination / DATABASE)
    for digest in store.digests():  # after the database: a file is always stored before its row
        copy = destination / FILES / digest[:2] / digest
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (
            suppress(FileNotFoundError),  # swept meanwhile
            store.open_unchecked(digest) as content,
            copy.open("wb") as file,
        ):
            shutil.copyfileobj(content, file)
    files = (path for path in sorted(destination.rglob("*")) if path.is_file())
    parts = {path.relative_to(destination).as_posix(): digest_of(path) for path in files}
    manifest: dict[str, Any] = {
        "made_at": clock.now().isoformat(),
        "database": db.engine.dialect.name,
        "schema": _schema(db.engine),
        "store": store.identity(),
    }
    manifest["parts"] = parts
    (destination / UNCHECKED).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    os.sync()
    return len(parts), lost_files(expected, parts)


def _schema(engine: Engine) -> str | None:
    """Revision of the last migration, or None."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_files(session: Session) -> dict[str, str]:
    """Digest → display name of every file that the database refers to. Rolls back."""
    files = {digest: name for columns in FILE_COLUMNS for digest, name in session.execute(select(*columns))}
    session.rollback()
    return files


def lost_files(expected: dict[str, str], parts: dict[str, str]) -> list[str]:
    """The names in `expected` (digest → name) whose file is missing or damaged in `parts` (path → digest)."""
    return sorted(name for digest, name in expected.items() if parts.get(f"{FILES}/{digest[:2]}/{digest}") != digest)


def _dump(engine: Engine, file: Path) -> None:
    if engine.dialect.name == "postgresql":
        run(engine, "pg_dump", "--format=custom", f"--file={file}")
        return
    with closing(sqlite_connection(engine)) as source, closing(sqlite.library.connect(file)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # a single file, readable on a read-only medium
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Refused(_("数据库未通过完整性检查，备份没有完成，请先检查磁盘。"))


def sqlite_connection(engine: Engine) -> Any:
    """A connection of the SQLite library to the file of this engine, without SQLAlchemy."""
    return sqlite.library.connect(str(engine.url.database), timeout=30)


def run(engine: Engine, program: str, *arguments: str, connects: bool = True) -> str:
    """Output of a program of PostgreSQL; raises Refused. The password is in its environment, not its command line."""
    url = engine.url
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    target = ["--no-owner", "--no-privileges", f"--dbname={address.render_as_string()}"] if connects else []
    command = [program, *target, *arguments]
    try:
        done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True)
    except FileNotFoundError:
        raise Refused(_("没有找到 %(program)s，请先安装 postgresql-client。", program=program)) from None
    if done.returncode:
        raise Refused(_("%(program)s 没有完成：%(why)s", program=program, why=done.stderr.strip()))
    return done.stdout


@contextmanager
def errors_as_refusals(state: str, begun: bool = True) -> Iterator[None]:
    """Turn errors of disk, database and store into a Refused that ends with the sentence `state`.

    `begun`: a Refused gets that sentence too.
    """
    try:
        yield
    except Refused as refused:
        raise Refused(f"{refused}{state}" if begun else str(refused)) from refused
    except OSError as broken:
        raise Refused(_("读写失败：%(why)s。", why=broken.strerror or broken) + state) from broken
    except (SQLAlchemyError, sqlite.library.Error, BaseError) as broken:
        why = str(getattr(broken, "orig", broken)).strip().splitlines() or [type(broken).__name__]
        raise Refused(_("操作失败：%(why)s。", why=why[0]) + state) from broken


def missing_files(session: Session, store: Store) -> list[str]:
    """The names of files that the database refers to and that are missing or damaged in the store; reads every file.

    Works by prefix: there may be millions. Rolls back.
    """
    store.check()
    found: list[str] = []
    for prefix in PREFIXES:
        stored = {digest for digest in store.digests(prefix) if store.is_intact(digest)}
        for digest, name in FILE_COLUMNS:
            expected = session.execute(select(digest, name).where(digest.startswith(prefix)).distinct())
            found += [name for digest_, name in expected if digest_ not in stored]
    session.rollback()
    return sorted(found)


def sweep(session: Session, store: Store) -> Iterator[tuple[str, int]]:
    """Delete old records of people, orphaned files and interrupted uploads. Commits; raises StoreUnusable and OSError.

    Yields (label, count) after each part, the count of a label in several parts: a sweep that fails has done those.
    """
    store.check()  # not on an unregistered or unreachable store
    moment = clock.now()
    yield from _delete_records(session, moment).items()
    before = moment - ORPHAN_AGE
    yield _("无主文件"), 0
    for digest in _orphans(session, store):
        yield _("无主文件"), int(store.remove(digest, before))
    yield _("未传完的文件"), store.delete_leftovers(before)


def _delete_records(session: Session, moment: datetime) -> dict[str, int]:
    """Delete the records of people that are too old at that moment, and commit: label → count."""
    over = func.coalesce(Visit.ended_at, Visit.seen_at) < moment - LOG_RETENTION
    answers: Any = session.execute(delete(SpentChallenge).where(SpentChallenge.spent_at < moment - CHALLENGE_AGE))
    portal_visits.delete_old(session, moment - CHALLENGE_AGE, over)
    visits: Any = session.execute(delete(Visit).where(over))
    letters: Any = session.execute(delete(MailLetter).where(MailLetter.queued_at < moment - LOG_RETENTION))
    messages: Any = session.execute(delete(Notification).where(Notification.at < moment - MESSAGE_AGE))
    failures: Any = session.execute(delete(SigninFailure).where(SigninFailure.at < moment - LOG_RETENTION))
    session.commit()
    return {
        _("验证码记录"): answers.rowcount,
        _("登录记录"): visits.rowcount + failures.rowcount,
        _("消息"): messages.rowcount,
        _("邮件"): letters.rowcount,
    }


def _orphans(session: Session, store: Store) -> Iterator[str]:
    """Digests of stored files without a row. Works by prefix: there may be millions."""
    for prefix in PREFIXES:
        asked = (select(digest).where(digest.startswith(prefix)) for digest, _name in FILE_COLUMNS)
        expected = {digest for statement in asked for digest in session.scalars(statement)}
        yield from (digest for digest in store.digests(prefix) if digest not in expected)
