"""The command line: `flask --app app …`. A command is imported when it is called: the web workers call none."""

from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

# Command → where it is: module:name.
COMMANDS = {
    "upgrade": "views.terminal.upgrading:upgrade",
    "demo": "views.terminal.demonstration:load_demo",
    "account": "views.terminal.accounts:account",
    "sweep": "views.terminal.sweeping:sweep",
    "search": "views.terminal.searching:searching",
    "customs": "views.terminal.customs:exchange",
    "certificate": "views.terminal.certificates:papers",
    "trail": "views.terminal.trail:history",
    "mail": "views.terminal.mail:mail",
    "attachments": "views.terminal.attachments:attachments",
    "statistics": "views.terminal.counts:counts",
    "backup": "views.terminal.backups:back_up",
    "restore": "views.terminal.backups:restore",
    "hold": "views.terminal.backups:hold_sending",
    "release": "views.terminal.backups:release",
    "drill": "views.terminal.backups:drill",
    "database": "views.terminal.database:database",
    "db": "flask_migrate.cli:db",
}


class Commands(AppGroup):
    """The commands of the application."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _colon, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


def init_app(app: Flask) -> None:
    """Replace Flask's own empty group of commands."""
    app.cli = Commands(app.name)
