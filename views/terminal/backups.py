"""Commands backup, restore and drill. A backup is checked at once; a drill restores it into a temporary database."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import NullPool, create_engine, func, make_url, select, text
from sqlalchemy.orm import Session

from models import access, backup, clock, log
from models.backup import checked, restoring, rotation
from models.customs import hold
from models.database.locks import Lock
from models.log import Operation, Place
from models.notifications import letters
from models.workflow import Refused
from views.resources import store
from views.terminal.drill_folder import empty_folder
from views.terminal.group import Sentence
from views.terminal.logged import failure_noted, note_and_commit

PATH = click.Path(path_type=Path)
SENDS = ("SMTP", "CUSTOMS_GATEWAY", "CHECKPOINTS", "WITNESSES")  # settings that a drill must not have
OWN_ID = "SELECT oid FROM pg_database WHERE datname = current_database()"


class AnotherDrill(Refused):
    """Another drill of this register runs; this one has not failed."""


@click.command("backup", cls=Sentence, help="备份数据库和全部附件到一个空文件夹，并立即核对。")
@click.argument("destination", metavar="DEST", type=PATH)
@click.option("--keep", metavar="RULE", help="DEST 存放多份备份，按规则保留，如 daily=7,weekly=5,monthly=12")
def back_up(destination: Path, keep: str | None) -> None:
    rule = rotation.parse(keep) if keep else None
    place = destination / clock.now().strftime(rotation.NAME) if rule else destination
    with access.everything() as session:
        with (
            failure_noted(session, Operation.BACKUP_FAILED, str(place)),
            ended_by_sigterm(),
            rotation.making(destination) if rule else nullcontext(0) as lock,
        ):
            if rule:
                _make_room(destination, lock)
            before = checked.counts_of(session)
            parts, lost = backup.back_up(session, store(), place)
            counts = _check_then_accept(session, place, before)
            deleted = rotation.rotate(destination, rule) if rule else 0
        words = _("%(path)s，已核对，办理记录 %(rows)s 条", path=place, rows=counts["trail_entry"])
        note_and_commit(session, Operation.BACKED_UP, words, parts)
    click.echo(_("已备份到“%(path)s”，共 %(count)s 个文件，已逐一核对。", path=place, count=parts))
    if deleted:
        click.echo(_("按保留规则删除了 %(count)s 份较早的备份。", count=deleted))
    for wrong in rotation.rejected(destination) if rule else ():
        click.echo(_kept_sentence(wrong), err=True)
    report_lost(lost)


def _make_room(folder: Path, lock: int | None) -> None:
    """Before the new backup, which may fail as they did: delete old rejected backups, and unfinished ones."""
    deleted = {
        _("删除了 %(count)s 份没有通过核对的较早备份。"): rotation.delete_old_rejected(folder),
        _("删除了 %(count)s 份没有做完的备份。"): rotation.delete_unfinished(folder, lock),
    }
    for sentence, count in deleted.items():
        if count:
            click.echo(sentence % {"count": count})


def _check_then_accept(session: Session, place: Path, before: checked.Counts) -> checked.Counts:
    """Table → rows in the backup. One that the check refuses, or the disk does not give back, is kept aside.

    One whose check did not finish (no pg_restore, no answer of the database, a killed process) is no backup: the next
    `--keep` deletes it as unfinished.
    """
    try:
        counts = checked.check(place, before, checked.counts_of(session))
    except (Refused, OSError) as failed:
        if isinstance(failed, Refused) or failed.errno == errno.EIO:
            rotation.reject(place)
            click.echo(_kept_sentence(place), err=True)
        raise
    rotation.accept(place)
    return counts


def _kept_sentence(place: Path) -> str:
    sentence = _("“%(path)s”没有通过核对，不算备份，保留供查明原因；只保留最新的 %(most)s 份，查明后请自行删除。")
    return sentence % {"path": place, "most": rotation.MOST_REJECTED}


@click.command(cls=Sentence, help="把备份恢复到空数据库。")
@click.argument("source", metavar="SRC", type=PATH)
def restore(source: Path) -> None:
    with access.everything() as session:
        with failure_noted(session, Operation.RESTORE_FAILED, str(source)):
            parts, lost = restoring.restore(session, source, store())
        note_and_commit(session, Operation.RESTORED, str(source), parts)
        has_policies = access.row_security.is_on(session.connection())
    click.echo(_("已从“%(path)s”恢复，共 %(count)s 个文件。", path=source, count=parts))
    click.echo(hold.sentence())
    if has_policies:
        click.echo(_("行级安全已一并恢复，但登录名不在备份中：请建立登录名，再运行 filing database roles 登录名。"))
    report_lost(lost)


def report_lost(lost: list[str]) -> None:
    """Raises Refused with the names of lost files, if there are any."""
    if lost:
        raise Refused(_("以下附件的文件缺失或已损坏：%(names)s。请从更早的备份中找回。", names="、".join(lost)))


@click.command("hold", cls=Sentence, help="用数据库工具恢复以后、启动服务之前，暂停提醒、邮件、海关报文和检查点。")
def hold_sending() -> None:
    """As `restore` does: unsent messages are queried at customs before they are sent, waiting e-mails never sent.

    Commits the hold with its log entry; changes nothing while a hold is on.
    """
    with access.everything() as session:
        if hold.begin_new(session):
            letters.skip_unsent(session)
            log.record(session, Operation.HELD, None, Place())
            session.commit()
    click.echo(hold.sentence())


@click.command(cls=Sentence, help="恢复备份以后，放行暂停的提醒、邮件、海关报文和检查点。")
def release() -> None:
    """End the hold, and commit it with its log entry; changes nothing when nothing is held."""
    with access.everything() as session:
        if not hold.end(session):
            click.echo(_("没有暂停，不需要放行。"))
            return
        log.record(session, Operation.RELEASED, None, Place())
        session.commit()
    click.echo(_("已放行，各进程的下一轮起恢复。"))


@click.command(cls=Sentence, help="试恢复：把最近的备份恢复到临时的空库，核对后清除；不发邮件和报文。")
@click.argument("source", metavar="SRC", type=PATH)
def drill(source: Path) -> None:
    place = rotation.newest(source)
    with access.everything() as session:
        try:
            rows = _restore_on_trial(place)
        except AnotherDrill:
            raise
        except Refused as failed:
            note_and_commit(session, Operation.DRILLED, f"{place}，{failed}", 1)
            raise
        note_and_commit(session, Operation.DRILLED, _("%(path)s，核对一致", path=place), 0)
    click.echo(_("“%(path)s”可以恢复：办理记录 %(rows)s 条，数量、校验值和文件一致。", path=place, rows=rows))


def _restore_on_trial(place: Path) -> int:
    """Restore a backup into a temporary database and compare the two; returns the number of trail entries.

    Raises Refused. The database is deleted in any case; after SIGKILL, by the next drill.
    """
    with ended_by_sigterm(), empty_folder() as folder, _empty_database(folder) as address:
        environment = _environment(address, folder)
        _run(environment, "restore", str(place))
        engine = create_engine(address)
        with Session(engine) as session:
            found = checked.counts_of(session)
        engine.dispose()
        expected = checked.counts_in(place, engine.dialect.name)
        differing = [table for table in expected if table != "log_entry" and expected[table] != found[table]]
        if differing:
            raise Refused(_("恢复后行数与备份不同：%(tables)s。", tables="、".join(differing)))
        _run(environment, "trail", "verify")
        return found["trail_entry"]


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, which cleans up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _empty_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database of the same kind, which is dropped afterwards.

    Its name is always the same for one register, so that the next drill drops what a killed one left. Raises Refused
    while another drill runs.
    """
    url = make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        yield f"sqlite:///{folder}/drill.sqlite"
        return
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection, server.connect() as guard:
        guard.execution_options(isolation_level="READ COMMITTED")  # the lock ends with this transaction, or connection
        if not guard.scalar(select(func.pg_try_advisory_xact_lock(int(Lock.DRILL)))):
            raise AnotherDrill(_("另一个 drill 正在进行，请等它结束。"))
        name = f"filing_drill_{connection.scalar(text(OWN_ID))}"
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _environment(address: str, folder: Path) -> dict[str, str]:
    """Environment of a drill's commands: another database and store, and no setting that would send anything."""
    environment = {name: value for name, value in os.environ.items() if name.removeprefix("FILING_") not in SENDS}
    environment |= {"FILING_SQLALCHEMY_DATABASE_URI": address, "FILING_STORE": str(folder / "store")}
    keys = ("SIGNING_KEY", "BASE_URL", "SECRET_KEY", "SIGNING_PASSPHRASE", "TRUSTED_HOSTS")
    return environment | {f"FILING_{key}": str(current_app.config[key]) for key in keys if current_app.config[key]}


def _run(environment: dict[str, str], *words: str) -> None:
    """Run a flask command as a subprocess in this environment. Raises Refused with its output if it fails."""
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    done = subprocess.run(
        command, cwd=current_app.root_path, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[:3]
        raise Refused(_("试恢复没有通过（%(command)s）：%(why)s", command=" ".join(words), why=" ".join(lines)))
