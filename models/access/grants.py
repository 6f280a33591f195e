"""What each role of PostgreSQL may do with a table at all, before row security looks at rows (row_security.py)."""

from collections.abc import Iterator

from models.database import triggers
from models.vocabulary import Role

NOBODY, JOBS = "filing_nobody", "filing_jobs"  # before somebody has signed in; of jobs, which see everything
ROLES: dict[str, Role | None] = {NOBODY: None} | {f"filing_{role.value}": role for role in Role}
SIGNED_IN = tuple(Role)
# Who besides jobs may write a table, where row security leaves it to no policy; tables that are not here: everybody.
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
OF_JOBS_ALONE = {  # verbs of tables whose other verbs belong to more
    "visit": {"INSERT", "DELETE"},
    "uncounted_act": {"UPDATE", "DELETE"},
    "spent_challenge": {"UPDATE", "DELETE"},
    "attachment": {"UPDATE"},  # but for what BESIDES opens: only scans say that a file was scanned
}
LOCKED_BY_READERS = {"province_settings"}  # read FOR SHARE, for which PostgreSQL asks that some column may be changed
READ_BY = {  # all others: everybody
    "reconciliation": (Role.REVIEWER, Role.OPERATOR),  # of whole provinces
    "export_lease": (),
}
OWN_PAGES = "password_hash, must_change, email, mail_wish, email_new, email_asked_at, email_tries"
BESIDES = (  # single verbs and columns, more than the tables above open
    # The nation changes an application only in so far as its print is an entry of the trail.
    ("UPDATE (changed_at, last_seal, last_change)", "application", (Role.NATIONAL,)),
    ("UPDATE (removed_at)", "attachment", (Role.PUBLISHER,)),
    ("UPDATE (seen_at, ended_at)", "visit", (None,)),  # a request is nobody's, until its session is known
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
    yield "GRANT SELECT ON alembic_version TO PUBLIC"  # asked before anybody is served
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
