"""Commands on the trail: whether the register agrees with itself, checkpoints, and proofs of single entries."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import access, checkpoint, integrity, log
from models.checkpoint import Checkpoint, CheckpointFolder, Unverified, Verifier, proof
from models.checkpoint.chains import CHAINS, LOG, TRAIL, Chain
from models.checkpoint.folder import alone
from models.log import Operation
from models.workflow import Refused
from views.resources import store
from views.terminal.group import Terminal
from views.terminal.logged import note_and_commit

history = Terminal("trail", help="办理记录：核验是否被改动，签署检查点，出具证据。")
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
VERIFIER = click.option("--verifier", metavar="TEXT", help="检查点的公钥，即 trail new-key 显示的任一行。")


@history.command(help="核对办理记录、数据状态、证明、文件和编号是否一致，发现不符时列出并以状态 1 退出。")
@click.option("--checkpoint", "kept", type=click.Path(path_type=Path), help="同时与这个检查点（文件夹或文件）核对。")
@VERIFIER
def verify(kept: Path | None, verifier: str | None) -> None:
    with access.everything() as session:
        found = 0
        for sentence in (*_against(session, kept, verifier), *integrity.contradictions(session, store())):
            click.echo(sentence)
            found += 1
        summary = _("发现 %(count)s 处不符", count=found) if found else _("没有发现不符")
        note_and_commit(session, Operation.VERIFIED, summary, found)
        for what, count in integrity.not_covered(session).items():
            click.echo(
                _(
                    "%(count)s 份%(what)s早于 0021 版数据库，当时没有记下摘要，改动不一定能发现。",
                    count=count,
                    what=what,
                )
            )
    if found:
        raise Refused(_("发现 %(count)s 处不符，请立即查明原因。", count=found))
    click.echo(_("办理记录、证明、文件和编号相互一致，没有发现改动。"))


def _against(session: Session, kept: Path | None, verifier: str | None) -> Iterator[str]:
    """What contradicts the checkpoints in the folder `kept`, or the one in this file; nothing where none is named."""
    if kept is None:
        return
    if kept.is_dir():
        for chain in CHAINS.values():
            _note, signed = _read(kept / chain.name / "checkpoint", verifier, chain)
            yield from checkpoint.contradictions(session, chain, CheckpointFolder(kept / chain.name), signed)
        return
    chain = CHAINS.get(_text(kept).partition("\n")[0].rpartition("/")[2], TRAIL)
    _note, signed = _read(kept, verifier, chain)
    if sentence := checkpoint.differs(session, chain, signed):
        yield sentence


@history.command("new-key", help="生成签署检查点的私钥文件，显示其公钥；私钥请勿与数据库存放在一处。")
@click.argument("file", type=FILE)
@click.option("--name", help="检查点的名称，默认取自 FILING_BASE_URL。")
def new_key(file: Path, name: str | None) -> None:
    key = Ed25519PrivateKey.generate()
    verifiers = [Verifier(_origin(name, chain), key.public_key()) for chain in CHAINS.values()]
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Refused(_("%(file)s 已经存在，没有改动，请换一个文件名。", file=file)) from None
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for verifier in verifiers:
        click.echo(str(verifier))


@history.command("checkpoint", help="签署现有全部办理记录和日志的检查点，写入文件夹；宜每天运行，文件夹另处存放。")
@click.argument("folder", type=FOLDER)
@click.option("--key-file", type=FILE, required=True, envvar="FILING_CHECKPOINT_KEY", help="trail new-key 生成的私钥。")
@click.option("--name", help="检查点的名称，默认取自 FILING_BASE_URL。")
@click.option("--first", is_flag=True, help="这个文件夹中没有以前的检查点，是有意从头开始。")
def sign(folder: Path, key_file: Path, name: str | None, first: bool) -> None:
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(_("%(file)s 不是 trail new-key 生成的私钥，请核对。", file=key_file))
    with alone(folder), access.everything() as session:
        if not first and _is_lost(session, folder):
            raise Refused(
                _("日志记有在这个文件夹签署的检查点，但文件夹中没有，请先查明；有意从头开始的，请加 --first。")
            )
        sizes = {
            chain: checkpoint.take(
                session, chain, CheckpointFolder(folder / chain.name), key, _origin(name, chain)
            ).size
            for chain in CHAINS.values()
        }
        note_and_commit(session, Operation.CHECKPOINT_SIGNED, str(folder), sum(sizes.values()))
    click.echo(_("检查点已签署，覆盖 %(trail)s 条办理记录、%(log)s 条日志。", trail=sizes[TRAIL], log=sizes[LOG]))


def _is_lost(session: Session, folder: Path) -> bool:
    """Whether this folder had a checkpoint, by the log, and has none now: whoever empties it must not go unseen."""
    last = log.newest(session, Operation.CHECKPOINT_SIGNED)
    return last is not None and last.words == str(folder) and not (folder / TRAIL.name / "checkpoint").exists()


@history.command("prove", help="输出一条办理记录的证据（tlog-proof），可脱离本系统核对。")
@click.argument("number", metavar="ID", type=int)
@click.argument("folder", type=FOLDER)
@VERIFIER
def prove(number: int, folder: Path, verifier: str | None) -> None:
    note, signed = _read(folder / TRAIL.name / "checkpoint", verifier, TRAIL)
    with access.everything() as session:
        click.echo(proof.prove(session, CheckpointFolder(folder / TRAIL.name), note, signed, number), nl=False)


@history.command("check-proof", help="核对 trail prove 输出的证据，显示所证明的内容；不使用数据库。")
@click.argument("file", type=FILE)
@VERIFIER
def check_proof(file: Path, verifier: str | None) -> None:
    try:
        proven = proof.check(_text(file), _verifier(verifier, TRAIL))
    except Unverified:
        raise Refused(_("证据不成立，或不是由这把密钥签署的检查点，不能采信。")) from None
    click.echo(proven.entry)
    size = proven.checkpoint.size
    click.echo(_("证据成立：这是检查点所覆盖 %(size)s 条中的第 %(place)s 条。", size=size, place=proven.place))


def _read(kept: Path, verifier: str | None, chain: Chain) -> tuple[str, Checkpoint]:
    """(text, content) of the checkpoint in a file; raises Refused."""
    note, who = _text(kept), _verifier(verifier, chain)
    try:
        return note, who.read(note)
    except Unverified:
        raise Refused(_("这个检查点不是由这把密钥签署的，请核对文件和公钥。")) from None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _verifier(text: str | None, chain: Chain) -> Verifier:
    """The key of `text`, a line that new-key has shown for any chain, under its name for this one."""
    try:
        given = Verifier.of_text(text or "")
    except Unverified:
        raise Refused(_("请用 --verifier 写明 trail new-key 显示的公钥。")) from None
    return Verifier(_origin(given.name.rpartition("/")[0] or given.name, chain), given.key)


def _origin(name: str | None, chain: Chain) -> str:
    """The name of our checkpoints: the host, or another name, and the chain. Raises Refused."""
    name = name or urlsplit(str(current_app.config["BASE_URL"])).netloc
    if not re.fullmatch(r"[^\s+]+", name):
        raise Refused(_("检查点的名称不能含空格和加号，请换一个，例如 filing.example.cn。"))
    return f"{name}/{chain.name}"
