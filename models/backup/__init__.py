"""What keeps the register safe: a backup that proves itself, and the broom for leftovers; restoring is its way back."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from flask_babel import gettext as _
from obstore.exceptions import BaseError
from sqlalchemy import URL, Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import clock
from models.application.attachments import Attachment, Store
from models.certificate import Certificate, Paper
from models.database import db, sqlite
from models.people.sessions import SpentChallenge, Visit
from models.people.signin_failures import SigninFailure
from models.workflow import Refused

# Every column that names kept bytes, and the one people know them by: a backup looks for them, a sweep spares them.
NUMBER = select(Certificate.number).where(Certificate.id == Paper.certificate_id).scalar_subquery()
NAMED = ((Attachment.digest, Attachment.name), (Paper.digest, NUMBER))
SHELVES = [f"{number:02x}" for number in range(256)]
MANIFEST, DATABASE, FILES = "manifest.json", "database", "store"
VERSION = "alembic_version"
SETTLED = timedelta(days=1)  # bytes older than this belong to a row by now, or to nobody
ANSWERED = timedelta(hours=1)  # a 验证码 lives for minutes
KEPT = timedelta(days=180)  # 网络安全法 第二十一条: logs are kept for six months at least


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def back_up(session: Session, store: Store, destination: Path) -> tuple[int, list[str]]:
    """Write database, files and manifest; tell the number of parts, and the attachments whose bytes are lost."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise Refused(_("“%(path)s”已有内容，请另选一个空文件夹。", path=destination))
    with in_a_sentence(_("备份没有完成。")):
        return _back_up(session, store, destination)


def _back_up(session: Session, store: Store, destination: Path) -> tuple[int, list[str]]:
    store.check()
    destination.mkdir(parents=True, exist_ok=True)
    known = named(session)
    _dump(db.engine, destination / DATABASE)
    for digest in store.kept():  # after the database: bytes are always kept before their row
        kept = destination / FILES / digest[:2] / digest
        kept.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError), store.open(digest) as content, kept.open("wb") as file:  # swept meanwhile
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
    os.sync()
    (destination / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return len(parts), lost(known, parts)


def _schema(engine: Engine) -> str | None:
    """The last migration that this database has seen."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def named(session: Session) -> dict[str, str]:
    """Every digest the register names, with a file name that people know it by."""
    named = {digest: name for columns in NAMED for digest, name in session.execute(select(*columns))}
    session.rollback()
    return named


def lost(known: dict[str, str], parts: dict[str, str]) -> list[str]:
    """The names of files that the register knows and the parts of a backup lack."""
    return sorted(name for digest, name in known.items() if parts.get(f"{FILES}/{digest[:2]}/{digest}") != digest)


def _dump(engine: Engine, file: Path) -> None:
    if engine.dialect.name == "postgresql":
        run(engine, "pg_dump", "--format=custom", f"--file={file}")
        return
    with closing(sqlite_file(engine)) as source, closing(sqlite.library.connect(file)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, readable where nothing may be written
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Refused(_("数据库未通过完整性检查，备份没有完成，请先检查磁盘。"))


def sqlite_file(engine: Engine) -> Any:
    """The database file, opened past SQLAlchemy."""
    return sqlite.library.connect(str(engine.url.database), timeout=30)


def run(engine: Engine, program: str, *arguments: str, connects: bool = True) -> None:
    """A program of PostgreSQL on this database; the password goes by the environment, unseen in the process list."""
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


@contextmanager
def in_a_sentence(state: str, begun: bool = True) -> Iterator[None]:
    """Errors of disk, database and store become a Refused that ends with `state`: what that means for the register.

    A refusal stays as it is as long as the work has not `begun`.
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


def missing(session: Session, store: Store) -> list[str]:
    """The names of files that the register knows and the store lacks; asked shelf by shelf. Changes nothing."""
    store.check()
    found: list[str] = []
    for shelf in SHELVES:
        kept = set(store.kept(shelf))
        for digest, name in NAMED:
            known = session.execute(select(digest, name).where(digest.startswith(shelf)).distinct())
            found += [name for digest_, name in known if digest_ not in kept]
    session.rollback()
    return sorted(found)


def sweep(session: Session, store: Store) -> dict[str, int]:
    """Remove what nobody needs any more, and commit; what the register names is never touched."""
    store.check()  # of a store that is away nobody knows what it holds
    moment = clock.now()
    ended = func.coalesce(Visit.ended_at, Visit.seen_at)
    answers: Any = session.execute(delete(SpentChallenge).where(SpentChallenge.spent_at < moment - ANSWERED))
    visits: Any = session.execute(delete(Visit).where(ended < moment - KEPT))
    failures: Any = session.execute(delete(SigninFailure).where(SigninFailure.at < moment - KEPT))
    session.commit()
    before = moment - SETTLED
    return {
        _("无主文件"): sum(store.remove(digest, before) for digest in _orphans(session, store)),
        _("未传完的文件"): store.clear(before),
        _("验证码记录"): answers.rowcount,
        _("登录记录"): visits.rowcount + failures.rowcount,
    }


def _orphans(session: Session, store: Store) -> Iterator[str]:
    """Kept bytes that no row names; asked shelf by shelf, for there may be millions."""
    for shelf in SHELVES:
        asked = (select(digest).where(digest.startswith(shelf)) for digest, _name in NAMED)
        named = {digest for statement in asked for digest in session.scalars(statement)}
        yield from (digest for digest in store.kept(shelf) if digest not in named)
