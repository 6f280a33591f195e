"""The terminal's words about certificates: verify a file, a number or a code, and make papers still to be made."""

import signal
import sys
from pathlib import Path
from typing import Any

import click
from flask_babel import gettext as _

from models import access, verdict
from models.certificate import paper_queue
from models.numbering import is_certificate_number, meant
from models.signing import check_code
from models.signing.check_code import Forged
from models.workflow import Refused
from views.certificate import paper_worker
from views.resources import keys
from views.terminal.group import Terminal, run_rounds

papers = Terminal("certificate", help="证明：查验文件和二维码，补制证明文件。")


class FileOrNumber(click.Path):
    """The path of a file that is there, as a Path; else a certificate's number, however it is spelled, as a str."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if is_certificate_number(number := meant(str(value))) and not Path(value).exists():
            return number
        return super().convert(value, param, ctx)


@papers.command(help="查验一份证明文件（签名、完整性、是否仍然有效），或按证明编号查验；仅“有效”以状态 0 退出。")
@click.argument("held", metavar="FILE|NUMBER", type=FileOrNumber(exists=True, dir_okay=False, path_type=Path))
def verify(held: Path | str) -> None:
    """The verdict, and of a file the facts to compare."""
    said = verdict.of_file(held.read_bytes(), keys()) if isinstance(held, Path) else verdict.of_recorded(held)
    click.echo(said.sentence)
    for name, fact in said.facts.items():
        click.echo(f"  {name}：{fact}")
    if said.word != "valid":
        raise SystemExit(1)


@papers.command("verify-code", help="查验二维码内容是否由签发机关签署；只需公钥，不查登记。")
@click.argument("text", metavar="TEXT")
def prove(text: str) -> None:
    """True or forged, without the register; whether it is valid today only the register knows."""
    try:
        facts = check_code.read(text, keys().code_keys())
    except Forged:
        raise Refused(verdict.forged().sentence) from None
    click.echo(_("二维码由签发机关签署。今天是否仍然有效，请联网查验。"))
    for name, fact in verdict.signed_facts(facts).items():
        click.echo(f"  {name}：{fact}")


@papers.command(help="制作排队等候的证明文件；可以同时运行多个。")
@click.option("--watch", is_flag=True, help="持续运行，证明一经签发即开始制作。")
def work(watch: bool) -> None:
    """Everything that is due, once or for ever."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))  # gives its claim back, so that no other worker waits

    def make() -> None:
        for number, failure in paper_worker.work(session, paper_worker.pace()):
            click.echo(f"{number}：{failure or _('证明文件已制成。')}")

    with access.everything() as session:
        run_rounds(session, make, watch)


@papers.command(help="补制尚未制成的证明文件，被搁置的也再试一次；编号和内容不变。")
def render() -> None:
    """Every certificate that still holds and has no paper; those that another worker has in hand are left to it."""
    made = failed = 0
    with access.everything() as session:
        paper_queue.ask_for_all(session)
        for number, failure in paper_worker.work(session, paper_worker.pace()):
            made, failed = made + (not failure), failed + bool(failure)
            if failure:
                click.echo(f"{number}：{failure}", err=True)
    click.echo(_("已补制 %(count)s 份证明文件。", count=made))
    if failed:
        raise Refused(_("有 %(count)s 份没有制成，请按上面的原因处理后再次运行。", count=failed))
