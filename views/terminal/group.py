"""Base of the commands: a Refused becomes a sentence and exit status 1; the loop of `--watch`."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import Session

from models.backup import unfinished_restore
from models.customs import hold
from models.database import is_under_row_security, revision
from models.workflow import Refused

RESTORE = "restore"  # the only command allowed while a restore is unfinished
BUILDING = {RESTORE, "upgrade"}  # create or change the tables themselves
WITHOUT_DATABASE = {"verify-code", "schema", "simulate", "new-key", "check-proof"}
OF_THE_OWNER = {RESTORE, "upgrade", "backup", "drill", "roles", "rebuild"}  # need the rights of the owner of the tables
T = TypeVar("T")
POLL = 1  # seconds between two rounds
ROUND = 60  # seconds after which the queue of a round with `--watch` waits for the next one


class Sentence(click.Command):
    """A command that prints a Refused, or an error of database or disk, as a sentence, and exits with status 1.

    It does not start while a restore is unfinished, or on a database of another program or release.
    """

    def invoke(self, context: click.Context) -> Any:
        try:
            if not current_app:  # as with_appcontext does, but before the check below
                context.with_resource(context.ensure_object(ScriptInfo).load_app().app_context())
            self._check_database(bool(context.params.get("watch")))
            return super().invoke(context)
        except Refused as refused:
            sentence = str(refused)
        except DBAPIError as broken:
            sentence = no_answer(broken)
        except BrokenPipeError:  # the reader of the output has closed the pipe
            raise
        except OSError as broken:
            sentence = _("读写失败：%(why)s。", why=_path_and_reason(broken))
        click.echo(sentence, err=True)
        return context.exit(1)

    def _check_database(self, watch: bool) -> None:
        """Raises Refused. With `watch` a database that does not answer is no error: run_rounds() waits for it."""
        unfinished = unfinished_restore.is_unfinished()
        if unfinished and self.name != RESTORE:
            raise Refused(unfinished_restore.sentence())
        if unfinished or self.name in WITHOUT_DATABASE:
            return
        try:
            sentence = revision.refusal(building=self.name in BUILDING)
            if not sentence and self.name in OF_THE_OWNER and is_under_row_security():
                sentence = _("这个命令须以表的所有者运行，请在 FILING_SQLALCHEMY_DATABASE_URI 中写明其登录名。")
        except DBAPIError:
            if watch:
                return
            raise
        if sentence:
            raise Refused(sentence)


class Terminal(AppGroup):
    """A group of Sentence commands."""

    command_class = Sentence


def no_answer(broken: SQLAlchemyError) -> str:
    """The sentence for a database error."""
    why = str(getattr(broken, "orig", broken)).strip().splitlines() or [type(broken).__name__]
    return _("数据库不能使用：%(why)s。请检查数据库和 FILING_SQLALCHEMY_DATABASE_URI 后重试。", why=why[0].rstrip("."))


def _path_and_reason(broken: OSError) -> str:
    return "：".join(str(part) for part in (broken.filename, broken.strerror or broken) if part)


def at_most_every(seconds: float, work: Callable[[], object]) -> Callable[[], None]:
    """`work`, but not again within so many seconds, even if it fails: for a part of a round of `--watch`."""
    last = -seconds

    def maybe() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            work()

    return maybe


def within_round(items: Iterable[T], watch: bool) -> Iterator[T]:
    """The items, which do the work as they are read; with `watch` until ROUND is over, and the next round continues.

    Otherwise a long queue would hold up the rest of the round: reminders, heartbeats, seals of the log.
    """
    began = time.monotonic()
    for item in items:
        yield item
        if watch and time.monotonic() - began >= ROUND:
            return


def run_rounds(session: Session, work: Callable[[], object], watch: bool, sends: bool = False) -> None:
    """Call `work` once; with `watch` for ever. Rolls back between rounds.

    With `watch`, an error of the database is printed once, and the next round tries again; rounds are skipped while a
    restore runs. `sends`: rounds are skipped while sending is held after a restore; without `watch` it raises Refused.
    """
    before = ""
    while True:
        now = ""
        try:
            if watch and unfinished_restore.is_unfinished():
                now = unfinished_restore.sentence()
            elif sends and hold.since(session):
                now = hold.sentence()
            else:
                work()
        except SQLAlchemyError as broken:
            if not watch:
                raise
            now = no_answer(broken)
            if not isinstance(broken, OperationalError | TimeoutError):
                current_app.logger.exception("an unexpected error of the database")
        if now and not watch:
            raise Refused(now)
        if not watch:
            return
        if now and now != before:
            click.echo(now, err=True)
        before = now
        session.rollback()
        time.sleep(POLL)
