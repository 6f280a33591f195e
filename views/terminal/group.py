"""What the commands share: a refusal is a sentence with exit status 1, and one loop serves all that `--watch`."""

import time
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.backup import unfinished_restore
from models.workflow import Refused

RESTORE = "restore"  # the one command that may go on where a restore broke off
POLL = 1  # seconds between two rounds


class Sentence(click.Command):
    """A command whose refusal is read as a sentence, not as a traceback; refused while a restore is unfinished."""

    def invoke(self, context: click.Context) -> Any:
        try:
            if not current_app:  # as with_appcontext does, which is called later
                context.with_resource(context.ensure_object(ScriptInfo).load_app().app_context())
            if self.name != RESTORE and unfinished_restore.is_there():
                raise Refused(unfinished_restore.sentence())
            return super().invoke(context)
        except Refused as refused:
            click.echo(str(refused), err=True)
            context.exit(1)


class Terminal(AppGroup):
    """A group of such commands."""

    command_class = Sentence


def run_rounds(session: Session, work: Callable[[], object], watch: bool) -> None:
    """Call `work` once; or for ever, where a database error is logged and tried again. Rolls back between rounds."""
    while True:
        try:
            work()
        except SQLAlchemyError:
            if not watch:
                raise
            current_app.logger.exception("the database does not answer; trying again")
        if not watch:
            return
        session.rollback()
        time.sleep(POLL)
