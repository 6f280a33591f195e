"""Triggers: the last line of defence, behind row security and the acts, also against raw SQL.

What was decided is neither changed nor deleted, what was submitted changes only while it may be edited, and a status
changes only together with the trail entry of that change. Installed after every upgrade (migrations/env.py): a batch
migration on SQLite drops triggers silently.
"""

from sqlalchemy import Connection, inspect, text

from models.vocabulary import Role, Status
from models.workflow import AWAITING, EDITABLE

APPEND_ONLY = {  # tables never updated or deleted from, and their unique columns
    "trail_entry": ("id", "seal"),
    "certificate": ("id", "number", "application_id"),
    "paper": ("id", "certificate_id"),
    "customs_note": ("id",),
    "province_change": ("id",),
    "announcement_change": ("id",),
    "log_entry": ("id",),
}
NEVER_DELETED = (  # updated, never deleted from
    "application", "attachment", "customs_message", "customs_letter", "customs_receipt", "reconciliation", "account",
    "organisation",
)  # fmt: skip
WRITE_ONCE = {  # table → the update that is refused: the bytes received, or sent; notes about them may change
    "customs_receipt": "new.raw IS DISTINCT FROM old.raw OR new.digest IS DISTINCT FROM old.digest",
    "customs_letter": "old.raw IS NOT NULL",
}
FREE = {  # columns of an application that may change in every status; all others only while it may be edited
    "status", "version", "changed_at", "page_key", "deleted_at", "unread", "last_seal", "title_key", "title_sort",
    "publisher_sort", "due_on", "opened_at",
}  # fmt: skip
PARTS = {"carrier": ("insert", "update", "delete"), "attachment": ("insert", "update")}  # changed as its fields are
SENTENCE = "留痕、证明和申请只能追加或依程序办理，不能直接改动。"
# Who takes a case is a reviewer of its province, and it waits.
MAY_TAKE = """EXISTS (SELECT 1 FROM application a JOIN account b ON b.province = a.province
  WHERE a.id = new.application_id AND a.status IN ({}) AND b.id = new.account_id AND b.role = '{}')""".format(
    ", ".join(f"'{status.value}'" for status in sorted(AWAITING)), Role.REVIEWER.value
)
CLOSED = "a.status NOT IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(EDITABLE)))
IS_NEWEST_SEAL = """EXISTS (SELECT 1 FROM trail_entry t WHERE t.seal = new.last_seal
  AND t.id = (SELECT max(id) FROM trail_entry WHERE application_id = new.id))"""
STATUS_CHANGES = "new.status IS DISTINCT FROM old.status"
HAS_ENTRY = """EXISTS (SELECT 1 FROM trail_entry t WHERE t.after = new.status AND t.before = old.status
  AND t.id = (SELECT max(id) FROM trail_entry WHERE application_id = new.id))"""


def install(connection: Connection) -> None:
    """Create every trigger, replacing existing ones; the caller commits."""
    remove(connection)
    if not connection.dialect.has_table(connection, "application"):
        return  # before the first migration, or after the last downgrade
    dialect = connection.dialect.name
    tables = {table for table in names(dialect).values() if connection.dialect.has_table(connection, table)}
    columns = {table: _stored_columns(connection, table) for table in tables}
    found = {name: table for name, table in names(dialect).items() if table in tables}
    if "last_seal" not in columns["application"]:  # before migration 0021
        del found["seal_application"]
    for statement in (_sqlite if dialect == "sqlite" else _postgresql)(found, columns):
        connection.execute(text(statement))


def _stored_columns(connection: Connection, table: str) -> list[str]:
    """The columns of a table but for computed ones, which a BEFORE trigger does not see."""
    return [column["name"] for column in inspect(connection).get_columns(table) if "computed" not in column]


def remove(connection: Connection) -> None:
    """Drop every trigger, for a migration or a bulk load inside one transaction; the caller commits."""
    for name, table in names(connection.dialect.name).items():
        on_table = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        if connection.dialect.has_table(connection, table):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{on_table}"))


