"""Commands on certificates: verify a file, a number or a code, and make the queued papers."""

import signal
import sys
from pathlib import Path
from typing import Any

import click
from flask_babel import gettext as _

from models import access, verdict
from models.certificate import paper_queue, status_list
from models.log import Operation
from models.log import chain as log_chain
from models.numbering import is_certificate_number, parse_number
from models.people import expiry
from models.signing import check_code
from models.signing.check_code import Forged, StatusList
from models.statistics import folding
from models.verdict import Verdict
from models.workflow import Refused
from views.certificate import paper_worker
from views.resources import keys, list_publisher, session_limits
from views.terminal.group import Terminal, at_most_every, run_rounds, within_round
from views.terminal.keys import keys as key_commands
from views.terminal.logged import note_and_commit

papers = Terminal("certificate", help="证明：查验文件和二维码，补制证明文件。")
papers.add_command(key_commands)


class FileOrNumber(click.Path):
    """An existing file as a Path, or a certificate number in any spelling as a str."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if is_certificate_number(number := parse_number(str(value))) and not Path(value).exists():
            return number
        return super().convert(value, param, ctx)


@papers.command(help="查验一份证明文件（签名、完整性、是否仍然有效），或按证明编号查验；仅“有效”以状态 0 退出。")
@click.argument("given", metavar="FILE|NUMBER", type=FileOrNumber(exists=True, dir_okay=False, path_type=Path))
def verify(given: Path | str) -> None:
    found = verdict.of_file(given.read_bytes(), keys()) if isinstance(given, Path) else verdict.of_recorded(given)
    _print_verdict(found)


def _print_verdict(found: Verdict) -> None:
    """Print the verdict; exit with status 1 unless it is 有效."""
    click.echo(found.sentence)
    for name, fact in found.facts.items():
        click.echo(f"  {name}：{fact}")
    if found.word != "valid":
        raise SystemExit(1)


@papers.command(
    "verify-code", help="查验二维码内容是否由签发机关签署；只需公钥，不查登记。有状态名单的，同时查验是否作废。"
)
@click.argument("text", metavar="TEXT")
@click.option("--list", "place", help="状态名单文件，或放名单的文件夹。", type=click.Path(exists=True, path_type=Path))
def verify_code(text: str, place: Path | None) -> None:
    known, complete = keys().read_code_keys()
    try:
        facts = check_code.read(text, known)
    except check_code.Newer:
        raise Refused(verdict.newer().sentence) from None
    except Forged:
        raise Refused(verdict.unsigned(complete).sentence) from None
    unlisted = Verdict("valid", _("二维码由签发机关签署。今天是否仍然有效，请联网查验。"), verdict.signed_facts(facts))
    _print_verdict(verdict.of_list(facts, _read_list(place, facts.number)) if place else unlisted)


def _read_list(place: Path, number: str) -> StatusList:
    """The status list for this number, from a file or folder. Raises Refused."""
    file = check_code.list_in(place, number)
    try:
        return check_code.read_list(file.read_text(encoding="ascii"), keys().code_keys())
    except (Forged, FileNotFoundError, UnicodeDecodeError):
        raise Refused(_("%(file)s 不是签发机关签署的状态名单，请重新下载，或联网查验。", file=file.name)) from None


@papers.command("status-list", help="把各省各年度的状态名单写入文件夹 DEST，供离线查验；名单载明制作和失效时间。")
@click.argument("dest", metavar="DEST", type=click.Path(file_okay=False, path_type=Path))
def write_status_lists(dest: Path) -> None:
    dest.mkdir(parents=True, exist_ok=True)
    failed = 0
    with access.everything() as session:
        for province, year in list(status_list.issued(session)):
            file = dest / f"{province}-{year}.jwt"
            try:
                made = list_publisher().make(session, province, year)
                part = file.with_suffix(".part")
                part.write_text(made, encoding="ascii")
                part.replace(file)  # atomic: no incomplete list under this name
                click.echo(str(file))
            except Refused as why:
                failed += 1
                click.echo(f"{file.name}：{why}", err=True)
    _refuse_if(failed)


@papers.command(help="制作排队等候的证明文件；可以同时运行多个。有没制成的，以状态 1 退出。")
@click.option("--watch", is_flag=True, help="持续运行，证明一经签发即开始制作。")
def work(watch: bool) -> None:
    """Make all papers that are due, once or in a loop; fold counts, seal the log, end timed-out sessions."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))  # SystemExit releases the claim for other workers
    failed = 0
    end_sessions = at_most_every(60, lambda: expiry.end_expired(session, *session_limits()))

    def make() -> None:
        nonlocal failed
        for number, failure in within_round(paper_worker.make_due_papers(session, paper_worker.pace()), watch):
            click.echo(f"{number}：{failure or _('证明文件已制成。')}", err=bool(failure))
            failed += bool(failure)
        folding.fold_due(session)  # each grant is a decision that 统计 counts
        log_chain.seal_some(session)
        end_sessions()  # last: if it fails, the log has been sealed all the same

    with access.everything() as session:
        run_rounds(session, make, watch)
        log_chain.seal_all(session)  # the entries of sessions that this run has ended, which a loop seals in its next
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
        words = _("没有制成 %(count)s 份", count=failed) if failed else ""
        note_and_commit(session, Operation.PAPERS_RENDERED, words, made)
    click.echo(_("已补制 %(count)s 份证明文件。", count=made))
    _refuse_if(failed)


def _refuse_if(failed: int) -> None:
    """Raises Refused, and so exits with status 1, when papers were not made."""
    if failed:
        raise Refused(_("有 %(count)s 份没有制成，请按上面的原因处理后再次运行。", count=failed))
