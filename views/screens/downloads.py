"""Download and display of attachments."""

from pathlib import PurePath
from typing import BinaryIO

from flask import Response, abort, current_app, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models.application import disclosure, scanning
from models.application.attachments import SHOWN_IN_BROWSER, Attachment, with_ending
from models.application.blank_forms import BlankForm
from models.database import db
from models.log import Handout
from models.workflow import Refused
from views.entrance import security
from views.panel.download import add_ascii_name
from views.panel.fields import number_of
from views.panel.logged import note_handout_and_commit
from views.panel.screen import Screen
from views.resources import store

# No `sandbox`: Chromium's PDF viewer does not run in a sandbox. A framed file is a PDF or picture by its content, and
# is treated as one (nosniff), so that it cannot run scripts.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class DownloadScreen(Screen):
    """The part of a screen of applications for their attachments."""

    opens = frozenset({"attachment"})

    @expose("/attachment/")
    def attachment(self) -> Response:
        """A file under its own name, with a policy under which it cannot run scripts. Commits a log entry.

        Raises Refused for a file with a virus.
        """
        file = self._readable(number_of(request.args.get("id"))) or abort(404)
        scanning.refuse_infected(db.session(), file)
        inline = file.media_type in SHOWN_IN_BROWSER and "download" not in request.args
        response = response_with(file, inline)
        kind, number = Handout.FILE_SHOWN if inline else Handout.FILE_SAVED, file.application.number
        words = _l("%(kind)s（附件 %(id)s）", kind=file.kind.label, id=file.id)
        note_handout_and_commit(kind, number, words=words)
        return response

    def _readable(self, key: int | None) -> Attachment | None:
        """The attachment with this id, if it is of a row of this screen and the account may read it."""
        file = db.session().get(Attachment, key) if key is not None else None
        if file is None or self.get_one(file.application_id) is None:
            return None
        return file if disclosure.may_read(db.session(), file, current_user) else None


def response_with(file: Attachment, inline: bool) -> Response:
    """Response with a file, whole or the requested range; `inline`: to be displayed, not saved."""
    name = with_ending(file.name, file.media_type)
    response = send_file(
        content_of(file),
        mimetype=file.media_type,
        as_attachment=not inline,
        download_name=name,
        etag=file.digest,
        conditional=False,
    )
    add_ascii_name(response, name, f"attachment-{file.id}{PurePath(name).suffix}")
    response.content_length = file.size
    response.make_conditional(request, accept_ranges=True, complete_length=file.size)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"  # framed by the page of a case
    return response


def content_of(file: Attachment | BlankForm) -> BinaryIO:
    """The bytes of a file. Raises Refused with an incident number when they are lost or changed."""
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
