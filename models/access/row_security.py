"""Row-level security of PostgreSQL, besides the session's own rules: one database role for each role of accounts.

Optional: without it the application connects as the owner of the tables. With it (`flask database roles LOGIN`) it
connects as LOGIN, which owns nothing and may do nothing by itself, but may take one of these roles for a transaction
(database_roles.py). The policies are made of the rules of the session (reading.py), whose values are then settings of
the transaction. A login that inherits a role is subject to its policies too, so LOGIN is made NOINHERIT.
"""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Connection, Table, false, func, text, true
from sqlalchemy.dialects import postgresql

from models.access import reading
from models.access.grants import JOBS, ROLES, privileges, verbs_of
from models.access.viewer import SettingsViewer, Viewer
from models.access.writing import OF_OPERATORS
from models.application import Application
from models.application.child import Child, OfApplication
from models.database import Base, db, publisher_names
from models.log import LogEntry
from models.notifications import Notification
from models.notifications.letters import MailLetter
from models.numbering import APPLICATIONS, Serial
from models.people.accounts import Account
from models.people.sessions import Visit
from models.vocabulary import Role
from models.workflow import Refused

TODAY: Any = func.date(func.timezone("Asia/Shanghai", func.now()))
POLICY = "filing_"  # the beginning of the name of every policy of the application
READ_BY_ALL = (Account, Visit, Serial)  # by every role; _writable() says who writes them
IS_RESTRICTED = """SELECT NOT (rolsuper OR rolbypassrls OR EXISTS (
  SELECT FROM pg_class WHERE relowner = pg_roles.oid AND relnamespace = 'public'::regnamespace))
  FROM pg_roles WHERE rolname = :login AND rolcanlogin"""
MAY_CREATE_ROLES = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
# Under row security PostgreSQL uses an index only for functions marked LEAKPROOF.
SEARCHES = ("pg_catalog.arraycontains(anyarray, anyarray)", "pg_catalog.textlike(text, text)", "search_grams(text)")
LEAKPROOF = tuple(f"ALTER FUNCTION {function} LEAKPROOF" for function in SEARCHES)


def install(connection: Connection) -> None:
    """Create roles, privileges and policies from the models, replacing former policies; the caller commits.

    Raises Refused on SQLite, and when the roles are missing and this login may not create them.
    """
    if connection.dialect.name == "sqlite":
        raise Refused(_("只有 PostgreSQL 有行级安全，SQLite 不需要这一步。"))
    remove(connection)
    create_roles(connection)
    for statement in (*privileges(_tables(connection)), *_policies(connection)):
        connection.execute(text(statement))


def remove(connection: Connection) -> None:
    """Drop every policy and switch row security off: a migration may change columns they name. The caller commits."""
    found = "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND policyname LIKE :name"
    rows = connection.execute(text(found), {"name": f"{POLICY}%"}).all()
    for table, policy in rows:
        connection.execute(text(f"DROP POLICY {policy} ON {table}"))
    for table in {table for table, _policy in rows}:
        connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))


def is_on(connection: Connection) -> bool:
    """Whether this database has the policies."""
    if connection.dialect.name == "sqlite":
        return False
    found = "SELECT EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public' AND policyname LIKE :name)"
    return bool(connection.scalar(text(found), {"name": f"{POLICY}%"}))


def can_bypass() -> bool:
    """Whether the application's database login bypasses row-level security, as owner or superuser. False on SQLite."""
    if db.engine.dialect.name == "sqlite":
        return False
    with db.engine.connect() as connection:
        login = connection.scalar(text("SELECT session_user"))
        return not connection.scalar(text(IS_RESTRICTED), {"login": login})


def admit(connection: Connection, login: str, settings: dict[str, Any]) -> None:
    """Grant this login every role of the product, NOINHERIT: without SET ROLE it may do nothing.

    `settings`: set for its connections to this database, because a pooler passes none on. Raises Refused for a login
    that could bypass row security.
    """
    found = connection.execute(text(IS_RESTRICTED), {"login": login}).one_or_none()
    if found is None:
        raise Refused(_("数据库中没有登录名“%(login)s”，请先用 CREATE ROLE 建立。", login=login))
    if not found[0]:
        raise Refused(_("登录名“%(login)s”是超级用户、可绕过行级安全或拥有表，管不住它，请另建一个。", login=login))
    quote = connection.dialect.identifier_preparer.quote
    database = quote(str(connection.engine.url.database))
    connection.execute(text(f"ALTER ROLE {quote(login)} NOINHERIT"))
    for name in (*ROLES, JOBS):
        connection.execute(text(f"GRANT {name} TO {quote(login)}"))
    for name, value in settings.items():
        connection.execute(text(f"ALTER ROLE {quote(login)} IN DATABASE {database} SET {name} = '{value}'"))


def speed_up_searches(connection: Connection) -> bool:
    """Mark the search functions LEAKPROOF, so that searches use their indexes. False: this login is no superuser."""
    if not connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        return False
    for statement in LEAKPROOF:
        connection.execute(text(statement))
    return True


