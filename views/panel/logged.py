"""Log entries written by screens (models/log)."""

from datetime import timedelta
from hashlib import sha256
from typing import Any, ClassVar

from flask import current_app, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import access, clock, log
from models.columns import readable
from models.database import briefly, db, is_unavailable, release
from models.language import in_chinese
from models.log import Handout, Place
from models.people.accounts import Account
from models.vocabulary import Word
from models.workflow import Refused
from views.entrance.place import place
from views.panel.fields import VersionField
from views.panel.query_words import in_words
from views.panel.saving import differing
from views.panel.screen import Screen

SECONDS = 3  # that a download waits for its log entry to be written
PARTS = timedelta(hours=1)  # range requests of one file within this time are one entry
IN_PARTS = frozenset({Handout.PAPER, Handout.FILE_SHOWN, Handout.FILE_SAVED})  # read by viewers in range requests


def note(kind: Word, about: object = "", words: object = "", amount: int | None = None, session: Any = None) -> None:
    """Add an entry of the signed-in account to the current transaction; the caller commits."""
    log.record(session or db.session(), kind, current_user, place(), about, words, amount)


def note_handout_and_commit(kind: Handout, *abouts: str, words: object = "", amount: int | None = None) -> None:
    """Log a GET that hands out a file: one entry for each of `abouts`. Commits; call it as the last step.

    A range request is not logged again within PARTS. If the database cannot be written, the file is handed out all the
    same, and the entry is a line with the error in the process log.
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
    """Log an export of `amount` rows of the list `name`; `query`: its query form or None. Commits."""
    with in_chinese():
        words = in_words(query) if query else ""
    note_handout_and_commit(Handout.EXPORT, name, words=words, amount=amount)


def note_end_of_export(account_id: int, where: Place, name: str, is_whole: bool, amount: int) -> None:
    """Log the end of a streamed export, and the number of rows read. Commits.

    In a session of its own: the request's session may have failed.
    """
    kind = Handout.EXPORT_ENDED if is_whole else Handout.EXPORT_BROKEN
    try:
        with access.everything() as session, briefly(session, SECONDS):
            log.record(session, kind, session.get_one(Account, account_id), where, name, amount=amount)
            session.commit()
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        current_app.logger.exception("not in the log: %s %s %s %s", account_id, kind, name, amount)


class LoggedScreen(Screen):
    """A register of the operator: each save is logged with the old and new values, and overwrites no other's."""

    logged: ClassVar[tuple[Word, Word]]  # kinds of the entries: a new row, a changed one

    def about(self, row: Any) -> str:
        """The name or code that identifies the row in the log."""
        raise NotImplementedError

    def assert_editable(self, row: Any) -> None:
        """Raises Refused if the row, locked and refreshed, can no longer be changed."""

    def get_edit_form(self) -> Any:
        form = super().get_edit_form()
        form.seen = VersionField()  # a digest, because these tables count no versions
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if request.method == "GET":
            form.seen.data = self.digest(obj)
        return form

    def digest(self, row: Any) -> str:
        """Of the stored values of a row, to notice that somebody has changed it since a page was opened."""
        with in_chinese():
            return sha256(repr(self.facts(row)).encode()).hexdigest()

    def show_refusal_in_form(self, refused: Refused, form: Any, model: Any) -> tuple[int, dict[str, Any]]:
        """Where somebody else has changed the row, also what is stored now in place of what was typed."""
        status, page = super().show_refusal_in_form(refused, form, model)
        if model is not None and form.seen.data != (stored := self.digest(model)):
            form.seen.data, facts = stored, self.facts(model)
            page |= {"theirs": {name: facts[str(self.column_labels[name])] for name in self.retyped(form, model)}}
        return status, page

    def retyped(self, form: Any, row: Any) -> list[str]:
        """The fields whose typed value is not the stored one, of those that the form shows."""
        return differing(form, row, (name for name in self.form_columns if name in form and hasattr(row, name)))

    def save_and_log(self, form: Any, model: Any) -> Any:
        if model is not None:
            db.session.execute(select(self.model.id).where(self.model.id == model.id).with_for_update())
            db.session.refresh(model)
            self.assert_editable(model)
            if form.seen.data != self.digest(model) and self.retyped(form, model):  # no double click
                raise Refused(_("刚刚已被他人修改，您的改动没有保存。下方是您填写的内容，请核对后再保存。"))
        with in_chinese():
            before = self.facts(model) if model else {}
        row = self.save(form, model)
        with in_chinese():
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