def names(dialect: str) -> dict[str, str]:
    """Every trigger on `dialect`: name → table. The names exist in installed databases and must not change."""
    append_only = {f"keep_{table}_{event}": table for table in APPEND_ONLY for event in ("update", "delete", "insert")}
    never_deleted = {f"keep_{table}_delete": table for table in NEVER_DELETED}
    write_once = {f"once_{table}": table for table in WRITE_ONCE}
    parts = {f"part_{table}_{event}": table for table, events in PARTS.items() for event in events}
    parts |= {} if dialect == "sqlite" else {f"empty_{table}": table for table in PARTS if table not in NEVER_DELETED}
    of_application = {f"{rule}_application": "application" for rule in ("move", "born", "lock", "seal")}
    of_lease = {f"take_case_lease_{event}": "case_lease" for event in ("insert", "update")}
    return append_only | never_deleted | write_once | parts | of_application | of_lease


def _rule(name: str, table: str, columns: list[str]) -> tuple[str, str]:
    """(event, SQL condition) on which the trigger `name` of `table` refuses."""
    match name.split("_")[0], name.rsplit("_", 1)[-1]:
        case "move", _:
            return "UPDATE", f"{STATUS_CHANGES} AND NOT (new.version = old.version + 1 AND {HAS_ENTRY})"
        case "lock", _:
            return "UPDATE", f"{CLOSED.replace('a.', 'old.')} AND ({_changed(set(columns) - FREE)})"
        case "seal", _:
            return "UPDATE", f"new.last_seal IS DISTINCT FROM old.last_seal AND NOT {IS_NEWEST_SEAL}"
        case "part" | "take", event:
            return event.upper(), _part_rule(table, event, columns)
        case "empty", _:
            return "TRUNCATE", "TRUE"
        case "once", _:
            return "UPDATE", WRITE_ONCE[table]
        case "born", _:  # REPLACE INTO deletes the row before without firing a delete trigger
            duplicate = "EXISTS (SELECT 1 FROM application a WHERE a.id = new.id OR a.number = new.number)"
            return "INSERT", f"new.status <> '{Status.DRAFT}' OR {duplicate}"
        case _, "insert":  # the same
            same = " OR ".join(f"existing.{key} = new.{key}" for key in APPEND_ONLY[table])
            return "INSERT", f"EXISTS (SELECT 1 FROM {table} existing WHERE {same})"
        case _, event:
            return event.upper(), "TRUE"


def _part_rule(table: str, event: str, columns: list[str]) -> str:
    """Whether a row of an application that may not be edited would change, or what a file is in any application; or a
    case would be taken by whoever may not decide on it, or once it is decided."""
    if table == "case_lease":
        return f"NOT {MAY_TAKE}"
    before = f"(SELECT application_id FROM {table} WHERE id = new.id)"  # of a row that REPLACE INTO would delete
    owners = {"insert": f"new.application_id, {before}", "delete": "old.application_id"}
    owner = owners.get(event, "new.application_id, old.application_id")
    closed = f"EXISTS (SELECT 1 FROM application a WHERE a.id IN ({owner}) AND {CLOSED})"
    if (table, event) == ("attachment", "update"):
        return f"{closed} OR {_changed(set(columns) - {'removed_at'})}"
    return closed


def _changed(columns: set[str]) -> str:
    return " OR ".join(f"new.{column} IS DISTINCT FROM old.{column}" for column in sorted(columns))


def _sqlite(triggers: dict[str, str], columns: dict[str, list[str]]) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')} "
        f"BEGIN SELECT raise(ABORT, '{SENTENCE}'); END"
        for name, table in triggers.items()
        for event, condition in [_rule(name, table, columns[table])]
    ]


def _postgresql(triggers: dict[str, str], columns: dict[str, list[str]]) -> list[str]:
    """Each trigger has a function that tests the condition: a trigger's WHEN must not query other tables."""
    statements = []
    for name, table in triggers.items():
        event, condition = _rule(name, table, columns[table])
        if event == "DELETE" and condition == "TRUE":
            event = "DELETE OR TRUNCATE"
        each = "STATEMENT" if "TRUNCATE" in event else "ROW"  # TRUNCATE has no row triggers
        row = "old" if event.startswith("DELETE") else "new"
        body = f"IF {condition} THEN RAISE EXCEPTION '{SENTENCE}'; END IF; RETURN {row};"
        statements += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()",
        ]
    return statements
