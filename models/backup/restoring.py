"""The way back from a backup: files first, the database last, and a mark from the first step to the last.

While the database has the mark (models/backup/unfinished_restore.py), the server does not start and every command but
`restore` is refused. An interrupted restore is run again: it begins anew, and what lies in the store already stays.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import flask_migrate
from alembic.script import ScriptDirectory
from flask_babel import gettext as _
from sqlalchemy import Engine, MetaData, Table, create_engine, insert, inspect, literal, select, table, update
from sqlalchemy.orm import Session

from models import clock
from models.application.attachments import Store
from models.backup import (
    DATABASE,
    FILES,
    MANIFEST,
    VERSION,
    in_a_sentence,
    lost,
    named,
    registered_store,
    run,
    sqlite_file,
    unfinished_restore,
)
from models.backup.registered_store import RegisteredStore
from models.codes import District
from models.customs.heartbeat import Heartbeat
from models.database import db, migrate, search, sqlite
from models.files.plain_file import open_plain
from models.workflow import Refused

PART = re.compile(rf"{DATABASE}|{FILES}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})")
DIGEST, IDENTITY, WORD = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}"), re.compile("[0-9a-z]{1,32}")
# Tables that `upgrade` and a deliverer fill: a register in which nothing else has rows is empty.
SHIPPED = {each.__tablename__ for each in (District, RegisteredStore, Heartbeat)} | {VERSION, unfinished_restore.NAME}


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself: kind of database, schema (None: made before backups told it), part → SHA-256, and
    the identity of its store (None: it had none)."""

    database: str
    schema: str | None
    parts: dict[str, str]
    store: str | None


def restore(session: Session, source: Path, store: Store) -> tuple[int, list[str]]:
    """Put a backup, of this release or a former one, into an empty register; tells what `back_up` tells.

    Raises Refused. Before the mark is set nothing has changed; after it the sentence says to run `restore` again.
    """
    with in_a_sentence(_("没有恢复任何内容。"), begun=False):
        manifest = proved(source)
        _check_that_it_fits(manifest, source)
        identity = _check_target(session, manifest, store)
    with in_a_sentence(_("恢复没有完成，系统暂不能使用。请排除原因后重新运行 restore。")):
        unfinished_restore.begin(db.engine, identity)
        store.expected = lambda: identity
        store.set_identity(identity, replace=True)
        _put_files_back(manifest, source, store)
        _put_database_back(db.engine, source / DATABASE, identity)
        flask_migrate.upgrade()
        _finish(db.engine, identity)
    return len(manifest.parts), lost(named(session), manifest.parts)


def proved(source: Path) -> Manifest:
    """The manifest, when every part it names is there, is a plain file, and is what it was; raises Refused."""
    manifest = _read_manifest(source)
    for name, digest in manifest.parts.items():
        with _part(source, name) as file:
            if file is None or hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise Refused(_("备份中的“%(name)s”缺失或与清单不符，没有恢复任何内容。", name=name))
    return manifest


def _read_manifest(source: Path) -> Manifest:
    try:
        with _part(source, MANIFEST) as file:
            said = json.loads(file.read()) if file else None
    except (ValueError, RecursionError):
        said = None
    if said is None:
        raise Refused(_("“%(path)s”中没有备份清单，不是完整的备份，不能恢复。", path=source))
    match said:
        case {"database": str(kind), "parts": dict(parts)} if _are_parts(parts) and WORD.fullmatch(kind):
            schema, store = said.get("schema"), said.get("store")
            if _is(schema, WORD) and _is(store, IDENTITY):
                return Manifest(kind, schema, parts, store)
    raise Refused(_("“%(path)s”中的备份清单不符合格式，不能恢复。", path=source))


def _is(said: Any, form: re.Pattern[str]) -> bool:
    return said is None or (isinstance(said, str) and form.fullmatch(said) is not None)


def _are_parts(parts: dict[Any, Any]) -> bool:
    """Names that a backup gives and no others: none leads out of the backup, or elsewhere in the store."""
    return DATABASE in parts and all(
        isinstance(name, str) and PART.fullmatch(name) and isinstance(digest, str) and DIGEST.fullmatch(digest)
        for name, digest in parts.items()
    )


