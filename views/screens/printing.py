"""打印 (手册 第二章·打印): the one paper of a certificate, or many in one file, made ready one by one."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import Response, abort, current_app, flash, redirect, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import selectinload

from models import clock, workflow
from models.acts import papers, printing
from models.application import Application
from models.certificate import Certificate, paper_queue
from models.database import db
from models.log import Handout
from models.vocabulary import Action
from models.workflow import Refused
from views.certificate import paper_worker
from views.entrance import security
from views.panel.download import name_plainly
from views.panel.fields import number_of
from views.panel.logged import note_handout_and_commit
from views.panel.screen import Screen
from views.resources import store


class NotMadeYet(Refused):
    """The paper is not made yet."""


LIFE = timedelta(hours=12)  # in which the file of many can be opened again


class PrintScreen(Screen):
    """What a screen offers whose rows can be printed."""

    opens = frozenset({"certificate", "prepare", "print_all", "bundle"})

    def binds(self, action: Action) -> bool:
        """Whether the toolbar makes one file of many rows by this act."""
        return action is Action.PRINT

    def question_for_many(self, action: Action) -> str:
        """No act is done to many rows by itself."""
        return ""

    @expose("/certificate/")
    def certificate(self) -> Any:
        """The certificate as PDF, by the rule of 打印; to look at it makes nothing and writes nothing.

        While it is being made: a page that reloads itself. `?print=1`: once it is made, that page prints it.
        """
        row = self.get_one(request.args.get("id")) or abort(404)
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
        """204 when the paper of one certificate is made, 202 when a worker has been asked to make it."""
        row = self.get_one(request.form.get("id")) or abort(404)
        try:
            self.paper_of(row)
        except NotMadeYet:
            paper_queue.enqueue_or_retry(db.session(), row.certificate)
            return Response(status=202)
        return Response(status=204)

    @expose("/print-all/", methods=("POST",))
    def print_all(self) -> Any:
        """Record a print of every ticked certificate, or, when one may not be printed, of none; leads to the file."""
        try:
            rows = self.picked(request.form.getlist("pick"))
            keys_of_rows = [row.id for row in rows]
            printing.check(rows, current_user)
            self.check_made(rows)
            for row in rows:  # first: a print that is recorded was one
                self.paper_of(row)
            db.session().rollback()  # read the rows again: reading many papers may have taken a while
            printing.record(db.session(), rows, current_user)
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            return self.not_printed(refused)
        return redirect(self.get_url(".bundle", job=job_of(current_user.id, keys_of_rows)), 303)

    @expose("/bundle/")
    def bundle(self) -> Any:
        """The file of a recorded print of many, for who printed it, as long as all may be printed; records nothing."""
        try:
            rows = self.picked(keys_of(request.args.get("job", "")))
            if sentences := printing.refusals(rows, current_user):
                raise Refused(_("%(sentences)s合并打印件不再提供，请在列表中重新打印。", sentences=sentences))
            bookmarks = [f"{row.certificate} {row.title}" for row in rows]
            whole = printing.bound(zip(bookmarks, map(self.paper_of, rows), strict=True))
            numbers = [str(row.certificate) for row in rows]
        except Refused as refused:
            flash(str(refused), "error")
            return redirect(self.get_url(".index_view"))
        note_handout_and_commit(Handout.PAPERS, *numbers, amount=len(numbers))
        day = f"{clock.today():%Y%m%d}"
        return pdf(whole, _("备案证明合并打印件") + f"-{day}.pdf", f"certificates-{day}.pdf")

    def not_printed(self, refused: Refused) -> Any:
        """A script tells the sentence on its page, whose ticks stay; without one the list opens with it."""
        if security.wants_json():
            raise refused
        flash(str(refused), "error")
        return self.back()

    def picked(self, sent: list[str], action: Action = Action.PRINT, most: int = printing.MOST) -> list[Application]:
        """The rows of these ids, in their order; 404 when one is not there for this person."""
        wanted = [number_of(key) or abort(404) for key in dict.fromkeys(sent)]
        if not wanted:
            raise Refused(_("请先勾选要%(action)s的记录。", action=action.label))
        if len(wanted) > most:
            raise Refused(_("一次最多%(action)s %(most)s 份，请分批%(action)s。", most=most, action=action.label))
        papers = selectinload(Application.certificate).selectinload(Certificate.paper)
        ticked = db.session.query(Application).filter(Application.id.in_(wanted)).options(papers)
        found = {row.id: row for row in ticked}
        return [found.get(key) or abort(404) for key in wanted]

    def check_made(self, rows: list[Application]) -> None:
        """Raises Refused when a paper is not made yet; workers are asked to make all that are not."""
        granted = [row.certificate for row in rows if row.certificate is not None]
        if unmade := [each for each in granted if each.paper is None]:
            for each in unmade:
                paper_queue.enqueue_or_retry(db.session(), each)
            words = _("有 %(count)s 份证明文件正在制作，没有打印任何一份，请几秒钟后再次打印。", count=len(unmade))
            raise Refused(words)

    def ask_for_paper(self, row: Application) -> Any:
        """Lead whoever pressed 打印 too early to the page that waits for the paper, and prints it then."""
        assert row.certificate is not None
        address = self.get_url(".certificate", id=row.id, print=1)
        paper_queue.enqueue_or_retry(db.session(), row.certificate)
        return redirect(address, 303)

    def paper_of(self, row: Application) -> bytes:
        """Its one file; raises Refused when it may not be printed, Unmade when it is not made yet."""
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
    """How far the paper is: "made", "making", "late" (no worker took it up in time), "aside" (it cannot be made now),
    or "" for one that nobody has asked for."""
    task = granted.paper_task
    if granted.paper is not None or task is None:
        return "made" if granted.paper is not None else ""
    if task.set_aside_at is not None:
        return "aside"
    late = clock.now() - task.queued_at > timedelta(seconds=paper_worker.pace().overdue)
    return "late" if late else "making"


def pdf(content: BytesIO, name: str, plain: str = "") -> Response:
    """Opens in the browser, and is saved under `name`; `plain` as in name_plainly()."""
    return name_plainly(send_file(content, mimetype="application/pdf", download_name=name), name, plain)


def job_of(account_id: int, keys_of_rows: list[int]) -> str:
    """The recorded print of these rows, as an address can carry it: who, when, which; signed, 200 rows in 1.3 KB."""
    return str(_signer().dumps([account_id, int(clock.now().timestamp()), *keys_of_rows]))


def keys_of(job: str) -> list[str]:
    """The ids of the rows of a job; raises Refused for one that is forged, somebody else's, or older than LIFE."""
    try:
        account, at, *keys_of_rows = _signer().loads(job)
    except BadSignature:
        account = at = 0
    if account != current_user.id or clock.now().timestamp() - at > LIFE.total_seconds():
        raise Refused(_("合并打印件的地址已失效，请在列表中重新打印。"))
    return [str(key) for key in keys_of_rows]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="bundle")
