"""Doubts: points for the applicant to check; shown in the form, and before 申报 at the latest."""

from typing import Any

from flask import flash, redirect, request
from flask_babel import gettext as _

from models.acts.completeness import lacking
from models.acts.doubts import doubts, fingerprint
from models.application import Application
from models.database import db
from models.vocabulary import Action
from models.workflow import Refused
from views.screens.autosave import AutosaveScreen


class DoubtsNotShown(Refused):
    """申报 of an application with doubts that its page has not shown."""

    def __init__(self) -> None:
        super().__init__(_("还没有申报：请先核对页面上方的提示，确认无误后再次点击申报。"))


class DoubtScreen(AutosaveScreen):
    """The part of 备案证明申请 for doubts. The page submits `doubts_shown`, their fingerprint."""

    def attempt_and_commit(self, action: Action, row: Application, **seen: Any) -> Refused | None:
        """As every act, but 申报 is refused until the page has shown the doubts; missing fields are reported first."""
        if action is Action.SUBMIT and "doubts_shown" in request.form:
            found = doubts(db.session(), row)
            if request.form["doubts_shown"] != fingerprint(found) and found and not lacking(row):
                return DoubtsNotShown()
        return super().attempt_and_commit(action, row, **seen)

    def show_refusal(self, refused: Refused, key: int) -> Any:
        if not isinstance(refused, DoubtsNotShown):
            return super().show_refusal(refused, key)
        flash(str(refused), "message")
        return redirect(self.get_url(".edit_view", id=key, doubts=1), 303)

    def doubts_context(self, model: Application | None) -> dict[str, Any]:
        """Template context: the doubts of the application, their fingerprint, whether they have just stopped 申报."""
        found = doubts(db.session(), model) if model is not None else []
        return {"doubts": found, "doubts_shown": fingerprint(found), "declaring": "doubts" in request.args}
