"""Restore of a dump of PostgreSQL on a server that may lack its roles, also by an owner who is no superuser."""

import re
import tempfile
from pathlib import Path

from sqlalchemy import Engine, MetaData, Table

from models.access import row_security
from models.backup import VERSION, run
from models.database import db, search

# Of the lines of `pg_restore --list`. Only a superuser may restore a LEAKPROOF function, or replace an extension that
# another login has created: these are made by search.create_requirements().
OMITTED = re.compile(r"\d+; \d+ \d+ (FUNCTION public search_grams\(|EXTENSION - pg_trgm |COMMENT - EXTENSION pg_trgm )")
POLICY = re.compile(rf"^\d+; \d+ \d+ POLICY public \w+ {row_security.POLICY}", re.MULTILINE)


def check(engine: Engine, file: Path) -> None:
    """Raises Refused when pg_restore cannot read the dump, or when this login cannot create the roles it needs."""
    if POLICY.search(_contents(engine, file)):
        with engine.connect() as connection:
            row_security.check_roles(connection)


def restore(engine: Engine, file: Path) -> None:
    """Replace the whole database; a failure leaves it without tables."""
    contents = _contents(engine, file)
    db.drop_all(bind_key=None)  # of this database: by default also on the replica, which may be down
    Table(VERSION, MetaData()).drop(engine, checkfirst=True)
    with engine.begin() as connection:
        search.create_requirements(connection)
        if POLICY.search(contents):
            row_security.create_roles(connection)
    engine.dispose()
    with tempfile.NamedTemporaryFile("w") as kept:
        kept.writelines(line for line in contents.splitlines(keepends=True) if not OMITTED.match(line))
        kept.flush()
        options = ("--clean", "--if-exists", "--single-transaction", f"--use-list={kept.name}")
        run(engine, "pg_restore", *options, str(file))


def _contents(engine: Engine, file: Path) -> str:
    return run(engine, "pg_restore", "--list", str(file), connects=False)
