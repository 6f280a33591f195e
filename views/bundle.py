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

from models import bundle, clock, workflow
from models.application import Application
from models.certificate import Certificate
from models.db import db
from models.press import Jammed
from models.vocabulary import Action
from models.workflow import Refused
from views import certificate, security
from views.base import Screen
from views.download import name_plainly
from views.fields import number_of
from views.office import keys, store

LIFE = timedelta(hours=12)  # in which the file of many can be opened again


class PrintScreen(Screen):
    """What a screen offers whose rows can be printed."""

    opens = frozenset({"certificate", "prepare", "print_all", "bundle"})

    def binds(self, action: Action) -> bool:
        """Whether the toolbar does this act on many rows at once."""
        return action is Action.PRINT

    @expose("/certificate/")
    def certificate(self) -> Response:
        """The certificate as PDF, by the rule of 打印; to look at it makes nothing and writes nothing."""
        row = self.get_one(request.args.get("id")) or abort(404)
        try:
            content = self.paper_of(row, made=True)
        except Refused as refused:
            flash(str(refused), "error")
            return self.back()
        return pdf(BytesIO(content), f"{row.certificate.number}.pdf")

    @expose("/prepare/", methods=("POST",))
    def prepare(self) -> Response:
        """Make the paper of one certificate if it never was made, so that many can then be bound at once."""
        self.paper_of(self.get_one(request.form.get("id")) or abort(404))
        return Response(status=204)

    @expose("/print-all/", methods=("POST",))
    def print_all(self) -> Any:
        """Record a print of every ticked certificate, or, when one may not be printed, of none; leads to the file."""
        try:
            rows = self.picked(request.form.getlist("pick"))
            keys_of_rows = [row.id for row in rows]
            bundle.check(rows, current_user)
            for row in rows:  # first: a print that is recorded was one
                self.paper_of(row)
            db.session().rollback()  # read again: making papers may have taken minutes
            bundle.record(db.session(), rows, current_user)
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
            if sentences := bundle.refusals(rows, current_user):
                raise Refused(_("%(sentences)s合并打印件不再提供，请在列表中重新打印。", sentences=sentences))
            bookmarks = [f"{row.certificate} {row.title}" for row in rows]
            whole = bundle.bound(zip(bookmarks, map(self.paper_of, rows), strict=True))
        except Refused as refused:
            flash(str(refused), "error")
            return redirect(self.get_url(".index_view"))
        day = f"{clock.today():%Y%m%d}"
        return pdf(whole, _("备案证明合并打印件") + f"-{day}.pdf", f"certificates-{day}.pdf")

    def not_printed(self, refused: Refused) -> Any:
        """A script tells the sentence on its page, whose ticks stay; without one the list opens with it."""
        if security.wants_json():
            raise refused
        flash(str(refused), "error")
        return self.back()

    def picked(self, sent: list[str]) -> list[Application]:
        """The rows of these ids, in their order; 404 when one is not there for this person."""
        wanted = [number_of(key) or abort(404) for key in dict.fromkeys(sent)]
        if not wanted:
            raise Refused(_("请先勾选要打印的记录。"))
        if len(wanted) > bundle.MOST:
            raise Refused(_("一次最多打印 %(most)s 份，请分批打印。", most=bundle.MOST))
        papers = selectinload(Application.certificate).selectinload(Certificate.paper)
        ticked = db.session.query(Application).filter(Application.id.in_(wanted)).options(papers)
        found = {row.id: row for row in ticked}
        return [found.get(key) or abort(404) for key in wanted]

    def paper_of(self, row: Application, made: bool = False) -> bytes:
        """Its one file, `made` already or made now; raises Refused when it may not be printed, or cannot be made."""
        if sentence := workflow.refusal(Action.PRINT, row.status, current_user.role):
            raise Refused(sentence)
        assert row.certificate is not None
        if made and row.certificate.paper is None:
            raise Refused(_("证明文件还没有制成，请点击“打印”制成后查看。"))
        try:
            return certificate.paper(row.certificate, store(), keys())
        except Jammed as jammed:
            current_app.logger.exception("no paper for certificate %s", row.certificate.number)
            raise Refused(_("证明文件暂时无法生成，证明不受影响，请稍后再次打印。")) from jammed
        except certificate.Lost as lost:
            number = security.incident()
            current_app.logger.exception("the paper of a certificate is lost")
            words = _("证明文件缺失或已损坏，请把事件编号 %(number)s 告知系统管理员，由其从备份中找回。", number=number)
            raise Refused(words) from lost


def pdf(content: BytesIO, name: str, plain: str = "") -> Response:
    """Shown in the browser, under its name when it is kept; `plain` as in name_plainly()."""
    return name_plainly(send_file(content, mimetype="application/pdf", download_name=name), name, plain)


def job_of(account_id: int, keys_of_rows: list[int]) -> str:
    """The recorded print of these rows, as an address can carry it: who, when, which; signed, 200 rows in 1.3 KB."""
    return str(_signer().dumps([account_id, int(clock.now().timestamp()), *keys_of_rows]))


def keys_of(job: str) -> list[str]:
    """The ids of the rows of a job; raises Refused for one that is not ours, somebody else's, or older than LIFE."""
    try:
        account, at, *keys_of_rows = _signer().loads(job)
    except BadSignature:
        account = at = 0
    if account != current_user.id or clock.now().timestamp() - at > LIFE.total_seconds():
        raise Refused(_("合并打印件的地址已失效，请在列表中重新打印。"))
    return [str(key) for key in keys_of_rows]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="bundle")
