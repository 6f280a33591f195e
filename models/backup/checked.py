"""Check of a new backup: every file against the manifest, then the rows of the copied database are counted."""

import subprocess
from contextlib import closing
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.application import Application
from models.application.trail import TrailEntry
from models.backup import DATABASE, UNCHECKED
from models.backup.restoring import open_read_only, verified_manifest
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import sqlite
from models.log import LogEntry
from models.people.accounts import Account
from models.workflow import Refused

# Tables without deletions: a copy has at least the rows before the backup, and at most those after it.
COUNTED = (Application, TrailEntry, Certificate, CustomsMessage, Account, LogEntry)
Counts = dict[str, int]


def counts_of(session: Session) -> Counts:
    """Table → number of rows now. Rolls back."""
    found = {model.__tablename__: session.scalar(select(func.count()).select_from(model)) or 0 for model in COUNTED}
    session.rollback()
    return found


def check(source: Path, before: Counts, after: Counts) -> Counts:
    """Table → number of rows in the copy. Raises Refused unless every part is intact and no row is missing.

    `before`, `after`: counts before and after the backup, between which those of the copy must lie.
    """
    kind = verified_manifest(source, UNCHECKED).database
    found = counts_in(source, kind)
    for table, least in before.items():
        if not least <= found.get(table, 0) <= after[table]:
            words = {"table": table, "found": found.get(table, 0), "least": least}
            raise Refused(_("备份中的 %(table)s 有 %(found)s 行，应不少于 %(least)s 行，这份备份不可靠。", **words))
    return found


def counts_in(source: Path, kind: str) -> Counts:
    """Table → number of rows in the backup; reads all of it. `kind`: sqlite or postgresql. Raises Refused."""
    file, tables = source / DATABASE, {model.__tablename__ for model in COUNTED}
    if kind == "sqlite":
        try:
            with closing(open_read_only(file)) as copy:
                return {table: copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        except sqlite.library.DatabaseError as why:  # damaged, or the disk does not give it back
            raise Refused(_("备份中的数据库读不出来：%(why)s", why=why)) from None
    return {table: rows for table, rows in _rows_dumped(file).items() if table in tables}


def _rows_dumped(file: Path) -> Counts:
    """Table → number of rows in a dump of pg_dump: the lines between COPY and its end marker."""
    found: Counts = {}
    table = ""
    command = ["pg_restore", "--data-only", "--file=-", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as reading:
        for line in reading.stdout or ():
            if not table and line.startswith("COPY public."):
                table = line.split(" ", 2)[1].removeprefix("public.").strip('"')
                found[table] = 0
            elif line == "\\.\n":
                table = ""
            elif table:
                found[table] += 1
        complaint = reading.stderr.read() if reading.stderr else ""
    if reading.returncode:
        raise Refused(_("pg_restore 读不了备份：%(why)s", why=complaint.strip()))
    return found
