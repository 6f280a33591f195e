"""打印 (手册 第二章·打印): the one paper of a certificate, or many in one file, made ready one by one."""

from io import BytesIO

from flask import Response, abort, current_app, flash, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import selectinload

from models import clock, workflow
from models.acts import printing
from models.application import Application
from models.certificate import Certificate
from models.certificate.typesetting import Jammed
from models.database import db
from models.vocabulary import Action
from models.workflow import Refused
from views import certificate
from views.entrance import security
from views.panel.fields import number_of
from views.panel.screen import Screen
from views.resources import keys, store


class PrintScreen(Screen):
    """What a screen offers whose rows can be printed."""

    opens = frozenset({"certificate", "prepare", "print_all"})

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
    def print_all(self) -> Response:
        """Every ticked certificate in one PDF; all prints are recorded, or, when one may not be printed, none."""
        try:
            rows = self.picked()
            printing.check(rows, current_user)
            bookmarks = [f"{row.certificate} {row.title}" for row in rows]
            whole = printing.bound(zip(bookmarks, map(self.paper_of, rows), strict=True))
            db.session().rollback()  # read again: making papers may have taken minutes
            printing.record(db.session(), rows, current_user)
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
            return self.back()
        return pdf(whole, _("备案证明合并打印件") + f"-{clock.today():%Y%m%d}.pdf")

    def picked(self) -> list[Application]:
        """The ticked rows, in the order of the list; 404 when one is not there for this person."""
        keys_sent = [number_of(key) or abort(404) for key in dict.fromkeys(request.form.getlist("pick"))]
        if not keys_sent:
            raise Refused(_("请先勾选要打印的记录。"))
        if len(keys_sent) > printing.MOST:
            raise Refused(_("一次最多打印 %(most)s 份，请分批打印。", most=printing.MOST))
        papers = selectinload(Application.certificate).selectinload(Certificate.paper)
        ticked = db.session.query(Application).filter(Application.id.in_(keys_sent)).options(papers)
        found = {row.id: row for row in ticked}
        return [found.get(key) or abort(404) for key in keys_sent]

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


def pdf(content: BytesIO, name: str) -> Response:
    """Shown in the browser, under its name when it is kept."""
    return send_file(content, mimetype="application/pdf", download_name=name)
