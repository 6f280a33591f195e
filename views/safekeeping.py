"""What keeps the register safe: a backup that proves itself, its way back, and the broom for leftovers."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_babel import gettext as _
from sqlalchemy import URL, Engine, MetaData, Table, delete, func, inspect, literal, select, table
from sqlalchemy.orm import Session

from models import clock, sqlite
from models.attachments import Attachment, Store
from models.certificate import Certificate, Paper
from models.codes import District
from models.db import db, migrate
from models.signin_failures import SigninFailure
from models.visits import SpentChallenge, Visit
from models.workflow import Refused

# Every column that names kept bytes, and the one people know them by: a backup looks for them, a sweep spares them.
NUMBER = select(Certificate.number).where(Certificate.id == Paper.certificate_id).scalar_subquery()
NAMED = ((Attachment.digest, Attachment.name), (Paper.digest, NUMBER))
SHELVES = [f"{number:02x}" for number in range(256)]
MANIFEST, DATABASE, FILES = "manifest.json", "database", "store"
VERSION = "alembic_version"
SHIPPED = {District.__tablename__, VERSION}  # filled by `upgrade`: a register with these alone is empty
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
    destination.mkdir(parents=True, exist_ok=True)
    named = _named(session)
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
    }
    manifest["parts"] = parts
    os.sync()
    (destination / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return len(parts), _lost(named, parts)


def _schema(engine: Engine) -> str | None:
    """The last migration that this database has seen."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _named(session: Session) -> dict[str, str]:
    """Every digest the register names, with a file name that people know it by."""
    named = {digest: name for columns in NAMED for digest, name in session.execute(select(*columns))}
    session.rollback()
    return named


def _lost(named: dict[str, str], parts: dict[str, str]) -> list[str]:
    return sorted(name for digest, name in named.items() if parts.get(f"{FILES}/{digest[:2]}/{digest}") != digest)


def _dump(engine: Engine, file: Path) -> None:
    if engine.dialect.name == "postgresql":
        _run(engine, "pg_dump", "--format=custom", f"--file={file}")
        return
    with closing(_sqlite(engine)) as source, closing(sqlite.library.connect(file)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, readable where nothing may be written
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Refused(_("数据库未通过完整性检查，备份没有完成，请先检查磁盘。"))


def _sqlite(engine: Engine) -> Any:
    return sqlite.library.connect(str(engine.url.database), timeout=30)


def _run(engine: Engine, program: str, *arguments: str) -> None:
    """A program of PostgreSQL on this database; the password goes by the environment, unseen in the process list."""
    url = engine.url
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    command = [program, "--no-owner", "--no-privileges", f"--dbname={address.render_as_string()}", *arguments]
    try:
        done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True)
    except FileNotFoundError:
        raise Refused(_("没有找到 %(program)s，请先安装 postgresql-client。", program=program)) from None
    if done.returncode:
        raise Refused(_("%(program)s 没有完成：%(why)s", program=program, why=done.stderr.strip()))


def restore(session: Session, source: Path, store: Store) -> tuple[int, list[str]]:
    """Put a backup, of this release or a former one, into an empty register; tells what `back_up` tells.

    The manifest is proved first; the database is brought to the present schema.
    """
    manifest = _proved(source)
    if manifest["database"] != db.engine.dialect.name:
        raise Refused(_("备份来自 %(kind)s，请恢复到同类数据库。", kind=manifest["database"]))
    known = {step.revision for step in ScriptDirectory(str(migrate.directory)).walk_revisions()}
    if manifest.get("schema") not in known | {None}:  # None: made before backups told it
        raise Refused(_("备份来自更新的版本（%(schema)s），请先升级本系统，再恢复。", schema=manifest["schema"]))
    if filled := _filled(db.engine):
        raise Refused(_("当前数据库已有数据（%(tables)s），请恢复到空数据库。", tables="、".join(filled)))
    db.drop_all()
    Table(VERSION, MetaData()).drop(db.engine, checkfirst=True)
    db.engine.dispose()
    _load(db.engine, source / DATABASE)
    flask_migrate.upgrade()
    for name in manifest["parts"]:
        if name.startswith(f"{FILES}/"):
            store.keep((source / name).read_bytes())
    return len(manifest["parts"]), _lost(_named(session), manifest["parts"])


def _proved(source: Path) -> dict[str, Any]:
    """The manifest, when every part it names is there and is what it was."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Refused(_("“%(path)s”中没有备份清单，不是完整的备份，不能恢复。", path=source)) from None
    for name, digest in manifest["parts"].items():
        if not (source / name).is_file() or digest_of(source / name) != digest:
            raise Refused(_("备份中的“%(name)s”缺失或与清单不符，没有恢复任何内容。", name=name))
    return manifest


def _filled(engine: Engine) -> list[str]:
    """The tables that hold somebody's rows."""
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name not in SHIPPED]
        return [name for name in names if connection.scalar(select(literal(1)).select_from(table(name)).limit(1))]


def _load(engine: Engine, file: Path) -> None:
    if engine.dialect.name == "postgresql":
        _run(engine, "pg_restore", "--clean", "--if-exists", "--single-transaction", str(file))
        return
    address = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite.library.connect(address, uri=True)) as source, closing(_sqlite(engine)) as target:
        source.backup(target)


def sweep(session: Session, store: Store) -> dict[str, int]:
    """Remove what nobody needs any more, and commit; what the register names is never touched."""
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
