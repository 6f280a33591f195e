"""自动保存: the unsaved text that an account has typed into the form of an application.

It is stored beside the application, which only 保存 and 申报 change: the trail gets one entry for each 保存, others see
the saved state, and an autosave never conflicts with another open form. A form that is opened again is filled from it.
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
from models.application.locking import Conflict, lock_or_roll_back
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
        """Whether the page wrote it last, or was opened with this revision."""
        return self.revision == restored or (page is not None and self.page_key == page)


def typed_by(session: Session, application: Application, by: Account) -> TypedForm | None:
    """The unsaved text of this account; None: there is none."""
    own = select(TypedForm).where(TypedForm.application_id == application.id, TypedForm.account_id == by.id)
    return session.scalar(own)


def save(
    session: Session,
    application: Application,
    by: Account,
    version: int,
    page: str | None,
    restored: int,
    fields: dict[str, str],
) -> TypedForm:
    """Store the fields of a page, replacing its former ones. The caller commits; Conflict may have rolled back.

    `restored`: the revision that the page was opened with, 0 for none. Raises Conflict when the application, or the
    text stored from another page of this account, has changed since the page was opened.
    """
    workflow.check(Action.EDIT, application.status, by.role)
    lock_or_roll_back(session, application, workflow.ACTS[Action.EDIT], version)  # no 申报 can run at the same time
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


def forget(session: Session, application: Application, by: Account, page: str | None, restored: int) -> bool:
    """Delete the stored text of this page after 保存; that of another page stays, because it is not saved. The caller
    commits. Returns whether none is left."""
    typed = typed_by(session, application, by)
    if typed is not None and not typed.is_of(page, restored):
        return False
    if typed is not None:
        session.delete(typed)
        session.flush()
    return True


def check_all_saved(session: Session, application: Application, by: Account) -> None:
    """Raises Refused when this account has unsaved text, which 申报 would leave out."""
    typed = typed_by(session, application, by)
    if typed is not None and typed.version == application.version:
        when = typed.saved_at.strftime("%m-%d %H:%M")
        raise Refused(_("您于 %(when)s 自动保存的内容还没有写入申请，请打开本申请，核对并保存后再申报。", when=when))
