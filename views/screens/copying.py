"""重新申请 and 复制新建: a new draft from an earlier application of one's own."""

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.acts import reissue
from models.database import db
from models.workflow import Refused
from views.panel.repeated_saves import duplicate_for_page
from views.resources import store
from views.screens.filing import FilingScreen


class CopyScreen(FilingScreen):
    """The part of 备案证明申请 for acts that create a draft from an earlier application."""

    opens = frozenset({"copy", "duplicate"})

    @expose("/copy/", methods=("POST",))
    def copy(self) -> Any:
        """重新申请: create a complete draft, commit and open its form; the existing draft if there is one already."""
        row = self.named_row(request.form.get("id"))
        old = row.number
        try:
            draft, left = reissue.copy(db.session(), row, current_user, store())
            db.session().commit()
        except reissue.Begun as begun:
            db.session().rollback()
            flash(str(begun), "message")
            return redirect(self.get_url(".edit_view", id=begun.application_id), 303)
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
            return self.back()
        flash(_("已按 %(old)s 新建申请 %(new)s，请核对后申报。", old=old, new=draft.number), "success")
        for sentence in left:
            flash(_("有一个附件没有复制：%(sentence)s", sentence=sentence), "message")
        return redirect(self.get_url(".edit_view", id=draft.id), 303)

    @expose("/duplicate/", methods=("POST",))
    def duplicate(self) -> Any:
        """复制新建: create a draft, commit and open its form; the same draft if one page sends it twice."""
        row = self.named_row(request.form.get("id"))
        draft = duplicate_for_page(db.session(), row, current_user)
        db.session().commit()
        flash(_("已按 %(old)s 新建申请 %(new)s，附件请重新上传。", old=row.number, new=draft.number), "success")
        return redirect(self.get_url(".edit_view", id=draft.id), 303)
