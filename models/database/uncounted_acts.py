"""The trigger that adds each decision and revocation to `uncounted_act` (models/application/act_counts.py)."""

from sqlalchemy import Connection, text

from models.database.postgresql import PLPGSQL

TABLE = "uncounted_act"
TRIGGER = "count_trail_entry"
ACTS = "('grant', 'decline', 'refuse', 'revoke')"  # a test compares them with the workflow
NOTE = f"INSERT INTO {TABLE} (entry_id, application_id)"


def install(connection: Connection) -> None:
    """Create the trigger, replacing an existing one; the caller commits."""
    remove(connection)
    if not connection.dialect.has_table(connection, TABLE):
        return  # before migration 0040
    note, condition = f"{NOTE} VALUES (new.id, new.application_id);", f"WHEN (new.act IN {ACTS})"
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"CREATE TRIGGER {TRIGGER} AFTER INSERT ON trail_entry {condition} BEGIN {note} END"))
        return
    body = f"{PLPGSQL} AS $$ BEGIN {note} RETURN NULL; END $$"
    connection.execute(text(f"CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger {body}"))
    each = f"FOR EACH ROW {condition} EXECUTE FUNCTION {TRIGGER}()"
    connection.execute(text(f"CREATE TRIGGER {TRIGGER} AFTER INSERT ON trail_entry {each}"))


def remove(connection: Connection) -> None:
    """Drop the trigger; the caller commits."""
    if connection.dialect.has_table(connection, "trail_entry"):
        on_table = "" if connection.dialect.name == "sqlite" else " ON trail_entry"
        connection.execute(text(f"DROP TRIGGER IF EXISTS {TRIGGER}{on_table}"))


def note_all(connection: Connection) -> None:
    """Add all existing acts to `uncounted_act`; the caller commits.

    An act that is committed meanwhile may be there already: PostgreSQL's INSERT … SELECT sees it, DELETE did not.
    """
    acts = f"SELECT id, application_id FROM trail_entry WHERE act IN {ACTS} ORDER BY id"
    connection.execute(text(f"{NOTE} {acts} ON CONFLICT DO NOTHING"))
