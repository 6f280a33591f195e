"""Batch acts: one act on many ticked rows, each in its own transaction, with a table of the outcomes."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from models import workflow
from models.acts import filing
from models.application.locking import overtaken
from models.database import db
from models.text import clean_text
from models.vocabulary import Action
from views.entrance import security
from views.entrance.security import local
from views.panel.fields import number_of
from views.screens.filing import FilingScreen

MOST = 100
MANY = ", ".join(action.value for action, act in workflow.ACTS.items() if act.many)


@dataclass(frozen=True)
class Outcome:
    """The outcome for one row; `why_not`: the refusal or ""; `made`: number of the certificate that was issued."""

    key: int
    number: str
    title: str
    why_not: str
    made: str = ""


class TogetherScreen(FilingScreen):
    """A list with batch acts."""

    opens = FilingScreen.opens | {"together"}

    def question_for_many(self, action: Action) -> str:
        """The question before an act on many rows, with {count}; "": the act is for single rows."""
        return str(workflow.ACTS[action].many)

    @expose(f"/together/<any({MANY}):action>/", methods=("POST",))
    def together(self, action: str) -> Any:
        """Perform an act on every ticked row; a refusal for one row does not stop the others."""
        wanted, opinion = Action(action), clean_text(request.form.get("opinion")) or ""
        rows = self.picked(request.form.getlist("pick"), wanted, MOST)
        picked = [(row.id, row.number, row.title or "") for row in rows]  # a row may be hidden when its turn comes
        if workflow.ACTS[wanted].opinion:
            filing.check_length(opinion)
            filing.check_given(wanted, opinion)
        outcomes = [self.attempt_one(wanted, *each) for each in picked]
        back = local(request.form.get("url")) or self.get_url(".index_view")
        page = {"action": wanted, "done_word": workflow.ACTS[wanted].done, "outcomes": outcomes}
        return self.render("screens/together.html", return_url=back, **page)

    def attempt_one(self, action: Action, key: int, number: str, title: str) -> Outcome:
        """Perform the act if the row has the version that the list showed; commits, or rolls back and returns why."""
        row = self.get_one(key)
        if row is None:  # withdrawn or deleted while the rows before it were decided
            return Outcome(key, number, title, overtaken(db.session(), None))
        try:
            seen = number_of(request.form.get(f"version-{key}")) or 0  # a missing version counts as version 0
            refused = self.attempt_and_commit(action, row, version=seen)
            made = "" if refused or row.certificate is None else row.certificate.number
        except SQLAlchemyError:
            db.session.rollback()
            current_app.logger.exception("%s of %s among many", action, number)
            words = _("系统没有确认是否办理，请刷新列表核对；事件编号 %(number)s。", number=security.incident_number())
            return Outcome(key, number, title, words)
        return Outcome(key, number, title, str(refused or ""), made)
