"""What each role of PostgreSQL may do with a table at all, before row security looks at rows (row_security.py)."""

from collections.abc import Iterator

from models.database import triggers
from models.vocabulary import Role

NOBODY, JOBS = "filing_nobody", "filing_jobs"  # before sign-in; for jobs, which see every row
ROLES: dict[str, Role | None] = {NOBODY: None} | {f"filing_{role.value}": role for role in Role}
SIGNED_IN = tuple(Role)
# Table → the roles that may write it, besides jobs; a table that is not here: every role, as its policies allow.
WRITTEN_BY: dict[str, tuple[Role, ...]] = {
    "organisation": (Role.OPERATOR,),
    "district": (Role.OPERATOR,),
    "calendar_day": (Role.OPERATOR,),
    "calendar_year": (Role.OPERATOR,),
    "province_settings": (Role.REVIEWER,),
    "province_change": (Role.REVIEWER,),
    "application": (Role.PUBLISHER, Role.REVIEWER),
    "certificate": (Role.REVIEWER,),
    "certificate_use": (Role.REVIEWER,),
    "registered_store": (),
    "known_virus": (),
    "log_seal": (),
    "reconciliation": (),
    "heartbeat": (),
    "customs_message": (Role.REVIEWER,),
    "customs_letter": (),
    "customs_note": (Role.REVIEWER,),
    "customs_receipt": (Role.REVIEWER,),
    "portal_visit": (),
    "account": (Role.OPERATOR,),
    "visit": (Role.OPERATOR,),
    "serial": (Role.PUBLISHER, Role.REVIEWER),
    "export_lease": (),
    "act_count": (),
    "uncounted_act": (Role.REVIEWER,),
}
OF_JOBS_ALONE = {  # table → verbs of jobs only, though other roles have its other verbs
    "visit": {"INSERT", "DELETE"},
    "uncounted_act": {"UPDATE", "DELETE"},
    "spent_challenge": {"UPDATE", "DELETE"},
    "attachment": {"UPDATE"},  # except the column in BESIDES: only a scan marks a file as scanned
}
LOCKED_BY_READERS = {"province_settings"}  # read FOR SHARE, for which PostgreSQL asks that some column may be changed
READ_BY = {  # table → the roles that may read it; a table that is not here: every role
    "reconciliation": (Role.REVIEWER, Role.OPERATOR),  # of whole provinces
    "export_lease": (),
}
OWN_PAGES = "password_hash, must_change, email, mail_wish, email_new, email_asked_at, email_tries"
BESIDES = (  # single verbs and columns, more than the tables above open
    # A print by the nation adds a trail entry, and with it changes these columns of the application.
    ("UPDATE (changed_at, last_seal, last_change)", "application", (Role.NATIONAL,)),
    ("UPDATE (removed_at)", "attachment", (Role.PUBLISHER,)),
    ("UPDATE (seen_at, ended_at)", "visit", (None,)),  # a request begins as nobody, until its visit is found
    ("UPDATE", "visit", SIGNED_IN),
    (f"UPDATE ({OWN_PAGES})", "account", SIGNED_IN),
)


def role_of(role: Role | None) -> str:
    """The database role in which accounts of this role are served."""
    return f"filing_{role.value}" if role else NOBODY


def verbs_of(table: str) -> Iterator[str]:
    """The SQL verbs (INSERT, UPDATE, DELETE) that any role may be granted on this table."""
    yield "INSERT"
    if table not in triggers.APPEND_ONLY:
        yield "UPDATE"
        if table not in triggers.NEVER_DELETED:
            yield "DELETE"


def privileges(tables: list[str]) -> Iterator[str]:
    """The GRANT statements of every role: no UPDATE or DELETE on append-only tables, no TRUNCATE on any."""
    everybody = ", ".join((*ROLES, JOBS))
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {everybody}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {everybody}"
    yield "GRANT SELECT ON alembic_version TO PUBLIC"  # the start-up checks it, before any role is set
    for verb, table, roles in BESIDES:
        if table in tables:
            yield f"GRANT {verb} ON {table} TO {', '.join(role_of(role) for role in roles)}"
    for table in tables:
        verbs, writers = [*verbs_of(table)], WRITTEN_BY.get(table)
        readers = [JOBS, *(name for name, role in ROLES.items() if role in READ_BY.get(table, (role,)))]
        yield f"GRANT SELECT ON {table} TO {', '.join(readers)}"
        if table in LOCKED_BY_READERS:
            yield f"GRANT UPDATE (id) ON {table} TO {', '.join(ROLES)}"
        yield f"GRANT {', '.join(verbs)} ON {table} TO {JOBS}"
        shared = [verb for verb in verbs if verb not in OF_JOBS_ALONE.get(table, ())]
        if may_write := [name for name, role in ROLES.items() if writers is None or role in writers]:
            yield f"GRANT {', '.join(shared)} ON {table} TO {', '.join(may_write)}"
