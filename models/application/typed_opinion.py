"""自动保存 of the opinion that a reviewer is writing about a case and has not sent (as typed_form.py)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application
from models.application.typed_form import TypedForm, typed_by
from models.people.accounts import Account
from models.vocabulary import Ground
from models.workflow import Refused

LONGEST = 5000  # characters while typing; the limit of an opinion is checked when it is sent


@dataclass(frozen=True)
class TypedOpinion:
    """`grounds`: values of the chosen grounds of the law. `saved_at`: None when there is no text."""

    words: str = ""
    grounds: tuple[str, ...] = ()
    saved_at: datetime | None = None


def of(session: Session, application: Application, by: Account) -> TypedOpinion:
    """The text that `by` has typed since the last 申报."""
    typed = typed_by(session, application, by)
    if typed is None or (application.submitted_at and typed.saved_at < application.submitted_at):
        return TypedOpinion()
    return TypedOpinion(typed.fields.get("opinion", ""), tuple(typed.fields.get("grounds", ())), typed.saved_at)


def save(
    session: Session, application: Application, by: Account, words: str, grounds: Iterable[str]
) -> datetime | None:
    """Store the text, replacing the former one, and return the time. The caller commits.

    An empty text, or a case that is not pending: the stored text is deleted and None returned. Raises Refused for more
    than LONGEST characters.
    """
    if len(words) > LONGEST:
        raise Refused(
            _("意见已有 %(length)s 字，超过 %(most)s 字，没有自动保存，请精简。", length=len(words), most=LONGEST)
        )
    chosen = [ground.value for ground in Ground if ground.value in set(grounds)]
    if not (words.strip() or chosen) or application.status not in workflow.AWAITING:
        forget(session, application, by)
        return None
    typed, fields = typed_by(session, application, by), {"opinion": words.replace("\0", ""), "grounds": chosen}
    if typed is not None and (typed.fields, typed.version) == (fields, application.version):
        return typed.saved_at
    if typed is None:
        typed = TypedForm(application=application, application_id=application.id, account_id=by.id)
        session.add(typed)
    typed.page_key, typed.version, typed.saved_at = None, application.version, clock.now()
    typed.fields = fields
    session.flush()
    return typed.saved_at


def forget(session: Session, application: Application, by: Account) -> None:
    """Delete the stored opinion, because it was sent or emptied; also one from another window. The caller commits."""
    own = delete(TypedForm).where(TypedForm.application_id == application.id, TypedForm.account_id == by.id)
    session.execute(own)
