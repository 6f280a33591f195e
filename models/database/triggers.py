"""Triggers that enforce append-only and immutable data, also against raw SQL, behind row security and the acts.

Decided applications are neither changed nor deleted, submitted ones change only while they may be edited, and a status
changes only together with its trail entry. Installed after every upgrade (migrations/env.py): a batch
migration on SQLite drops triggers silently.
"""

from sqlalchemy import Connection, inspect, text

from models.database.postgresql import PLPGSQL
from models.vocabulary import Role, Status
from models.workflow import AWAITING, EDITABLE

APPEND_ONLY = {  # tables never updated or deleted from, and their unique columns
    "trail_entry": ("id", "seal"),
    "certificate": ("id", "number", "application_id"),
    "paper": ("id", "certificate_id"),
    "customs_note": ("id",),
    "certificate_use": ("id",),
    "province_change": ("id",),
    "announcement_change": ("id",),
    "log_entry": ("id",),
    "log_seal": ("entry_id",),
    "known_virus": ("digest",),
}
NEVER_DELETED = (  # updated, never deleted from
    "application", "attachment", "customs_message", "customs_letter", "customs_receipt", "reconciliation", "account",
    "organisation", "serial",
)  # fmt: skip
WRITE_ONCE = {  # table → the refused update: of the bytes sent or received; other columns may change
    "customs_receipt": "new.raw IS DISTINCT FROM old.raw OR new.digest IS DISTINCT FROM old.digest",
    "customs_letter": "old.raw IS NOT NULL",
}
ALWAYS_CHANGEABLE = {  # columns of an application; all others change only while it may be edited
    "status", "version", "changed_at", "page_key", "deleted_at", "unread", "last_seal", "last_change", "title_key",
    "title_sort", "publisher_sort", "due_on", "opened_at", "totals", "sheets",
}  # fmt: skip
GROWING_BY_ONE = {  # event on `serial` → the refused change: no number is used twice or skipped
    "insert": """new.last <> 1
      OR EXISTS (SELECT 1 FROM serial given WHERE given.series = new.series AND given.year = new.year)""",
    "update": """new.last IS DISTINCT FROM old.last + 1
      OR new.series IS DISTINCT FROM old.series OR new.year IS DISTINCT FROM old.year""",
}
# Table → events that are refused while the fields of its application may not change either.
PARTS = {"carrier": ("insert", "update", "delete"), "attachment": ("insert", "update")}
LATER_COLUMNS = {  # trigger → a column that it reads, and that migration 0021 or 0022 added to its table
    "seal_application": "last_seal", "desk_customs_message_insert": "desk", "desk_customs_message_update": "desk",
}  # fmt: skip
SENTENCE = "留痕、证明和申请只能追加或依程序办理，不能直接改动。"
# A lease is for a reviewer of the province, on a pending application.
MAY_LEASE = """EXISTS (SELECT 1 FROM application a JOIN account b ON b.province = a.province
  WHERE a.id = new.application_id AND a.status IN ({}) AND b.id = new.account_id AND b.role = '{}')""".format(
    ", ".join(f"'{status.value}'" for status in sorted(AWAITING)), Role.REVIEWER.value
)
IS_OF_DESK = "EXISTS (SELECT 1 FROM application a WHERE a.id = new.application_id AND a.desk = new.desk)"
CLOSED = "a.status NOT IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(EDITABLE)))
IS_NEWEST_SEAL = """EXISTS (SELECT 1 FROM trail_entry t WHERE t.seal = new.last_seal
  AND t.id = (SELECT max(id) FROM trail_entry WHERE application_id = new.id))"""
IS_LOGGED_SCAN = """EXISTS (SELECT 1 FROM log_entry scan WHERE scan.log = 'operations'
  AND scan.kind = 'file_scanned' AND scan.about = new.digest)"""
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
    found = {
        name: table
        for name, table in names(dialect).items()
        if table in tables and LATER_COLUMNS.get(name) in (None, *columns[table])
    }
    for statement in (_sqlite if dialect == "sqlite" else _postgresql)(found, columns):
        connection.execute(text(statement))


