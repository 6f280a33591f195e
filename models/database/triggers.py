"""What the database itself refuses, whoever asks: the last wall, behind the session's guard and the acts.

Nothing decided is changed or erased, and a status moves only together with the trail entry that says so.
Installed after every upgrade (migrations/env.py): a batch migration on SQLite drops a table's triggers in silence.
"""

from sqlalchemy import Connection, text

from models.vocabulary import Status

KEPT = {  # written once; their keys
    "trail_entry": ("id", "seal"),
    "certificate": ("id", "number", "application_id"),
    "paper": ("id", "certificate_id"),
    "customs_note": ("id",),
}
UNERASED = (  # changed, never deleted
    "application", "attachment", "customs_message", "customs_letter", "customs_receipt", "reconciliation", "account",
    "organisation",
)  # fmt: skip
ONCE = {  # what may be written about them later, but not on what was received, or has left
    "customs_receipt": "new.raw IS DISTINCT FROM old.raw OR new.digest IS DISTINCT FROM old.digest",
    "customs_letter": "old.raw IS NOT NULL",
}
SENTENCE = "留痕、证明和申请只能追加或依程序办理，不能直接改动。"
MOVED = "new.status IS DISTINCT FROM old.status"
TOLD = """EXISTS (SELECT 1 FROM trail_entry t WHERE t.after = new.status AND t.before = old.status
  AND t.id = (SELECT max(id) FROM trail_entry WHERE application_id = new.id))"""


def install(connection: Connection) -> None:
    """Put the guards up; repeating does no harm."""
    remove(connection)
    if not connection.dialect.has_table(connection, "application"):
        return  # before the first step, or after the last one down
    there = {name: table for name, table in names().items() if connection.dialect.has_table(connection, table)}
    for statement in _sqlite(there) if connection.dialect.name == "sqlite" else _postgresql(there):
        connection.execute(text(statement))


def remove(connection: Connection) -> None:
    """Take them down, for a migration or a bulk load inside one transaction."""
    for name, table in names().items():
        of = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        if connection.dialect.has_table(connection, table):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{of}"))


def names() -> dict[str, str]:
    """Every guard and its table."""
    kept = {f"keep_{table}_{event}": table for table in KEPT for event in ("update", "delete", "insert")}
    unerased = {f"keep_{table}_delete": table for table in UNERASED}
    once = {f"once_{table}": table for table in ONCE}
    return kept | unerased | once | {"move_application": "application", "born_application": "application"}


def _guard(name: str, table: str) -> tuple[str, str]:
    """(event, condition) under which the guard refuses."""
    match name.split("_")[0], name.rsplit("_", 1)[-1]:
        case "move", _:
            return "UPDATE", f"{MOVED} AND NOT (new.version = old.version + 1 AND {TOLD})"
        case "once", _:
            return "UPDATE", ONCE[table]
        case "born", _:
            return "INSERT", f"new.status <> '{Status.DRAFT}'"
        case _, "insert":  # INSERT OR REPLACE deletes without a delete trigger
            same = " OR ".join(f"kept.{key} = new.{key}" for key in KEPT[table])
            return "INSERT", f"EXISTS (SELECT 1 FROM {table} kept WHERE {same})"
        case _, event:
            return event.upper(), "TRUE"


def _sqlite(guards: dict[str, str]) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')} "
        f"BEGIN SELECT raise(ABORT, '{SENTENCE}'); END"
        for name, table in guards.items()
        for event, condition in [_guard(name, table)]
    ]


def _postgresql(guards: dict[str, str]) -> list[str]:
    """One function refuses; the condition stands in it, for a trigger's own WHEN may not ask other tables."""
    statements = []
    for name, table in guards.items():
        event, condition = _guard(name, table)
        row, when = ("old", "DELETE OR TRUNCATE") if event == "DELETE" else ("new", event)
        each = "STATEMENT" if event == "DELETE" else "ROW"  # TRUNCATE knows no rows
        body = f"IF {condition} THEN RAISE EXCEPTION '{SENTENCE}'; END IF; RETURN {row};"
        statements += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()",
        ]
    return statements
