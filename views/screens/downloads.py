"""An attachment, as its reader opens or keeps it."""

from pathlib import PurePath
from typing import BinaryIO

from flask import Response, abort, current_app, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.application import disclosure
from models.application.attachments import SHOWN_IN_BROWSER, Attachment, named
from models.application.blank_forms import BlankForm
from models.database import db
from models.log import Handout
from models.workflow import Refused
from views.entrance import security
from views.panel.download import name_plainly
from views.panel.fields import number_of
from views.panel.logged import note_handout_and_commit
from views.panel.screen import Screen
from views.resources import store

# No `sandbox`: Chromium's PDF viewer does not run in a sandbox. What is framed is a PDF or a picture by its content,
# and stays one (nosniff): neither is a document that could run anything.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class DownloadScreen(Screen):
    """What a screen offers whose rows have attachments."""

    opens = frozenset({"attachment"})

    @expose("/attachment/")
    def attachment(self) -> Response:
        """A file, under its own name; the bytes cannot run anything in our name, whatever they are."""
        file = self._readable(number_of(request.args.get("id"))) or abort(404)
        inline = file.media_type in SHOWN_IN_BROWSER and "download" not in request.args
        response = response_with(file, inline)
        kind, number = Handout.FILE_SHOWN if inline else Handout.FILE_SAVED, file.application.number
        words = _("%(kind)s（附件 %(id)s）", kind=file.kind.label, id=file.id)
        note_handout_and_commit(kind, number, words=words)
        return response

    def _readable(self, key: int | None) -> Attachment | None:
        """The file with this number, of a row of this screen, if the person may read it."""
        file = db.session().get(Attachment, key) if key is not None else None
        if file is None or self.get_one(file.application_id) is None:
            return None
        return file if disclosure.may_read(db.session(), file, current_user) else None


def response_with(file: Attachment, inline: bool) -> Response:
    """The bytes of a file, to be shown or saved, whole or the one range that is asked for."""
    name = named(file.name, file.media_type)
    response = send_file(
        content_of(file),
        mimetype=file.media_type,
        as_attachment=not inline,
        download_name=name,
        etag=file.digest,
        conditional=False,
    )
    name_plainly(response, name, f"attachment-{file.id}{PurePath(name).suffix}")
    response.content_length = file.size
    response.make_conditional(request, accept_ranges=True, complete_length=file.size)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"  # shown beside the fields of a case
    return response


def content_of(file: Attachment | BlankForm) -> BinaryIO:
    """The bytes of a file; lost or changed ones are a refusal with the number of its entry in the log."""
    try:
        return store().open(file.digest)
    except FileNotFoundError:
        number = security.incident_number()
        current_app.logger.exception("%s %s has lost its bytes: %s", file.__tablename__, file.id, file.digest)
        sentence = _(
            "附件“%(name)s”的内容缺失或已损坏，请把事件编号 %(number)s 告知系统管理员，由其从备份中找回。",
            name=file.name,
            number=number,
        )
        raise Refused(sentence) from None
