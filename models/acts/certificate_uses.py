"""核注 and 核销 as customs reports them: a row, its entry in the trail, and messages to people."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import notifications, workflow
from models.application import Application, trail
from models.application.locking import lock_or_roll_back
from models.certificate.uses import CertificateUse, Usage
from models.clock import now
from models.notifications.events import Event
from models.vocabulary import Step

STEPS = {Usage.NOTED: Step.USE_NOTED, Usage.USED_UP: Step.WRITTEN_OFF}


def record(session: Session, application: Application, use: CertificateUse) -> bool:
    """Record a use that customs reported; False, with no change, when it was recorded before.

    Raises Conflict, after a rollback; the caller commits. The use of a revoked certificate is reported to the province.
    """
    same = [getattr(CertificateUse, name) == getattr(use, name) for name in ("certificate_id", "usage", "reference")]
    if session.scalar(select(exists().where(*same))):
        return False
    step = STEPS[use.usage]
    status = lock_or_roll_back(session, application, workflow.USES[step], application.version)
    use.application_id, use.recorded_at = application.id, now()
    session.add(use)
    words = f"{use.reference} {use.at:%Y-%m-%d %H:%M}"
    entry = trail.record(session, application, step, None, status, words, digest=use.fingerprint())
    notifications.notify(session, application, step, f"trail-{entry.id}")
    if status not in workflow.VALID:
        notifications.notify(session, application, Event.REVOKED_USED, f"used-{entry.id}")
    return True
