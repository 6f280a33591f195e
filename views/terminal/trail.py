"""Commands trail …: check the integrity of the register, verify checkpoints, prove single entries."""

from collections.abc import Iterator
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access, checkpoint, integrity
from models.checkpoint import Checkpoint, CheckpointFolder, Unverified, Verifier, proof
from models.checkpoint.chains import CHAINS, LOG, TRAIL, Chain, chain_of
from models.checkpoint.cosignature import Cosigner
from models.checkpoint.named_key import NamedKey
from models.checkpoint.remote_witness import is_remote
from models.checkpoint.witnesses import MAIL, FolderWitness, Witness, contradictions
from models.database import revision
from models.log import Operation
from models.log import chain as log_chain
from models.workflow import Refused
from views.resources import remote_witness, store, witnesses
from views.terminal.checkpoints import FILE, FOLDER, origin, sign
from views.terminal.group import Terminal
from views.terminal.logged import note_and_commit

history = Terminal("trail", help="办理记录：核验是否被改动，签署检查点，出具证据。")
history.add_command(sign)
VERIFIER = click.option("--verifier", metavar="TEXT", help="检查点的公钥，即 trail new-key 显示的任一行。")
COSIGNERS = click.option(
    "--cosigner", "cosigners", metavar="TEXT", multiple=True, help="检查点须有这一见证的共签；可写多个公钥。"
)


@history.command(help="核对办理记录、数据状态、证明、文件和编号是否一致，发现不符时列出并以状态 1 退出。")
@click.option(
    "--checkpoint", "recorded", type=click.Path(path_type=Path), help="同时与这个检查点（文件夹或文件）核对。"
)
@click.option("--witness", is_flag=True, help="同时与各见证（FILING_WITNESSES）留存的检查点核对。")
@VERIFIER
@COSIGNERS
def verify(recorded: Path | None, witness: bool, verifier: str | None, cosigners: tuple[str, ...]) -> None:
    with access.everything() as session:
        log_chain.seal_all(session)
        found, unsealed = 0, log_chain.count_unsealed(session)
        witnessed = _by_witnesses(session, verifier) if witness else ()
        for sentence in (
            *_against_checkpoints(session, recorded, verifier, cosigners),
            *witnessed,
            *integrity.contradictions(session, store()),
        ):
            click.echo(sentence)
            found += 1
        summary = _("发现 %(count)s 处不符", count=found) if found else _("没有发现不符")
        note_and_commit(session, Operation.VERIFIED, summary, found)
        _report_what_is_not_covered(session, unsealed)
    if found:
        raise Refused(_("发现 %(count)s 处不符，请立即查明原因。", count=found))
    click.echo(_("办理记录、证明、文件和编号相互一致，没有发现改动。"))


def _report_what_is_not_covered(session: Session, unsealed: int) -> None:
    """`unsealed`: entries of the log without a seal when the comparison began."""
    for what, count in integrity.not_covered(session).items():
        words = _(
            "%(count)s 份%(what)s早于 0021 版数据库，当时没有记下摘要，改动不一定能发现。", count=count, what=what
        )
        click.echo(words)
    if count := integrity.unproven_scans(session):
        words = _("%(count)s 个附件标为上传时已查毒，这一标记没有另外的记录，改动不一定能发现。", count=count)
        click.echo(words)
    if unsealed:
        click.echo(_("日志最新的 %(count)s 条还没有校验值，改动不能发现；稍后会自动补上。", count=unsealed))


def _against_checkpoints(
    session: Session, recorded: Path | None, verifier: str | None, cosigners: tuple[str, ...]
) -> Iterator[str]:
    """Contradictions to the checkpoints in the folder `recorded`, or to the one in this file; none for None."""
    if recorded is None:
        if cosigners:
            raise Refused(_("--cosigner 须与 --checkpoint 一起使用，请写明检查点的文件夹或文件。"))
        return
    if recorded.is_dir():
        for chain in CHAINS.values():
            note, signed = _read(recorded / chain.name / "checkpoint", verifier, chain)
            _report_cosignatures(note, cosigners)
            yield from checkpoint.contradictions(session, chain, CheckpointFolder(recorded / chain.name), signed)
        return
    chain = chain_of(_text(recorded))
    note, signed = _read(recorded, verifier, chain)
    _report_cosignatures(note, cosigners)
    if sentence := checkpoint.differs(session, chain, signed):
        yield sentence


def _report_cosignatures(note: str, cosigners: tuple[str, ...]) -> None:
    """Print when each of these witnesses has cosigned the checkpoint. Raises Refused if one of them has not."""
    for text in cosigners:
        try:
            cosigner = Cosigner.of_text(text)
        except Unverified:
            raise Refused(_("“%(text)s”不是见证的公钥，请向见证核对。", text=text)) from None
        signed_at = cosigner.signed_at(note)
        if signed_at is None:
            raise Refused(_("检查点没有见证 %(name)s 的共签，请核对。", name=cosigner.name))
        click.echo(_("见证 %(name)s 于 %(at)s 共签。", name=cosigner.name, at=f"{signed_at:%Y-%m-%d %H:%M}"))


