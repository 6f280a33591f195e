"""A new draft from a former application: 复制新建; 重新申请, whose certificate replaces a revoked one."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import workflow
from models.acts import drafts, filing, uploads
from models.application import Application, locking, scanning
from models.application.accepted_files import TryAgain
from models.application.attachments import Attachment, Store, Stored
from models.application.bounds import Bounds
from models.application.carriers import Carrier
from models.columns import written
from models.files.store_errors import StoreUnusable
from models.people.accounts import Account, publishers_for
from models.vocabulary import Action
from models.workflow import Refused


class Begun(Refused):
    """The copy exists already: `application_id`, which this person may open."""

    def __init__(self, old: Application, new: Application) -> None:
        words = {"old": old.number, "new": new.number, "status": new.status.label}
        super().__init__(_("%(old)s 已经重新申请为 %(new)s（%(status)s），没有另建，请在这一份上继续办理。") % words)
        self.application_id = new.id


def copy(session: Session, old: Application, by: Account, store: Store) -> tuple[Application, list[str]]:
    """重新申请: (a draft with the fields, carriers and files of `old`, a sentence for each file that was not copied).

    Raises Begun when an undecided copy exists, Refused when the rule does not allow it, after a rollback if somebody
    else was first. The caller commits. A publisher that no longer entrusts the applicant is left out of the draft.
    """
    act = workflow.check(Action.COPY, old.status, by.role)
    if new := undecided_copy(session, old):
        raise Begun(old, new)
    files, left = _inspect_files(session, old, by, store)  # slow: before the row is locked
    locking.lock_or_roll_back(session, old, act)  # a double click: the second request waits for the first to commit
    if new := undecided_copy(session, old):
        raise Begun(old, new)
    filing.perform(session, Action.COPY, old, by)
    if old.certificate and old.certificate.replaced_by:
        sentence = _("证明 %(old)s 已由 %(new)s 替代，不能再次替代，请查看 %(new)s。")
        raise Refused(sentence % {"old": old.certificate.number, "new": old.certificate.replaced_by.number})
    draft = duplicate(session, old, by)
    draft.replaces = old.certificate if draft.publisher_id else None
    draft.copied_from = old.id
    session.flush()
    bounds = Bounds(len(files), len(files))
    for file, stored in files:
        uploads.attach_stored(session, draft, file.kind, stored, file.name, by, bounds=bounds)
    return draft, left


def duplicate(session: Session, old: Application, by: Account) -> Application:
    """复制新建: a draft with the fields and carriers of `old`, which itself does not change. The caller commits.

    Without files and without a certificate to replace. A publisher that no longer entrusts the applicant is left out of
    the draft. The trail of `old` gets no entry, because some of its readers may not see the draft.
    """
    workflow.check(Action.DUPLICATE, old.status, by.role)
    draft = drafts.start(session, by, _l("由 %(number)s 复制。", number=old.number))
    entrusts = old.publisher_id in {publisher.id for publisher in publishers_for(session, by.organisation_id)}
    drafts.set_publisher(draft, old.publisher_id if entrusts else None, session, by)
    for name in (*written(Application), "unread"):
        setattr(draft, name, getattr(old, name))
    draft.carriers = [_again(row) for row in old.carriers]
    session.flush()
    return draft


def undecided_copy(session: Session, old: Application) -> Application | None:
    """The application copied from `old` that is neither decided nor deleted; of several (old data) the first."""
    made = select(Application).where(
        Application.copied_from == old.id,
        Application.deleted_at.is_(None),
        Application.status.in_(workflow.UNDECIDED),
    )
    return session.scalars(made.order_by(Application.id)).first()


def _again(row: Carrier) -> Carrier:
    names = [
        column.key for column in Carrier.__table__.columns if column.key not in ("id", "application_id", "page_key")
    ]
    return Carrier(**{name: getattr(row, name) for name in names})


def _inspect_files(
    session: Session, old: Application, by: Account, store: Store
) -> tuple[list[tuple[Attachment, Stored]], list[str]]:
    """(files of `old` that are accepted today, a sentence for each file that is not, or whose bytes are lost)."""
    files, left = [], []
    for file in old.current_attachments:
        try:
            scanning.refuse_infected(session, file)  # checked even if no scanner is set now
            with store.open(file.digest) as content:
                files.append((file, store.put(content, file.name, file.size, by.id)))
        except FileNotFoundError:
            left.append(_("附件“%(name)s”的内容缺失，没有复制，请重新上传。", name=file.name))
        except (StoreUnusable, TryAgain):  # temporary: raised, so that another try copies all files
            raise
        except Refused as refused:
            left.append(str(refused))
    return files, left
