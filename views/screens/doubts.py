"""What the applicant should look at again: shown in the form, and before 申报 at the latest."""

from typing import Any

from flask import flash, redirect, request
from flask_babel import gettext as _

from models.acts.completeness import lacking
from models.application import Application
from models.application.doubts import doubts, fingerprint
from models.database import db
from models.vocabulary import Action
from models.workflow import Refused
from views.screens.autosave import AutosaveScreen


class NotToldYet(Refused):
    """申报 of an application with doubts that its page has not shown."""

    def __init__(self) -> None:
        super().__init__(_("还没有申报：请先核对页面上方的提示，确认无误后再次点击申报。"))


class DoubtScreen(AutosaveScreen):
    """The screen whose 申报 tells of doubts first. A page of ours sends `told`, the fingerprint of those it shows."""

    def attempt_and_commit(self, action: Action, row: Application, **seen: Any) -> Refused | None:
        """As every act; 申报 waits until its page has shown the doubts. What is incomplete is told first."""
        if action is Action.SUBMIT and "told" in request.form:
            found = doubts(db.session(), row)
            if request.form["told"] != fingerprint(found) and found and not lacking(row):
                return NotToldYet()
        return super().attempt_and_commit(action, row, **seen)

    def show_refusal(self, refused: Refused, key: int) -> Any:
        if not isinstance(refused, NotToldYet):
            return super().show_refusal(refused, key)
        flash(str(refused), "message")
        return redirect(self.get_url(".edit_view", id=key), 303)

    def doubt_page(self, model: Application | None) -> dict[str, Any]:
        """The doubts that the form shows."""
        found = doubts(db.session(), model) if model is not None else []
        return {"doubts": found, "told": fingerprint(found)}
