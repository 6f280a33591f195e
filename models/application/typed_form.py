"""自动保存: what one account has typed into the form of an application and has not saved yet.

A draft buffer beside the application, to which only 保存 and 申报 write: so the trail has one entry for each save that
a person made, everybody else goes on seeing what was saved, and an autosave conflicts with nobody's open form. Opening
the form again fills it from the buffer.
"""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.exc import StaleDataError

from models import clock, workflow
from models.application import Application
from models.application.child import Child
from models.application.locking import Conflict, hold
from models.clock import Moment
from models.database import Base
from models.people.accounts import Account
from models.vocabulary import Action
from models.workflow import Refused


class TypedForm(Child, Base):
    """The fields as the browser sends them; `version`: of the application that the page showed.

    `page_key`: of the page that wrote it last; `revision`: counts writes (optimistic lock). Only the account sees it.
    """

    __tablename__ = "typed_form"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    page_key: Mapped[str | None] = mapped_column(String(32))
    revision: Mapped[int] = mapped_column()
    version: Mapped[int] = mapped_column()
    saved_at: Mapped[datetime] = mapped_column(Moment)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)

    application: Mapped[Application] = relationship()

    __mapper_args__ = {"version_id_col": revision}
    __table_args__ = (UniqueConstraint("application_id", "account_id"),)

    def is_of(self, page: str | None, restored: int) -> bool:
        """Whether the page wrote it last, or shows this very revision."""
        return self.revision == restored or (page is not None and self.page_key == page)


def typed_by(session: Session, application: Application, by: Account) -> TypedForm | None:
    """What this account has typed and not saved."""
    own = select(TypedForm).where(TypedForm.application_id == application.id, TypedForm.account_id == by.id)
    return session.scalar(own)


def keep(
    session: Session,
    application: Application,
    by: Account,
    version: int,
    page: str | None,
    restored: int,
    fields: dict[str, str],
) -> TypedForm:
    """Keep the fields, in place of what the same page kept before. The caller commits.

    `restored`: the revision that the page was opened with, 0 for none. Raises Conflict when the application has been
    changed since the page was opened, or another page of this account has been kept meanwhile.
    """
    workflow.check(Action.EDIT, application.status, by.role)
    hold(session, application, workflow.ACTS[Action.EDIT], version)  # no 申报 goes past what is being kept
    typed = typed_by(session, application, by)
    if typed is not None and not typed.is_of(page, restored):
        raise Conflict(_elsewhere(typed))
    if typed is None:
        typed = TypedForm(application=application, application_id=application.id, account_id=by.id)
        session.add(typed)
    typed.page_key, typed.version, typed.saved_at, typed.fields = page, version, clock.now(), fields
    try:
        session.flush()
    except StaleDataError:
        session.rollback()
        raise Conflict(_("本申请刚刚在另一个窗口自动保存，本窗口停止自动保存，没有覆盖。")) from None
    return typed


def _elsewhere(typed: TypedForm) -> str:
    return _(
        "本申请已于 %(when)s 在另一个窗口自动保存，本窗口停止自动保存，没有覆盖。请在那里继续，或在本窗口点击保存。",
        when=typed.saved_at.strftime("%H:%M"),
    )


def forget(session: Session, application: Application, by: Account, page: str | None, restored: int) -> None:
    """Drop what has been saved: the buffer of this page. That of another page stays, for its text is not saved."""
    typed = typed_by(session, application, by)
    if typed is not None and typed.is_of(page, restored):
        session.delete(typed)
        session.flush()


def check_nothing_unsaved(session: Session, application: Application, by: Account) -> None:
    """Raises Refused while something is typed that this account would believe to be submitted, and is not."""
    typed = typed_by(session, application, by)
    if typed is not None and typed.version == application.version:
        when = typed.saved_at.strftime("%m-%d %H:%M")
        raise Refused(_("您于 %(when)s 自动保存的内容还没有写入申请，请打开本申请，核对并保存后再申报。", when=when))
