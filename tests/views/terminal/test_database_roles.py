"""`database roles` installs row-level security; it survives an upgrade and works behind a pooler, too."""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from models import access, log
from models.application import Application
from models.database import db
from tests import free_port
from tests.apps import POSTGRESQL, new_database, prepare_app, settings_of
from tests.cast import account_of, create_application
from tests.views.terminal.commands import run_command

POOLER = "/usr/sbin/pgbouncer"


@pytest.fixture
def web_login(postgresql: psycopg.Connection) -> Iterator[str]:
    """A login of the server without rights."""
    name = f"filing_web_{secrets.token_hex(4)}"
    postgresql.execute(f"CREATE ROLE {name} LOGIN".encode())
    yield name
    postgresql.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def owner_app(postgresql: psycopg.Connection, web_login: str, tmp_path: Path) -> Iterator[Flask]:
    """An application that owns the tables of its database."""
    with new_database(postgresql, f"filing_roles_{secrets.token_hex(4)}") as address:
        yield prepare_app(address, tmp_path)


def as_login(owner_app: Flask, web_login: str, folder: Path, **settings: object) -> Flask:
    """The same application, on the same database by this login."""
    address = owner_app.config["SQLALCHEMY_DATABASE_URI"].replace("postgres@", f"{web_login}@")
    return create_app(settings_of(address, folder) | settings)


def count_seen_by(app: Flask, username: str) -> int:
    with app.app_context():
        access.enter(account_of(username))
        return int(db.session.scalar(select(func.count(Application.id))) or 0)


def test_an_upgrade_reinstalls_the_policies_and_requires_the_owner(
    owner_app: Flask, web_login: str, tmp_path: Path
) -> None:
    create_application(owner_app, "publisher", "filed")
    assert "行级安全已启用" in run_command(owner_app, "database", "roles", web_login).output
    web = as_login(owner_app, web_login, tmp_path)
    assert (count_seen_by(web, "publisher"), count_seen_by(web, "publisher2")) == (1, 0)
    assert create_application(web, "publisher", "pending")
    for command in (("upgrade",), ("database", "roles", web_login), ("backup", tmp_path / "copy")):
        refused = run_command(web, *command)
        assert (refused.exit_code, "须以表的所有者运行" in refused.output) == (1, True), command
    assert run_command(web, "trail", "verify").exit_code == 0
    with owner_app.app_context(), access.everything() as session:
        assert log.newest(session, log.Operation.ROW_SECURITY_INSTALLED) is not None
    assert run_command(owner_app, "upgrade").exit_code == 0
    with owner_app.app_context(), db.engine.connect() as connection:
        assert access.row_security.is_on(connection)
    assert run_command(owner_app, "database", "roles", web_login).exit_code == 0


def test_a_database_login_that_bypasses_row_security_is_refused(owner_app: Flask, web_login: str) -> None:
    for name, why in (("nobody_has_this", "没有登录名"), ("postgres", "管不住它")):
        refused = run_command(owner_app, "database", "roles", name)
        assert (refused.exit_code, why in refused.output) == (1, True)
    with owner_app.app_context(), db.engine.connect() as connection:
        assert not access.row_security.is_on(connection)


@contextmanager
def pooled(login: str, folder: Path, size: int = 1) -> Iterator[str]:
    """The address of a PgBouncer that gives each transaction one of the `size` connections it has to the server."""
    port = free_port()
    host = POSTGRESQL.partition("@")[2].partition(":")
    (folder / "users.txt").write_text(f'"{login}" ""\n', encoding="utf-8")
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host={host[0]} port={host[2]} pool_size={size}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
""",
        encoding="utf-8",
    )
    folder.chmod(0o755)
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    command = [POOLER, "-u", "nobody", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _attempt in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_each_transaction_behind_a_pooler_belongs_to_its_own_account(
    owner_app: Flask, web_login: str, tmp_path: Path
) -> None:
    """One connection for all: no role or setting of the former transaction remains; the time zone is set."""
    create_application(owner_app, "publisher", "filed")
    assert run_command(owner_app, "database", "roles", web_login).exit_code == 0
    with pooled(web_login, tmp_path) as pooler:
        web = as_login(owner_app, web_login, tmp_path, DATABASE_POOLER=True)
        address = web.config["SQLALCHEMY_DATABASE_URI"].replace("127.0.0.1:5432", pooler)
        web = create_app(settings_of(address, tmp_path) | {"DATABASE_POOLER": True})
        for _turn in range(8):  # more often than psycopg needs to prepare a statement
            seen = [count_seen_by(web, who) for who in ("publisher", "publisher2", "reviewer", "reviewer2")]
            assert seen == [1, 0, 1, 0]
        with web.app_context():
            assert db.session().connection().scalar(select(func.current_setting("timezone"))) == "Asia/Shanghai"
            db.session.remove()
            db.engine.dispose()