def _by_witnesses(session: Session, verifier: str | None) -> Iterator[str]:
    """Contradictions to the checkpoints of the witnesses but mail addresses. Raises Refused."""
    names = [name for name in witnesses() if not name.startswith(MAIL)]
    found: list[Witness] = [remote_witness(name) if is_remote(name) else FolderWitness(name) for name in names]
    if not found:
        raise Refused(_("FILING_WITNESSES 中没有可以读取的见证；寄出的检查点，请取回附件，用 --checkpoint 核对。"))
    try:
        for witness in found:
            of_chain = {chain.name: _verifier(verifier, chain) for chain in CHAINS.values()}
            yield from contradictions(session, witness, of_chain)
    except Unverified:
        raise Refused(_("见证留存的检查点不是由这把密钥签署的，请核对。")) from None


@history.command("new-key", help="生成签署检查点的私钥文件，显示其公钥；私钥请勿与数据库存放在一处。")
@click.argument("file", type=FILE)
@click.option("--name", help="检查点的名称，默认取自 FILING_BASE_URL。")
@click.option("--witness", is_flag=True, help="用于见证其他系统的检查点，不用于签署本系统的。")
def new_key(file: Path, name: str | None, witness: bool) -> None:
    key = Ed25519PrivateKey.generate()
    if witness and name:
        raise Refused(_("见证以 FILING_BASE_URL 的主机名共签，不能另取名称，请去掉 --name。"))
    public: list[NamedKey] = [Verifier(origin(name, chain.name), key.public_key()) for chain in CHAINS.values()]
    if witness:
        public = [Cosigner(origin(name, "witness"), key.public_key())]
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Refused(_("%(file)s 已经存在，没有改动，请换一个文件名。", file=file)) from None
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for each in public:
        click.echo(str(each))
    with access.everything() as session:
        if not _is_used():
            click.echo(_("这里没有本系统的数据库，这次操作没有记入操作日志。"), err=True)
            return
        note_and_commit(session, Operation.CHECKPOINT_KEY_MADE, f"{file}；{public[0]}")


def _is_used() -> bool:
    """Whether a database of this release is there: a witness that only cosigns has none."""
    try:
        return revision.refusal() is None
    except SQLAlchemyError:
        return False


@history.command("prove", help="输出一条办理记录或日志的证据（tlog-proof），可脱离本系统核对。")
@click.argument("number", metavar="ID", type=int)
@click.argument("folder", type=FOLDER)
@click.option("--log", "of_log", is_flag=True, help="ID 是日志的编号，不是办理记录的编号。")
@VERIFIER
def prove(number: int, folder: Path, of_log: bool, verifier: str | None) -> None:
    chain = LOG if of_log else TRAIL
    place = CheckpointFolder(folder / chain.name)
    note, signed = _read(place.folder / "checkpoint", verifier, chain)
    with access.everything() as session:
        click.echo(proof.prove(session, chain, place, note, signed, number), nl=False)


@history.command("check-proof", help="核对 trail prove 输出的证据，显示所证明的内容；不使用数据库。")
@click.argument("file", type=FILE)
@VERIFIER
@COSIGNERS
def check_proof(file: Path, verifier: str | None, cosigners: tuple[str, ...]) -> None:
    text = _text(file)
    chain = proof.chain_named_in(text)
    try:
        proven = proof.check(text, _verifier(verifier, chain))
    except Unverified:
        raise Refused(_("证据不成立，或不是由这把密钥签署的检查点，不能采信。")) from None
    _report_cosignatures(proven.note, cosigners)
    click.echo(proven.entry)
    for line in chain.in_words(proven.entry.partition(" ")[2]):
        click.echo(line)
    size = proven.checkpoint.size
    click.echo(_("证据成立：这是检查点所覆盖 %(size)s 条中的第 %(place)s 条。", size=size, place=proven.place))


def _read(recorded: Path, verifier: str | None, chain: Chain) -> tuple[str, Checkpoint]:
    """(text, content) of the checkpoint in a file; raises Refused."""
    note, who = _text(recorded), _verifier(verifier, chain)
    try:
        return note, who.read(note)
    except Unverified:
        raise Refused(_("这个检查点不是由这把密钥签署的，请核对文件和公钥。")) from None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _verifier(text: str | None, chain: Chain) -> Verifier:
    """The public key in `text`, a line of new-key for any chain, with the name of this chain. Raises Refused."""
    try:
        given = Verifier.of_text(text or "")
    except Unverified:
        raise Refused(_("请用 --verifier 写明 trail new-key 显示的公钥。")) from None
    return Verifier(origin(given.name.rpartition("/")[0] or given.name, chain.name), given.key)
