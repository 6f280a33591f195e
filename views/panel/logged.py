"""What screens write into the log of the system (models/log.py)."""

from datetime import timedelta
from typing import Any, ClassVar

from flask import current_app, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from models import clock, log
from models.columns import readable
from models.database import briefly, db, is_unavailable, release
from models.log import Handout
from models.vocabulary import Word
from views.entrance.place import place
from views.panel.query_words import in_words
from views.panel.screen import Screen

SECONDS = 3  # that a download waits for the database to take its entry
PARTS = timedelta(hours=1)  # in which the parts of one file are one download
IN_PARTS = frozenset({Handout.PAPER, Handout.FILE_SHOWN, Handout.FILE_SAVED})  # what viewers read so


def note(kind: Word, about: str = "", words: str = "", amount: int | None = None, session: Any = None) -> None:
    """Add an entry in the name of whoever is signed in to the transaction of the act; the caller commits."""
    log.record(session or db.session(), kind, current_user, place(), about, words, amount)


def note_handout_and_commit(kind: Handout, *abouts: str, words: str = "", amount: int | None = None) -> None:
    """An entry for what is handed out by a GET, for each of `abouts`. Commits, as the last step.

    A viewer reads one file in many parts: a part is left out where the same stands in the log within PARTS. A database
    that cannot be written keeps nobody from a file: what should have been entered is then a line, with the error, in
    the log of the process.
    """
    if request.method != "GET":
        return
    who, session = current_user.username, db.session()
    try:
        with briefly(session, SECONDS):
            if (
                kind in IN_PARTS
                and "Range" in request.headers
                and log.has(session, kind, who, abouts[0], words, clock.now() - PARTS)
            ):
                return
            for about in abouts:
                note(kind, about, words, amount)
            session.commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        release()
        current_app.logger.exception("not in the log: %s %s %s %s", who, kind, " ".join(abouts), words)


def note_export_and_commit(name: str, query: Any, amount: int) -> None:
    """An export of so many rows of the list `name`, found by this query form (None: it has none). Commits."""
    note_handout_and_commit(Handout.EXPORT, name, words=in_words(query) if query else "", amount=amount)


class LoggedScreen(Screen):
    """A register of the operator: each save is an entry that says what it was and what it is now."""

    logged: ClassVar[tuple[Word, Word]]  # kinds of the entries: a new row, a changed one

    def about(self, row: Any) -> str:
        """What tells the row from others."""
        raise NotImplementedError

    def save_and_log(self, form: Any, model: Any) -> Any:
        before = self.facts(model) if model else {}
        row = self.save(form, model)
        changed = {label: value for label, value in self.facts(row).items() if before.get(label) != value}
        words = [
            f"{label}：{before[label]} → {value}" if model else f"{label}：{value}" for label, value in changed.items()
        ]
        if changed:
            note(self.logged[1] if model else self.logged[0], self.about(row), "；".join(words))
        return row

    def facts(self, row: Any) -> dict[str, str]:
        """Label → value of each column of the form, as people read it."""
        columns = row.__table__.columns
        return {
            str(self.column_labels[name]): str(readable(getattr(row, name), columns.get(name)) or _("（无）"))
            for name in self.form_columns
            if hasattr(row, name)
        }
