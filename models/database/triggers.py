"""Triggers: the last line of defence, behind row security and the acts, also against raw SQL.

What was decided is neither changed nor deleted, and a status changes only together with the trail entry of that
change. Installed after every upgrade (migrations/env.py): a batch migration on SQLite drops triggers silently.
"""

from sqlalchemy import Connection, text

from models.vocabulary import Status

APPEND_ONLY = {  # tables never updated or deleted from, and their unique columns
    "trail_entry": ("id", "seal"),
    "certificate": ("id", "number", "application_id"),
    "paper": ("id", "certificate_id"),
    "customs_note": ("id",),
}
NEVER_DELETED = (  # updated, never deleted from
    "application", "attachment", "customs_message", "customs_letter", "customs_receipt", "reconciliation", "account",
    "organisation",
)  # fmt: skip
WRITE_ONCE = {  # table → the update that is refused: the bytes received, or sent; notes about them may change
    "customs_receipt": "new.raw IS DISTINCT FROM old.raw OR new.digest IS DISTINCT FROM old.digest",
    "customs_letter": "old.raw IS NOT NULL",
}
SENTENCE = "留痕、证明和申请只能追加或依程序办理，不能直接改动。"
STATUS_CHANGES = "new.status IS DISTINCT FROM old.status"
HAS_ENTRY = """EXISTS (SELECT 1 FROM trail_entry t WHERE t.after = new.status AND t.before = old.status
  AND t.id = (SELECT max(id) FROM trail_entry WHERE application_id = new.id))"""


def install(connection: Connection) -> None:
    """Create every trigger, replacing existing ones; the caller commits."""
    remove(connection)
    if not connection.dialect.has_table(connection, "application"):
        return  # before the first migration, or after the last downgrade
    found = {name: table for name, table in names().items() if connection.dialect.has_table(connection, table)}
    for statement in _sqlite(found) if connection.dialect.name == "sqlite" else _postgresql(found):
        connection.execute(text(statement))


def remove(connection: Connection) -> None:
    """Drop every trigger, for a migration or a bulk load inside one transaction; the caller commits."""
    for name, table in names().items():
        on_table = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        if connection.dialect.has_table(connection, table):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{on_table}"))


def names() -> dict[str, str]:
    """Every trigger: name → table. The names exist in installed databases and must not change."""
    append_only = {f"keep_{table}_{event}": table for table in APPEND_ONLY for event in ("update", "delete", "insert")}
    never_deleted = {f"keep_{table}_delete": table for table in NEVER_DELETED}
    write_once = {f"once_{table}": table for table in WRITE_ONCE}
    status = {"move_application": "application", "born_application": "application"}
    return append_only | never_deleted | write_once | status


def _rule(name: str, table: str) -> tuple[str, str]:
    """(event, SQL condition) on which the trigger `name` of `table` refuses."""
    match name.split("_")[0], name.rsplit("_", 1)[-1]:
        case "move", _:
            return "UPDATE", f"{STATUS_CHANGES} AND NOT (new.version = old.version + 1 AND {HAS_ENTRY})"
        case "once", _:
            return "UPDATE", WRITE_ONCE[table]
        case "born", _:
            return "INSERT", f"new.status <> '{Status.DRAFT}'"
        case _, "insert":  # INSERT OR REPLACE deletes without firing a delete trigger
            same = " OR ".join(f"existing.{key} = new.{key}" for key in APPEND_ONLY[table])
            return "INSERT", f"EXISTS (SELECT 1 FROM {table} existing WHERE {same})"
        case _, event:
            return event.upper(), "TRUE"


def _sqlite(triggers: dict[str, str]) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')} "
        f"BEGIN SELECT raise(ABORT, '{SENTENCE}'); END"
        for name, table in triggers.items()
        for event, condition in [_rule(name, table)]
    ]


def _postgresql(triggers: dict[str, str]) -> list[str]:
    """Each trigger has a function that tests the condition: a trigger's WHEN must not query other tables."""
    statements = []
    for name, table in triggers.items():
        event, condition = _rule(name, table)
        row, when = ("old", "DELETE OR TRUNCATE") if event == "DELETE" else ("new", event)
        each = "STATEMENT" if event == "DELETE" else "ROW"  # TRUNCATE has no row triggers
        body = f"IF {condition} THEN RAISE EXCEPTION '{SENTENCE}'; END IF; RETURN {row};"
        statements += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()",
        ]
    return statements
