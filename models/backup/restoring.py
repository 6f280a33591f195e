"""Restore of a backup: files first, then the database, which is marked as unfinished from the first step to the last.

While marked (models/backup/unfinished_restore.py), the server does not start and every command but `restore` is
refused. An interrupted restore is repeated from the beginning; files already in the store stay.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import flask_migrate
from alembic.script import ScriptDirectory
from flask_babel import gettext as _
from sqlalchemy import Engine, Row, create_engine, insert, inspect, literal, select, table, update
from sqlalchemy.orm import Session

from models import clock, deadlines
from models.application.attachments import Store
from models.backup import (
    DATABASE,
    FILES,
    MANIFEST,
    VERSION,
    errors_as_refusals,
    known_files,
    lost_files,
    postgresql_dump,
    registered_store,
    restore_lock,
    sqlite_connection,
    unfinished_restore,
)
from models.backup.registered_store import RegisteredStore
from models.backup.rotation import assert_checked
from models.customs import hold
from models.database import db, migrate, search, sqlite
from models.files.plain_file import open_plain
from models.notifications import letters
from models.workflow import Refused

PART = re.compile(rf"{DATABASE}|{FILES}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})")
DIGEST, IDENTITY, WORD = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}"), re.compile("[0-9a-z]{1,32}")
# Tables that `upgrade`, a deliverer or any command fills: a database with rows in no other table counts as empty.
SHIPPED = {
    "district", "calendar_day", "calendar_year", "province_settings", "log_entry", "log_seal", "registered_store",
    "heartbeat", VERSION, unfinished_restore.NAME,
}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """manifest.json: kind of database, schema revision (None: old backup), part → SHA-256, store's identity or None."""

    database: str
    schema: str | None
    parts: dict[str, str]
    store: str | None


def restore(session: Session, source: Path, store: Store) -> tuple[int, list[str]]:
    """Restore a backup of this or a former release into an empty database; returns the same as `back_up`. Commits.

    Raises Refused, also while another restore runs. A failure before the mark changes nothing; after it, run it again.
    """
    with restore_lock.hold(db.engine):
        return _restore(session, source, store)


def _restore(session: Session, source: Path, store: Store) -> tuple[int, list[str]]:
    with errors_as_refusals(_("没有恢复任何内容。"), begun=False):
        manifest = verified_manifest(source)
        _check_that_it_fits(manifest, source)
        identity = _check_target(session, manifest, store)
        _set_mark(db.engine, identity)
    with errors_as_refusals(_("恢复没有完成，系统暂不能使用。请排除原因后重新运行 restore。")):
        store.expected = lambda: identity
        store.set_identity(identity, replace=True)
        _restore_files(manifest, source, store)
        _restore_database(db.engine, source / DATABASE)
        flask_migrate.upgrade()
        deadlines.prepare(session)  # a backup of a former release may have no due dates
        letters.skip_unsent(session)
        unfinished_restore.log_failures(session)
        hold.begin_and_commit(session)
        _finish(db.engine, identity)
    return len(manifest.parts), lost_files(known_files(session), manifest.parts)


def verified_manifest(source: Path, name: str = MANIFEST) -> Manifest:
    """The manifest in the file `name`; raises Refused unless every part is a regular file with the stated SHA-256."""
    manifest = _read_manifest(source, name)
    for part, digest in manifest.parts.items():
        with _part(source, part) as file:
            if file is None or hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise Refused(_("备份中的“%(name)s”缺失或与清单不符，没有恢复任何内容。", name=part))
    return manifest


def _read_manifest(source: Path, name: str) -> Manifest:
    try:
        with _part(source, name) as file:
            content = json.loads(file.read()) if file else None
    except (ValueError, RecursionError):
        content = None
    if content is None:
        assert_checked(source)
        raise Refused(_("“%(path)s”中没有备份清单，不是完整的备份，不能恢复。", path=source))
    match content:
        case {"database": str(kind), "parts": dict(parts)} if _are_parts(parts) and WORD.fullmatch(kind):
            schema, store = content.get("schema"), content.get("store")
            if _matches(schema, WORD) and _matches(store, IDENTITY):
                return Manifest(kind, schema, parts, store)
    raise Refused(_("“%(path)s”中的备份清单不符合格式，不能恢复。", path=source))


def _matches(content: Any, form: re.Pattern[str]) -> bool:
    return content is None or (isinstance(content, str) and form.fullmatch(content) is not None)


def _are_parts(parts: dict[Any, Any]) -> bool:
    """Whether all names have the form that `back_up` writes, so that none leads out of the backup."""
    return DATABASE in parts and all(
        isinstance(name, str) and PART.fullmatch(name) and isinstance(digest, str) and DIGEST.fullmatch(digest)
        for name, digest in parts.items()
    )


