"""Virus scans of attachments and blank forms that were uploaded before clamd was set up, or scanned long ago."""

from datetime import timedelta

import click
from flask_babel import gettext as _

from models import access, clock
from models.application import scanning
from models.application.attachments import Attachment
from models.application.blank_forms import BlankForm
from models.files.virus import ScannerAway
from models.log import Operation
from models.workflow import Refused
from views.resources import scanner, store
from views.terminal.group import Terminal
from views.terminal.logged import note_and_commit

attachments = Terminal("attachments", help="附件和空白表格：查毒。")


@attachments.command(
    "scan", help="查毒接收时没有查毒的附件；可以随时中断，再次运行即继续。查出病毒和读不到的逐个列出。"
)
@click.option(
    "--again",
    metavar="DAYS",
    type=click.IntRange(min=1),
    help="同时再次查毒：没有查出过病毒，上次查毒在这么多天以前的附件和空白表格",
)
def scan(again: int | None) -> None:
    """Raises SystemExit when a virus was found, now or before, or a file is not in the store."""
    with access.everything() as session:
        scanning.count_unscanned(session)  # an unreadable database is reported first
        before = clock.now() - timedelta(days=again) if again else None
        known, counts = scanner(), {"clean": 0, "found": 0, "lost": 0}
        if known is None:
            raise Refused(_("没有设置 FILING_CLAMD，不能查毒。请安装 clamd 并设置后再运行。"))
        try:
            for file, found in scanning.scan_all(session, store(), known, before):
                counts["lost" if found is None else "found" if found else "clean"] += 1
                if found is None:
                    click.echo(_sentence(file))
        except ScannerAway as away:
            raise Refused(_("查毒程序没有应答（%(why)s），请稍后再次运行，从中断处继续。", why=away)) from away
        finally:
            words = _("查毒没有问题 %(clean)s 个，查出病毒 %(found)s 个，读不到 %(lost)s 个。", **counts)
            click.echo(words)
            note_and_commit(session, Operation.SCANNED, words, counts["found"] + counts["lost"])
        infected = [_sentence(file) for file in scanning.infected_files(session)]
        for form, virus in scanning.infected_forms(session):
            infected.append(_("空白表格“%(name)s”查出病毒：%(virus)s", name=form.name, virus=virus))
    click.echo("\n".join(infected), nl=bool(infected))
    if infected or counts["lost"]:
        raise SystemExit(1)


def _sentence(file: Attachment | BlankForm) -> str:
    if isinstance(file, BlankForm):
        return _("空白表格“%(name)s”无法读取，未查毒。", name=file.name)
    named = {"number": file.application.number, "name": file.name}
    if file.virus is None:
        if file.scanned_at:
            return _("%(number)s 的附件“%(name)s”读不到，没有再次查毒。", **named)
        return _("%(number)s 的附件“%(name)s”读不到，仍为未查毒。", **named)
    return _("%(number)s 的附件“%(name)s”查出病毒：%(virus)s", **named, virus=file.virus)
