"""核验: whether a PDF is the certificate that the register would print today, byte for byte."""

from io import BytesIO
from pathlib import Path

import click
import pikepdf
from flask_babel import gettext as _
from sqlalchemy import select

from models import access, workflow
from models.certificate import Certificate
from models.numbering import is_certificate_number
from views import certificate
from views.terminal import Terminal

papers = Terminal("certificate", help="证明：核验文件。")


@papers.command(help="核验一份证明文件：有效、已作废、内容与登记不一致或查无此证；仅“有效”以状态 0 退出。")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """The verdict in one line."""
    valid, sentence = verdict(file.read_bytes())
    click.echo(sentence)
    if not valid:
        raise SystemExit(1)


def verdict(paper: bytes) -> tuple[bool, str]:
    """(whether it holds, why); the register is asked by the number in the file, then prints again and compares."""
    number = number_in(paper)
    with access.everything() as session:
        found = session.scalar(select(Certificate).where(Certificate.number == number)) if number else None
        if found is None:
            return False, _("查无此证：文件中的证明编号未登记，或文件不是证明。")
        if certificate.pdf(found) != paper:
            return False, _("%(number)s：内容与登记不一致，请以登记内容为准。", number=number)
        if found.application.status not in workflow.VALID:
            return False, _("%(number)s：已作废。", number=number)
        return True, _("%(number)s：有效。", number=number)


def number_in(paper: bytes) -> str | None:
    """The number that ends the title of the PDF, if it can be one."""
    try:
        with pikepdf.open(BytesIO(paper)) as opened:
            number = str(opened.docinfo.get("/Title", "")).rpartition(" ")[2]
    except (pikepdf.PdfError, ValueError):
        return None
    return number if is_certificate_number(number) else None
