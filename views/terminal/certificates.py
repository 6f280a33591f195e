"""Commands on certificates: verify a file, a number or a code, and make the queued papers."""

import signal
import sys
from pathlib import Path
from typing import Any

import click
from flask_babel import gettext as _

from models import access, verdict
from models.certificate import paper_queue
from models.numbering import is_certificate_number, parse_number
from models.signing import check_code
from models.signing.check_code import Forged
from models.workflow import Refused
from views.certificate import paper_worker
from views.resources import keys
from views.terminal.group import Terminal, run_rounds

papers = Terminal("certificate", help="证明：查验文件和二维码，补制证明文件。")


class FileOrNumber(click.Path):
    """An existing file as a Path, or a certificate number in any spelling as a str."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if is_certificate_number(number := parse_number(str(value))) and not Path(value).exists():
            return number
        return super().convert(value, param, ctx)


@papers.command(help="查验一份证明文件（签名、完整性、是否仍然有效），或按证明编号查验；仅“有效”以状态 0 退出。")
@click.argument("held", metavar="FILE|NUMBER", type=FileOrNumber(exists=True, dir_okay=False, path_type=Path))
def verify(held: Path | str) -> None:
    found = verdict.of_file(held.read_bytes(), keys()) if isinstance(held, Path) else verdict.of_recorded(held)
    click.echo(found.sentence)
    for name, fact in found.facts.items():
        click.echo(f"  {name}：{fact}")
    if found.word != "valid":
        raise SystemExit(1)


@papers.command("verify-code", help="查验二维码内容是否由签发机关签署；只需公钥，不查登记。")
@click.argument("text", metavar="TEXT")
def prove(text: str) -> None:
    try:
        facts = check_code.read(text, keys().code_keys())
    except Forged:
        raise Refused(verdict.forged().sentence) from None
    click.echo(_("二维码由签发机关签署。今天是否仍然有效，请联网查验。"))
    for name, fact in verdict.signed_facts(facts).items():
        click.echo(f"  {name}：{fact}")


@papers.command(help="制作排队等候的证明文件；可以同时运行多个。有没制成的，以状态 1 退出。")
@click.option("--watch", is_flag=True, help="持续运行，证明一经签发即开始制作。")
def work(watch: bool) -> None:
    """Everything that is due, once or for ever."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))  # SystemExit releases the claim for other workers
    failed = 0

    def make() -> None:
        nonlocal failed
        for number, failure in paper_worker.make_due_papers(session, paper_worker.pace()):
            click.echo(f"{number}：{failure or _('证明文件已制成。')}", err=bool(failure))
            failed += bool(failure)

    with access.everything() as session:
        run_rounds(session, make, watch)
    _refuse_if(failed)


@papers.command(help="补制尚未制成的证明文件，被搁置的也再试一次；编号和内容不变。")
def render() -> None:
    made = failed = 0
    with access.everything() as session:
        paper_queue.enqueue_all_missing(session)
        for number, failure in paper_worker.make_due_papers(session, paper_worker.pace()):
            made, failed = made + (not failure), failed + bool(failure)
            if failure:
                click.echo(f"{number}：{failure}", err=True)
    click.echo(_("已补制 %(count)s 份证明文件。", count=made))
    _refuse_if(failed)


def _refuse_if(failed: int) -> None:
    """Raises Refused, and so exits with status 1, when papers were not made."""
    if failed:
        raise Refused(_("有 %(count)s 份没有制成，请按上面的原因处理后再次运行。", count=failed))
