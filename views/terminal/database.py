"""Commands on the database itself: its roles, and its row-level security."""

import click
from flask import current_app
from flask_babel import gettext as _

from models import access, log
from models.access import row_security
from models.database import postgresql
from models.log import Operation, Place
from views.terminal.group import Terminal

database = Terminal("database", help="数据库：角色和行级安全（仅 PostgreSQL）。")


@database.command(help="建立角色和行级安全策略，并让登录名 LOGIN 只能以这些角色工作；可重复运行。")
@click.argument("login")
def roles(login: str) -> None:
    timeouts = postgresql.Timeouts(**current_app.config["DATABASE_TIMEOUTS"])
    with access.everything() as session:
        connection = session.connection()
        row_security.install(connection)
        row_security.admit(connection, login, postgresql.settings_of(timeouts))
        is_fast = row_security.speed_up_searches(connection)
        log.record(session, Operation.ROW_SECURITY_INSTALLED, None, Place(), words=login)
        session.commit()
    click.echo(_("行级安全已启用。请让网站和各后台进程改用登录名“%(login)s”，再重新启动。", login=login))
    if not is_fast:
        click.echo(_("请由超级用户在这个数据库中执行以下语句，否则按名称检索较慢："))
        click.echo(";\n".join(row_security.LEAKPROOF) + ";")