@contextmanager
def _part(source: Path, name: str) -> Iterator[BufferedReader | None]:
    """A file of the backup; None for what is not there, is no plain file, or is reached through a link."""
    path = source / name
    folders = [source / Path(*Path(name).parts[:depth]) for depth in range(1, len(Path(name).parts))]
    if any(folder.is_symlink() for folder in folders):
        yield None
        return
    try:
        file = open_plain(path)
    except OSError:
        file = None
    if file is None:
        yield None
        return
    with file:
        yield file


def _check_that_it_fits(manifest: Manifest, source: Path) -> None:
    """Whether this application can take the backup; raises Refused."""
    if manifest.database != db.engine.dialect.name:
        raise Refused(_("备份来自 %(kind)s，请恢复到同类数据库。", kind=manifest.database))
    known = {step.revision for step in ScriptDirectory(str(migrate.directory)).walk_revisions()}
    if manifest.schema not in known | {None}:
        raise Refused(_("备份来自更新的版本（%(schema)s），请先升级本系统，再恢复。", schema=manifest.schema))
    if manifest.database == "postgresql":
        run(db.engine, "pg_restore", "--list", str(source / DATABASE), connects=False)
        return
    with closing(_opened(source / DATABASE)) as backup:
        if backup.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Refused(_("备份中的数据库未通过完整性检查，没有恢复任何内容。"))


def _check_target(session: Session, manifest: Manifest, store: Store) -> str:
    """The identity that the store is to have. Raises Refused unless register and store are empty, or our own."""
    unfinished = unfinished_restore.found(db.engine)
    if unfinished is None and (filled := _filled(db.engine)):
        raise Refused(_("当前数据库已有数据（%(tables)s），请恢复到空数据库。", tables="、".join(filled)))
    before = None
    if inspect(db.engine).has_table(RegisteredStore.__tablename__):
        before = registered_store.identity(session)
        session.rollback()
    ours = {manifest.store, before, unfinished[1] if unfinished else None}
    there = store.identity()
    if there is not None and there not in ours:
        raise Refused(_("存储属于另一个登记库，请改用空的存储，或该备份原来的存储。"))
    return manifest.store or there or registered_store.new_identity()


def _filled(engine: Engine) -> list[str]:
    """The tables that hold somebody's rows."""
    with engine.connect() as connection:
        names = [
            name
            for name in inspect(connection).get_table_names()
            if name not in SHIPPED and not name.startswith(search.PREFIX)
        ]
        return [name for name in names if connection.scalar(select(literal(1)).select_from(table(name)).limit(1))]


def _put_files_back(manifest: Manifest, source: Path, store: Store) -> None:
    """What was damaged when it was backed up is left out, and told as lost."""
    for name, digest in manifest.parts.items():
        if name == DATABASE or not name.endswith(digest):
            continue
        with _part(source, name) as file:
            if file is None or not store.keep_copy(file, digest):
                raise Refused(_("备份中的“%(name)s”缺失或与清单不符。", name=name))


def _put_database_back(engine: Engine, file: Path, identity: str) -> None:
    """Replace the whole database in one transaction; the mark stays."""
    if engine.dialect.name == "postgresql":
        db.drop_all()
        Table(VERSION, MetaData()).drop(engine, checkfirst=True)
        engine.dispose()
        run(engine, "pg_restore", "--clean", "--if-exists", "--single-transaction", str(file))
        return
    engine.dispose()
    staged = Path(f"{engine.url.database}.restoring")  # with the mark in it, before it replaces what is there
    staged.unlink(missing_ok=True)
    try:
        with closing(_opened(file)) as backup, closing(sqlite.library.connect(str(staged))) as copy:
            backup.backup(copy)
        _mark(staged, identity)
        with closing(_opened(staged)) as copy, closing(sqlite_file(engine)) as target:
            copy.backup(target)
    finally:
        staged.unlink(missing_ok=True)


def _mark(file: Path, identity: str) -> None:
    """Set the mark in a database file of SQLite that nobody else has opened."""
    copy = create_engine(f"sqlite:///{file}", module=sqlite.library)
    unfinished_restore.begin(copy, identity)
    copy.dispose()


def _opened(file: Path) -> Any:
    return sqlite.library.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _finish(engine: Engine, identity: str) -> None:
    """Register the store and take the mark away, together."""
    with engine.begin() as connection:
        now = {"identity": identity, "checked_at": None, "missing": None}
        if not connection.execute(update(RegisteredStore).values(now)).rowcount:
            first = {"id": registered_store.ONLY, "created_at": clock.now()}
            connection.execute(insert(RegisteredStore).values(now | first))
        unfinished_restore.MARK.drop(connection)
