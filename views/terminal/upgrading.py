"""Command upgrade."""

import click
import flask_migrate
from flask_babel import gettext as _

from models import access, codes, deadlines, log
from models.backup import registered_store
from models.database import lock_for_migration, revision
from models.log import Operation, Place
from models.statistics import folding
from views.resources import store
from views.terminal.group import Sentence


@click.command(cls=Sentence, help="建立或升级数据库结构。")
def upgrade() -> None:
    """Run all migrations, then add the shipped lists, register the store and count acts.

    Logged when it has changed the tables of an existing database.
    """
    before = revision.current()
    flask_migrate.upgrade()
    after = revision.current()
    with access.everything() as session:
        lock_for_migration(session.connection())  # another process may upgrade the same empty database
        codes.seed_districts(session)
        deadlines.prepare(session)
        if before not in (None, after):
            log.record(session, Operation.UPGRADED, None, Place(), words=f"{before} → {after}")
        session.commit()
        click.echo(_("数据库结构已是最新。"))
        registered_store.register(session, store())
        folding.fold(session)  # a migration may have all acts counted again: 统计 is slow until then
