"""The terminal's words about certificates: verify a file, a number or a code, and make papers still to be made."""

from pathlib import Path
from typing import Any

import click
from flask_babel import gettext as _
from sqlalchemy import select

from models import access, check_code, workflow
from models.application import Application
from models.certificate import Certificate
from models.check_code import Forged
from models.numbering import is_certificate_number, meant
from models.workflow import Refused
from views import certificate, verdict
from views.office import keys, store
from views.terminal import Terminal

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


@papers.command(help="补制尚未制成的证明文件；编号和内容不变。")
def render() -> None:
    """Every certificate that still holds and whose paper a crash, or nobody yet, has made."""
    wanted = select(Certificate.id, Certificate.number).where(
        ~Certificate.paper.has(), Certificate.application.has(Application.status.in_(workflow.VALID))
    )
    with access.everything() as session:
        waiting = session.execute(wanted.order_by(Certificate.id)).all()
    failed = 0
    for key, number in waiting:
        try:
            certificate.complete(key, store(), keys())
        except Exception as why:  # whatever one meets, the others are made
            failed += 1
            told = str(why) if isinstance(why, Refused) else f"{type(why).__name__}: {why}"
            click.echo(_("%(number)s：%(why)s", number=number, why=told), err=True)
    click.echo(_("已补制 %(count)s 份证明文件。", count=len(waiting) - failed))
    if failed:
        raise Refused(_("有 %(count)s 份没有制成，请按上面的原因处理后再次运行。", count=failed))
