"""Limits on the number of files of an application."""

from dataclasses import dataclass

from flask_babel import gettext as _

from models.application import Application
from models.vocabulary import AttachmentKind
from models.workflow import Refused


@dataclass(frozen=True)
class Bounds:
    """Limits on the files of an application: of one kind, of all kinds, and `ever`, which counts removed files too.

    Removed files stay in the store, because the trail refers to them; without `ever` they could fill the disk.
    """

    per_kind: int = 20
    in_all: int = 100
    ever: int = 400

    def assert_below_limits(self, application: Application, kind: AttachmentKind) -> None:
        """Raises Refused when one more file of this kind would exceed a limit."""
        kinds = [file.kind for file in application.current_attachments]
        if kinds.count(kind) >= self.per_kind:
            sentence = _("“%(kind)s”最多 %(most)s 个文件，请移除不需要的，或把多页合并为一个文件后再上传。")
            raise Refused(sentence % {"kind": kind.label, "most": self.per_kind})
        if len(kinds) >= self.in_all:
            sentence = _("一份申请最多 %(most)s 个附件，请移除不需要的，或把多页合并为一个文件后再上传。")
            raise Refused(sentence % {"most": self.in_all})
        self.assert_few_uploads(application)

    def assert_few_uploads(self, application: Application) -> None:
        """Raises Refused when one more upload would exceed `ever`."""
        if len(application.attachments) >= self.ever:
            sentence = _("这份申请前后已上传 %(most)s 个文件（含已移除的，均须留存），不能再上传，请另建一份申请。")
            raise Refused(sentence % {"most": self.ever})