def check_roles(connection: Connection) -> None:
    """Raises Refused when a role is missing and this login may not create it."""
    present = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    if not present >= {*ROLES, JOBS} and not connection.scalar(text(MAY_CREATE_ROLES)):
        login = connection.dialect.identifier_preparer.quote(str(connection.scalar(text("SELECT current_user"))))
        words = _(
            "这个数据库服务器上没有行级安全的角色，登录名 %(login)s 不能建立。"
            "请由超级用户执行 ALTER ROLE %(login)s CREATEROLE，再重新运行。",
            login=login,
        )
        raise Refused(words)


def create_roles(connection: Connection) -> None:
    """Create the missing roles. They belong to the server: another database may create one at the same time."""
    check_roles(connection)
    for name in (*ROLES, JOBS):
        body = f"""BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
          CREATE ROLE {name} NOLOGIN NOINHERIT; END IF;
          EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END"""
        connection.execute(text(f"DO $$ {body} $$"))


def _tables(connection: Connection) -> list[str]:
    names = [*(table.name for table in Base.metadata.sorted_tables), publisher_names.TABLE]
    return [name for name in names if connection.dialect.has_table(connection, name)]


def _policies(connection: Connection) -> Iterator[str]:
    """The statements that create the policies, for each role and each table with a rule; other tables have none."""
    there = set(_tables(connection))
    ruled: set[Any] = {mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, OfApplication)}
    ruled |= {*reading.rules(None, TODAY), *READ_BY_ALL}
    for model in sorted(ruled, key=lambda each: each.__tablename__):
        table = model.__tablename__
        if table not in there:
            continue
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"CREATE POLICY {POLICY}all ON {table} TO {JOBS} USING (true) WITH CHECK (true)"
        for name, role in ROLES.items():
            yield from _of_role(model, name, SettingsViewer(role) if role else None)


def _of_role(model: Any, name: str, viewer: Viewer | None) -> Iterator[str]:
    """The CREATE POLICY statements of one role on one table, one for each verb."""
    table: Table = model.__table__
    readable = _readable(model, viewer)
    writable = _writable(model, viewer, readable)
    for verb, clause in (
        ("SELECT", f"USING ({readable})"),
        ("INSERT", f"WITH CHECK ({_insertable(model, viewer, writable)})"),
        ("UPDATE", f"USING ({writable})"),
        ("DELETE", f"USING ({writable})"),
    ):
        if verb != "SELECT" and verb not in verbs_of(table.name):
            continue
        yield f"CREATE POLICY {name}_{verb.lower()} ON {table.name} FOR {verb} TO {name} {clause}"


def _writable(model: Any, viewer: Viewer | None, readable: str) -> str:
    """SQL condition: the rows that this viewer may change. In some tables these are fewer than it may read."""
    if _operates(viewer):
        return readable
    if model in OF_OPERATORS:
        return "false"
    if model is Serial:  # a publisher numbers applications, a province its certificates
        is_publisher = viewer is not None and viewer.role is Role.PUBLISHER
        province = viewer.province if viewer else ""
        return _sql(Serial.series == (APPLICATIONS if is_publisher else func.concat("Z", func.left(province, 2))))
    if model in READ_BY_ALL and viewer:
        return _sql((Account.id if model is Account else Visit.account_id) == viewer.account_id)
    return readable


def _operates(viewer: Viewer | None) -> bool:
    return viewer is not None and viewer.role is Role.OPERATOR


def _readable(model: Any, viewer: Viewer | None) -> str:
    """SQL condition: the rows that this viewer may read."""
    if model is Application and viewer and viewer.role is Role.PUBLISHER:
        # With deleted rows, which the session hides: PostgreSQL rejects an UPDATE that makes a row unreadable.
        return _sql(Application.applicant_id == viewer.organisation_id)
    rules = reading.rules(viewer, TODAY)
    conditions = [_sql(rules[model])] if model in rules else []
    if issubclass(model, Child) or (issubclass(model, OfApplication) and model not in rules):
        conditions.append(_under_application(model.__tablename__))
    if model is Notification:
        conditions.append(_without_or_under_application(model.__tablename__))
    return " AND ".join(f"({condition})" for condition in conditions) or "true"


def _insertable(model: Any, viewer: Viewer | None, writable: str) -> str:
    """The rows that this viewer may insert, as SQL: `writable`, log entries, notifications and mail of its acts."""
    if model is LogEntry:  # a failed sign-in has no account yet
        return _sql(LogEntry.account_id == viewer.account_id if viewer else true())
    if model is Notification and viewer:
        return _without_or_under_application(model.__tablename__)
    if model is MailLetter:
        return _sql(true() if viewer else false())
    return writable


def _under_application(table: str) -> str:
    """SQL condition: the application of the row is readable, by the policies on `application`."""
    return f"EXISTS (SELECT 1 FROM application parent WHERE parent.id = {table}.application_id)"


def _without_or_under_application(table: str) -> str:
    return f"{table}.application_id IS NULL OR {_under_application(table)}"


def _sql(rule: ColumnElement[bool]) -> str:
    """A SQLAlchemy condition as PostgreSQL text, with its values as literals."""
    return str(rule.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
