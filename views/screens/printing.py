"""打印 (手册 第二章·打印): the paper of a certificate, or many papers in one file."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import Response, abort, current_app, flash, redirect, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import selectinload

from models import clock, workflow
from models.acts import papers, printing
from models.application import Application
from models.certificate import Certificate, paper_queue
from models.database import db
from models.language import recorded
from models.log import Handout
from models.vocabulary import Action
from models.workflow import Refused
from views.certificate import paper_worker
from views.entrance import security
from views.panel.download import add_ascii_name
from views.panel.fields import number_of
from views.panel.logged import note_handout_and_commit
from views.panel.screen import Screen
from views.resources import store


class NotMadeYet(Refused):
    """The paper is not made yet."""


LIFE = timedelta(hours=12)  # of the address of a file of many papers


class PrintScreen(Screen):
    """The part of a screen of applications for printing."""

    opens = frozenset({"certificate", "prepare", "print_all", "bundle"})

    def makes_one_file(self, action: Action) -> bool:
        """Whether the act on many ticked rows makes one file of all of them."""
        return action is Action.PRINT

    def question_for_many(self, action: Action) -> str:
        """The question before an act on many rows; "": the act is for single rows."""
        return ""

    @expose("/certificate/")
    def certificate(self) -> Any:
        """The certificate as PDF, if 打印 is allowed; viewing starts no typesetting. Commits a log entry.

        While the paper is being made: a page that asks every two seconds and opens the paper when it is ready; with
        `?print=1` it also prints it (waiting.js).
        """
        row = self.named_row(request.args.get("id"))
        wanted = "print" in request.args
        try:
            content = self.paper_of(row)
        except NotMadeYet as unmade:
            if row.certificate.paper_task is not None:
                return self.render("screens/waiting.html", model=row, state=state_of(row.certificate), wanted=wanted)
            flash(str(unmade), "error")
            return self.back()
        except Refused as refused:
            flash(str(refused), "error")
            return self.back()
        if wanted:
            return self.render("screens/waiting.html", model=row, state="made", wanted=wanted)
        number = row.certificate.number
        note_handout_and_commit(Handout.PAPER, number)
        return pdf(BytesIO(content), f"{number}.pdf")

    @expose("/prepare/", methods=("POST",))
    def prepare(self) -> Response:
        """204 if the paper of one certificate is made; otherwise queue it and return 202. Commits."""
        row = self.named_row(request.form.get("id"))
        try:
            self.paper_of(row)
        except NotMadeYet:
            paper_queue.enqueue_or_retry(db.session(), row.certificate)
            return Response(status=202)
        return Response(status=204)

    @expose("/print-all/", methods=("POST",))
    def print_all(self) -> Any:
        """Record a print of every ticked certificate, or of none if one is refused; commits. Redirects to the file."""
        try:
            rows = self.picked(request.form.getlist("pick"))
            keys_of_rows = [row.id for row in rows]
            printing.check(rows, current_user)
            self.assert_made_or_enqueue(rows)
            for row in rows:  # first, so that no print is recorded without its paper
                self.paper_of(row)
            db.session().rollback()  # read the rows again: reading many papers may take a while
            printing.record(db.session(), rows, current_user)
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            return self.show_print_refusal(refused)
        return redirect(self.get_url(".bundle", job=job_of(current_user.id, keys_of_rows)), 303)

    @expose("/bundle/")
    def bundle(self) -> Any:
        """The file of many papers for the account that printed them, while all may be printed. Commits a log entry."""
        try:
            rows = self.picked(keys_of(request.args.get("job", "")))
            if sentences := printing.refusals(rows, current_user):
                raise Refused(_("%(sentences)s合并打印件不再提供，请在列表中重新打印。", sentences=sentences))
            bookmarks = [f"{row.certificate} {row.title}" for row in rows]
            whole = printing.join_papers(zip(bookmarks, map(self.paper_of, rows), strict=True))
            numbers = [str(row.certificate) for row in rows]
        except Refused as refused:
            flash(str(refused), "error")
            return redirect(self.get_url(".index_view"))
        note_handout_and_commit(Handout.PAPERS, *numbers, amount=len(numbers))
        day = f"{clock.today():%Y%m%d}"
        return pdf(whole, recorded(_l("备案证明合并打印件")) + f"-{day}.pdf", f"certificates-{day}.pdf")

    def show_print_refusal(self, refused: Refused) -> Any:
        """An error for a script, whose page keeps its ticks; else redirect to the list with the sentence."""
        if security.wants_json():
            raise refused
        flash(str(refused), "error")
        return self.back()

    def picked(self, sent: list[str], action: Action = Action.PRINT, most: int = printing.MOST) -> list[Application]:
        """The rows with these ids, in this order; 404 if one is not visible. Raises Refused for none or too many."""
        wanted = [number_of(key) or abort(404) for key in dict.fromkeys(sent)]
        if not wanted:
            raise Refused(_("请先勾选要%(action)s的记录。", action=action.label))
        if len(wanted) > most:
            raise Refused(_("一次最多%(action)s %(most)s 份，请分批%(action)s。", most=most, action=action.label))
        papers = selectinload(Application.certificate).selectinload(Certificate.paper)
        ticked = db.session.query(Application).filter(Application.id.in_(wanted)).options(papers)
        found = {row.id: row for row in ticked}
        return [found.get(key) or abort(404) for key in wanted]

    def assert_made_or_enqueue(self, rows: list[Application]) -> None:
        """If papers are not made yet, queue all of them, commit, and raise Refused."""
        granted = [row.certificate for row in rows if row.certificate is not None]
        if unmade := [each for each in granted if each.paper is None]:
            for each in unmade:
                paper_queue.enqueue_or_retry(db.session(), each)
            words = _("有 %(count)s 份证明文件正在制作，没有打印任何一份，请几秒钟后再次打印。", count=len(unmade))
            raise Refused(words)

    def enqueue_paper_then_redirect(self, row: Application) -> Any:
        """Queue the paper, commit, and redirect to the page that waits for it and prints it."""
        assert row.certificate is not None
        address = self.get_url(".certificate", id=row.id, print=1)
        paper_queue.enqueue_or_retry(db.session(), row.certificate)
        return redirect(address, 303)

    def paper_of(self, row: Application) -> bytes:
        """The PDF of its certificate. Raises NotMadeYet, or Refused when it may not be printed or is lost."""
        if sentence := workflow.refusal(Action.PRINT, row.status, current_user.role):
            raise Refused(sentence)
        assert row.certificate is not None
        if row.certificate.paper is None:
            raise NotMadeYet(_("证明文件还没有制成，请点击“打印”制成后查看。"))
        try:
            return papers.paper(row.certificate, store())
        except papers.PaperLost as lost:
            number = security.incident_number()
            current_app.logger.exception("the paper of a certificate is lost")
            words = _("证明文件缺失或已损坏，请把事件编号 %(number)s 告知系统管理员，由其从备份中找回。", number=number)
            raise Refused(words) from lost


def state_of(granted: Certificate) -> str:
    """State of the paper: "made", "making", "late" (overdue), "aside" (dead letter), or "" (not queued)."""
    if granted.paper is not None:
        return "made"
    task = granted.paper_task
    if task is None:
        return ""
    if task.set_aside_at is not None:
        return "aside"
    late = clock.now() - task.queued_at > timedelta(seconds=paper_worker.pace().overdue)
    return "late" if late else "making"


def pdf(content: BytesIO, name: str, plain: str = "") -> Response:
    """A PDF to be displayed in the browser, with the file name `name`; `plain` as in add_ascii_name()."""
    return add_ascii_name(send_file(content, mimetype="application/pdf", download_name=name), name, plain)


def job_of(account_id: int, keys_of_rows: list[int]) -> str:
    """Signed token of a recorded print for addresses: account, time, rows; 1.3 KB for 200 rows."""
    return str(_signer().dumps([account_id, int(clock.now().timestamp()), *keys_of_rows]))


def keys_of(job: str) -> list[str]:
    """The row ids in a token of job_of(). Raises Refused if it is forged, of another account, or older than LIFE."""
    try:
        account, at, *keys_of_rows = _signer().loads(job)
    except BadSignature:
        account = at = 0
    if account != current_user.id or clock.now().timestamp() - at > LIFE.total_seconds():
        raise Refused(_("合并打印件的地址已失效，请在列表中重新打印。"))
    return [str(key) for key in keys_of_rows]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="bundle")