@contextmanager
def _part(source: Path, name: str) -> Iterator[BufferedReader | None]:
    """A file of the backup; None if it is missing, not a regular file, or reached through a link."""
    folders = [source / Path(*Path(name).parts[:depth]) for depth in range(1, len(Path(name).parts))]
    if any(folder.is_symlink() for folder in folders):
        yield None
        return
    try:
        file = open_plain(source / name)
    except OSError:
        file = None
    if file is None:
        yield None
        return
    with file:
        yield file


def _check_that_it_fits(manifest: Manifest, source: Path) -> None:
    """Raises Refused unless this application can read the backup's database."""
    if manifest.database != db.engine.dialect.name:
        raise Refused(_("备份来自 %(kind)s，请恢复到同类数据库。", kind=manifest.database))
    known = {step.revision for step in ScriptDirectory(str(migrate.directory)).walk_revisions()}
    if manifest.schema not in known | {None}:
        raise Refused(_("备份来自更新的版本（%(schema)s），请先升级本系统，再恢复。", schema=manifest.schema))
    if manifest.database == "postgresql":
        postgresql_dump.check(db.engine, source / DATABASE)
        return
    with closing(open_read_only(source / DATABASE)) as backup:
        if backup.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Refused(_("备份中的数据库未通过完整性检查，没有恢复任何内容。"))


def _check_target(session: Session, manifest: Manifest, store: Store) -> str:
    """The identity for the restored store. Raises Refused unless database and store are empty, or of this register."""
    unfinished = unfinished_restore.found(db.engine)
    if unfinished is None and (filled := _filled_tables(db.engine)):
        raise Refused(_("当前数据库已有数据（%(tables)s），请恢复到空数据库。", tables="、".join(filled)))
    before = None
    if inspect(db.engine).has_table(RegisteredStore.__tablename__):
        before = registered_store.identity(session)
        session.rollback()
    own = {manifest.store, before, unfinished[1] if unfinished else None}
    there = store.identity()
    if there is not None and there not in own:
        raise Refused(_("存储属于另一个登记库，请改用空的存储，或该备份原来的存储。"))
    return manifest.store or there or registered_store.new_identity()


def _set_mark(engine: Engine, identity: str) -> None:
    """Set the mark: a running server then answers 503. Raises Refused when it has just written to the database."""
    before = unfinished_restore.found(engine)
    unfinished_restore.set_mark(engine, identity)
    if before is None and (filled := _filled_tables(engine)):
        unfinished_restore.MARK.drop(engine)
        raise Refused(_("当前数据库已有数据（%(tables)s），请恢复到空数据库。", tables="、".join(filled)))


def _filled_tables(engine: Engine) -> list[str]:
    """The tables with rows, except SHIPPED."""
    with engine.connect() as connection:
        names = [
            name
            for name in inspect(connection).get_table_names()
            if name not in SHIPPED and not name.startswith(search.PREFIX)
        ]
        return [name for name in names if connection.scalar(select(literal(1)).select_from(table(name)).limit(1))]


def _restore_files(manifest: Manifest, source: Path, store: Store) -> None:
    """Copy the files into the store. A file damaged before the backup is skipped, and reported as lost."""
    for name, digest in manifest.parts.items():
        if name == DATABASE or not name.endswith(digest):
            continue
        with _part(source, name) as file:
            if file is None or not store.put_copy(file, digest):
                raise Refused(_("备份中的“%(name)s”缺失或与清单不符。", name=name))


def _restore_database(engine: Engine, file: Path) -> None:
    """Replace the whole database in one transaction; the mark stays."""
    if engine.dialect.name == "postgresql":
        postgresql_dump.restore(engine, file)
        return
    engine.dispose()
    staged = Path(f"{engine.url.database}.restoring")  # gets the mark before it replaces the database
    staged.unlink(missing_ok=True)
    try:
        with closing(open_read_only(file)) as backup, closing(sqlite.library.connect(str(staged))) as copy:
            backup.backup(copy)
        _mark(staged, unfinished_restore.attempts_in(engine))
        with closing(open_read_only(staged)) as copy, closing(sqlite_connection(engine)) as target:
            copy.backup(target)
    finally:
        staged.unlink(missing_ok=True)


def _mark(file: Path, attempts: Sequence[Row[Any]]) -> None:
    """Set the mark in an SQLite file that no other process uses."""
    copy = create_engine(f"sqlite:///{file}", module=sqlite.library)
    unfinished_restore.copy_mark(copy, attempts)
    copy.dispose()


def open_read_only(file: Path) -> Any:
    return sqlite.library.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _finish(engine: Engine, identity: str) -> None:
    """Register the store and remove the mark, in one transaction."""
    with engine.begin() as connection:
        now = {"identity": identity, "checked_at": None, "missing": None}
        if not connection.execute(update(RegisteredStore).values(now)).rowcount:
            first = {"id": registered_store.ONLY, "created_at": clock.now()}
            connection.execute(insert(RegisteredStore).values(now | first))
        unfinished_restore.MARK.drop(connection)
