"""Keys of the authorities: operators are notified before they expire; new ones are entered in the system log."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import log
from models.codes import authority_of
from models.database.locks import Lock, wait_for
from models.log import LogEntry, Operation, Place
from models.notifications import notify_accounts
from models.notifications.events import Event
from models.people.accounts import Account
from models.signing.installed_keys import InstalledKey, ending, installed
from models.signing.keys import Keys
from models.vocabulary import Role


def sentence(key: InstalledKey) -> str:
    """The sentence on the end of validity of a certificate, without a full stop."""
    which = _("%(who)s的证书", who=authority_of(key.province)) if key.province else _("受信任的根证书")
    words = {"which": which, "file": key.file, "day": f"{key.ends_at:%Y-%m-%d}", "days": key.days_left}
    if (key.days_left or 0) < 0:
        return _("%(which)s（%(file)s）已于 %(day)s 到期", **words)
    return _("%(which)s（%(file)s）将于 %(day)s 到期，还有 %(days)s 天", **words)


def warn(session: Session, keys: Keys) -> None:
    """Notify operators of certificates that expire soon, once at each of WARNED; the caller commits."""
    for key in ending(keys):
        name = f"key-{key.fingerprint[:40]}-{key.warned_at}"
        notify_accounts(session, Account.role == Role.OPERATOR, Event.KEY_ENDING, name, detail=sentence(key))


def note_new(session: Session, keys: Keys, by: str = "") -> list[InstalledKey]:
    """Log each key that the log does not have yet; returns them. The caller commits.

    `by`: who installed it, at the terminal; "" when it is found in the folder.
    """
    found = {key.fingerprint: key for key in installed(keys) if key.fingerprint}
    kind = (LogEntry.log == log.LOG_OF[Operation.KEY_INSTALLED.value], LogEntry.kind == Operation.KEY_INSTALLED.value)
    known = select(LogEntry.about).where(*kind)
    if set(found) <= set(session.scalars(known)):  # the usual case: no new key
        return []
    wait_for(session, Lock.KEYS)
    new = [found[each] for each in sorted(set(found) - set(session.scalars(known)))]
    for key in new:
        how = _("由 %(by)s 用命令安装", by=by) if by else _("在密钥文件夹中首次发现")
        words = "，".join(filter(None, (key.file, key.subject, how)))
        log.record(session, Operation.KEY_INSTALLED, None, Place(), about=key.fingerprint, words=words)
    return new
