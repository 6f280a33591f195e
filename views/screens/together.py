"""One act on many ticked rows: each in a transaction of its own, with a table of what became of each."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from models import workflow
from models.acts import filing
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
    """What became of one row: `why_not`: the sentence that refused the act, or "" and what the act made."""

    key: int
    number: str
    title: str
    why_not: str
    made: str = ""


class TogetherScreen(FilingScreen):
    """A list whose acts can be done to many rows at once."""

    opens = FilingScreen.opens | {"together"}

    def question_for_many(self, action: Action) -> str:
        """What is asked before the act is done to many rows, with {count} for how many; "" for one row at a time."""
        return str(workflow.ACTS[action].many)

    @expose(f"/together/<any({MANY}):action>/", methods=("POST",))
    def together(self, action: str) -> Any:
        """Every ticked row through the one function for acts; a row that is refused stops none of the others."""
        wanted, opinion = Action(action), clean_text(request.form.get("opinion")) or ""
        keys = [row.id for row in self.picked(request.form.getlist("pick"), wanted, MOST)]
        if workflow.ACTS[wanted].opinion:
            filing.check_length(opinion)
            filing.check_given(wanted, opinion)
        outcomes = [self.attempt_one(wanted, key) for key in keys]
        back = local(request.form.get("url")) or self.get_url(".index_view")
        page = {"action": wanted, "done_word": workflow.ACTS[wanted].done, "outcomes": outcomes}
        return self.render("screens/together.html", return_url=back, **page)

    def attempt_one(self, action: Action, key: int) -> Outcome:
        """The act on the version of the row that the list showed; commits, or rolls back and tells why."""
        row = self.get_one(key)
        number, title = row.number, row.title or ""
        try:
            seen = number_of(request.form.get(f"version-{key}")) or 0  # a form that says none has seen nothing
            refused = self.attempt_and_commit(action, row, version=seen)
            made = "" if refused or row.certificate is None else row.certificate.number
        except SQLAlchemyError:
            db.session.rollback()
            current_app.logger.exception("%s of %s among many", action, number)
            told = _("系统没有确认是否办理，请刷新列表核对；事件编号 %(number)s。", number=security.incident_number())
            return Outcome(key, number, title, told)
        return Outcome(key, number, title, str(refused or ""), made)