def _stored_columns(connection: Connection, table: str) -> list[str]:
    """The columns of a table except computed ones, which a BEFORE trigger cannot read."""
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
    of_serial = {f"grow_serial_{event}": "serial" for event in GROWING_BY_ONE}
    of_message = {f"desk_customs_message_{event}": "customs_message" for event in ("insert", "update")}
    return append_only | never_deleted | write_once | parts | of_application | of_lease | of_serial | of_message


def _rule(name: str, table: str, columns: list[str]) -> tuple[str, str]:
    """(event, SQL condition) on which the trigger `name` of `table` refuses."""
    match name.split("_")[0], name.rsplit("_", 1)[-1]:
        case "move", _:
            return "UPDATE", f"{STATUS_CHANGES} AND NOT (new.version = old.version + 1 AND {HAS_ENTRY})"
        case "lock", _:
            return "UPDATE", f"{CLOSED.replace('a.', 'old.')} AND ({_changed(set(columns) - ALWAYS_CHANGEABLE)})"
        case "seal", _:
            return "UPDATE", f"new.last_seal IS DISTINCT FROM old.last_seal AND NOT {IS_NEWEST_SEAL}"
        case "part" | "take" | "grow" | "desk", event:
            return event.upper(), _part_rule(table, event, columns)
        case "empty", _:
            return "TRUNCATE", "TRUE"
        case "once", _:
            return "UPDATE", WRITE_ONCE[table]
        case "born", _:  # REPLACE INTO deletes the row before without firing a delete trigger
            duplicate = "EXISTS (SELECT 1 FROM application a WHERE a.id = new.id OR a.number = new.number)"
            return "INSERT", f"new.status <> '{Status.DRAFT}' OR {duplicate}"
        case _, "insert":  # REPLACE INTO, as above
            same = " OR ".join(f"existing.{key} = new.{key}" for key in APPEND_ONLY[table])
            return "INSERT", f"EXISTS (SELECT 1 FROM {table} existing WHERE {same})"
        case _, event:
            return event.upper(), "TRUE"


def _part_rule(table: str, event: str, columns: list[str]) -> str:
    """The refused changes of carriers, attachments, leases, serial numbers and messages, as SQL.

    Refused: a change of parts of an application that may not be edited; of the content of a file, always; a lease for
    an account that may not decide, or on a decided application; a number that is not the next one; a message under
    another province than its application's.
    """
    if table == "serial":
        return GROWING_BY_ONE[event]
    if table == "case_lease":
        return f"NOT {MAY_LEASE}"
    if table == "customs_message":
        return f"({_changed({'application_id', 'desk'}) if event == 'update' else 'TRUE'}) AND NOT {IS_OF_DESK}"
    before = f"(SELECT application_id FROM {table} WHERE id = new.id)"  # of a row that REPLACE INTO would delete
    owners = {"insert": f"new.application_id, {before}", "delete": "old.application_id"}
    owner = owners.get(event, "new.application_id, old.application_id")
    closed = f"EXISTS (SELECT 1 FROM application a WHERE a.id IN ({owner}) AND {CLOSED})"
    if (table, event) == ("attachment", "update"):
        return _part_rule_of_files(closed, set(columns))
    return closed


def _part_rule_of_files(closed: str, columns: set[str]) -> str:
    """The refused changes of a file: it is removed only while its application may be edited, and scanned at any time.

    Nothing else of it changes. A scan must have an entry in the log, which is append-only and covered by checkpoints; a
    later scan may only add a virus.
    """
    scanned, cleared = {"scanned_at", "virus"} & columns, "old.scanned_at IS NOT NULL"
    if "virus" in columns:
        cleared = f"old.virus IS NOT NULL OR ({cleared} AND new.virus IS NULL)"
    again = f"({cleared} OR NOT {IS_LOGGED_SCAN}) AND ({_changed(scanned)})" if scanned else "FALSE"
    removed = f"({closed}) AND ({_changed({'removed_at'})})"
    return f"{_changed(columns - scanned - {'removed_at'})} OR ({again}) OR ({removed})"


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
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger {PLPGSQL} AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()",
        ]
    return statements
