"""Command trail checkpoint: sign a checkpoint once, or daily with --watch, and give it to the witnesses."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import access, checkpoint, clock, log
from models.checkpoint import CheckpointFolder
from models.checkpoint.chains import CHAINS, LOG, TRAIL
from models.checkpoint.folder import alone
from models.checkpoint.named_key import private_key
from models.checkpoint.note import read_text
from models.checkpoint.remote_witness import RemoteWitness, is_remote
from models.checkpoint.witnesses import Handover, hand_over, last_given, mark_of
from models.log import Operation
from models.log import chain as log_chain
from models.workflow import Refused
from views.resources import mail_server, remote_witness, witnesses
from views.terminal.group import Sentence, run_rounds
from views.terminal.logged import note_and_commit

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
DAILY = timedelta(days=1)
RETRY_AFTER = timedelta(minutes=10)


@click.command("checkpoint", cls=Sentence, help="签署现有全部办理记录和日志的检查点，写入文件夹，并交给见证。")
@click.argument("folder", type=FOLDER, envvar="FILING_CHECKPOINTS")
@click.option("--key-file", type=FILE, required=True, envvar="FILING_CHECKPOINT_KEY", help="trail new-key 生成的私钥。")
@click.option("--name", help="检查点的名称，默认取自 FILING_BASE_URL。")
@click.option("--first", is_flag=True, help="这个文件夹中没有以前的检查点，是有意从头开始。")
@click.option("--watch", is_flag=True, help="持续运行，每天签署一次")
def sign(folder: Path, key_file: Path, name: str | None, first: bool, watch: bool) -> None:
    key = _key(key_file)
    retry_at, last_failure = clock.now(), ""

    def work() -> None:
        nonlocal retry_at, last_failure
        if watch and clock.now() < retry_at:
            return
        try:
            if not watch or _is_due(session):
                _sign(session, folder, key, name, first)
            _hand_over_all(session, folder)
            last_failure = ""
        except (Refused, OSError, ValueError) as failed:  # ValueError: a damaged file of the folder
            if not watch:
                raise
            session.rollback()
            retry_at = clock.now() + RETRY_AFTER
            if str(failed) != last_failure:  # print a repeated failure once
                click.echo(str(failed), err=True)
            last_failure = str(failed)

    with access.everything() as session:
        run_rounds(session, work, watch, sends=True)


def _key(file: Path) -> Ed25519PrivateKey:
    try:
        return private_key(file)
    except ValueError:
        raise Refused(_("%(file)s 不是 trail new-key 生成的私钥，请核对。", file=file)) from None


def _is_due(session: Session) -> bool:
    last = log.newest(session, Operation.CHECKPOINT_SIGNED)
    return last is None or clock.now() - last.at >= DAILY


def _sign(session: Session, folder: Path, key: Ed25519PrivateKey, name: str | None, first: bool) -> None:
    """Sign a checkpoint of each chain, and log it. Commits. Raises Refused if former ones are lost, unless `first`."""
    with alone(folder):
        log_chain.seal_all(session)
        if not first and _is_lost(session, folder):
            raise Refused(
                _("日志记有在这个文件夹签署的检查点，但文件夹中没有，请先查明；有意从头开始的，请加 --first。")
            )
        sizes = {
            each: checkpoint.take(
                session, each, CheckpointFolder(folder / each.name), key, origin(name, each.name)
            ).size
            for each in CHAINS.values()
        }
        note_and_commit(session, Operation.CHECKPOINT_SIGNED, str(folder), sum(sizes.values()))
    click.echo(_("检查点已签署，覆盖 %(trail)s 条办理记录、%(log)s 条日志。", trail=sizes[TRAIL], log=sizes[LOG]))


def _is_lost(session: Session, folder: Path) -> bool:
    """Whether the log has a checkpoint in this folder but the folder has none: somebody may have emptied it."""
    last = log.newest(session, Operation.CHECKPOINT_SIGNED)
    return last is not None and last.words == str(folder) and not (folder / TRAIL.name / "checkpoint").exists()


def _hand_over_all(session: Session, folder: Path) -> None:
    """Give the last checkpoint to each witness that lacks it; commits. Raises Refused at the end if any failed.

    Those that cosign are first, so that the others receive the cosignatures, too.
    """
    last, failed = log.newest(session, Operation.CHECKPOINT_SIGNED), []
    for witness in sorted(witnesses(), key=is_remote, reverse=True):
        given = last_given(session, witness)
        if last is None or (given is not None and given >= last.at):
            continue
        session.rollback()  # no transaction is open while another machine answers
        try:
            _hand_over(witness, folder)
        except Refused as refused:
            failed.append(str(refused))
            continue
        name = witness.partition("#")[0]
        note_and_commit(session, Operation.WITNESSED, name, about=mark_of(witness))
        click.echo(_("检查点已交给 %(witness)s。", witness=name))
    if failed:
        raise Refused("".join(failed))


def _hand_over(witness: str, folder: Path) -> None:
    """Give the newest checkpoint of each chain to one witness. Raises Refused."""
    if is_remote(witness):
        with alone(folder):
            _collect_cosignatures(remote_witness(witness), folder)
        return
    notes = {name: (folder / name / "checkpoint").read_text(encoding="utf-8") for name in CHAINS}
    hand_over(witness, Handover({name: (read_text(note).size, note) for name, note in notes.items()}), mail_server())


def _collect_cosignatures(witness: RemoteWitness, folder: Path) -> None:
    for name in CHAINS:
        of_chain = CheckpointFolder(folder / name)
        note = (of_chain.folder / "checkpoint").read_text(encoding="utf-8")
        if witness.cosigner.signed_at(note) is None:  # else: cosigned before the other chain failed
            checkpoint = read_text(note)
            of_chain.publish(checkpoint, witness.cosign(of_chain, checkpoint, note))


def origin(name: str | None, what: str) -> str:
    """The name of a key and origin of a checkpoint: `name` (by default the host name) and `what`. Raises Refused."""
    name = name or urlsplit(str(current_app.config["BASE_URL"])).netloc
    if not re.fullmatch(r"[^\s+]+", name):
        raise Refused(_("检查点的名称不能含空格和加号，请换一个，例如 filing.example.cn。"))
    return f"{name}/{what}"
