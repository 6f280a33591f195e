"""What every word of the terminal shares: a refusal is read as a sentence, with an exit status of 1."""

from typing import Any

import click
from flask.cli import AppGroup

from models.workflow import Refused


class Sentence(click.Command):
    """A command whose refusal is read as a sentence, not as a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except Refused as refused:
            click.echo(str(refused), err=True)
            context.exit(1)


class Terminal(AppGroup):
    """A group of such commands."""

    command_class = Sentence
