"""What every word of the terminal shares: a refusal is read as a sentence, with an exit status of 1."""

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo

from models.backup import unfinished_restore
from models.workflow import Refused

RESTORE = "restore"  # the one command that may go on where a restore broke off


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
