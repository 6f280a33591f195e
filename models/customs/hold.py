"""The hold after a restore: no reminder, e-mail, customs message or checkpoint is sent until an operator releases it.

The restored system may be a trial beside the running service. Messages in the panel are written as usual. `restore`
begins the hold; after a restore by tools of the database (pgBackRest, Litestream) an operator runs `hold`.

对账 is not held: it only reads the list of customs, and shows before the release which messages customs has that the
restored register has lost.
"""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import clock
from models.customs import heartbeat, outbox
from models.customs.heartbeat import Heartbeat


def begin_new(session: Session) -> bool:
    """Hold everything that would be sent, and query customs before each unsent message is sent. The caller commits.

    False, after a rollback, when it is held already, also by another process just now, which has then logged it.
    """
    session.add(Heartbeat(id=heartbeat.ON_HOLD, seen_at=clock.now()))
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        return False
    outbox.query_unsent(session)
    return True


def begin_and_commit(session: Session) -> None:
    """As begin_new(), also for a restored register that was held when its backup was made; commits."""
    outbox.query_unsent(session)
    heartbeat.put_round(session, heartbeat.ON_HOLD, "")
    session.commit()


def since(session: Session) -> datetime | None:
    """When the hold began; None: nothing is held."""
    found = heartbeat.last_round(session, heartbeat.ON_HOLD)
    return found[0] if found else None


def sentence() -> str:
    """The notice for the terminal: what is held, and how to release it."""
    return _("恢复备份后，提醒、邮件、海关报文和检查点暂停。确认这是正式使用的系统后，请运行 filing release。")


def end(session: Session) -> bool:
    """End the hold; False when there was none. Due items are sent in the next round. The caller commits."""
    ended = session.execute(delete(Heartbeat).where(Heartbeat.id == heartbeat.ON_HOLD))
    return bool(ended.rowcount)  # type: ignore[attr-defined]
