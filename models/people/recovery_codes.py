"""One-time codes in place of a lost security key, used once, after the password. Issued by an operator."""

import base64
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, log
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.log import Place, SignIn
from models.people.accounts import Account
from models.people.card_certificates import cards_of
from models.people.security_keys import has_key
from models.people.signin_failures import hashed, record_attempt_and_commit, record_success, record_wrong_and_commit
from models.workflow import Refused

LIFE = timedelta(hours=24)


class RecoveryCode(Base):
    """The code of an account that has not been used. Row security: its own account's, and operators write all."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    ends_at: Mapped[datetime] = mapped_column(Moment)


def give(session: Session, account: Account) -> str:
    """A new code, in clear only here; it replaces a former one. Raises Refused. The caller commits."""
    if not has_key(session, account.id) and not cards_of(session, account.id):
        raise Refused(_("%(name)s 没有登记安全密钥或卡，用密码即可登录，不需要恢复码。", name=account.username))
    code = base64.b32encode(secrets.token_bytes(10)).decode()  # 80 bits
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.add(RecoveryCode(account_id=account.id, code_hash=hashed(code), ends_at=clock.now() + LIFE))
    return "-".join(code[at : at + 4] for at in range(0, 16, 4))


def use_and_commit(session: Session, account: Account, typed: str, place: Place) -> None:
    """Use up the code of the account; raises Refused, and while rate-limited as passwords are. Commits."""
    try:
        attempt = record_attempt_and_commit(session, account.username, place, known_browser=False, is_code=True)
    except Refused:
        log.record(session, SignIn.SLOWED, account, place)
        session.commit()
        raise
    code = "".join(unicodedata.normalize("NFKC", typed).upper().replace("-", "").split())
    right = (RecoveryCode.account_id == account.id) & (RecoveryCode.code_hash == hashed(code))
    used: Any = session.execute(delete(RecoveryCode).where(right, RecoveryCode.ends_at > clock.now()), **NO_SYNC)
    if not used.rowcount:
        log.record(session, SignIn.WRONG_CODE, account, place)
        record_wrong_and_commit(session, attempt)
        raise Refused(_("恢复码不正确，或已使用、已过期，请核对；需要新的恢复码，请联系系统管理员。"))
    record_success(session, attempt)
    session.commit()


def valid_until(session: Session, account_id: int) -> datetime | None:
    """End of validity of the unused code of the account; None: there is none."""
    holds = (RecoveryCode.account_id == account_id) & (RecoveryCode.ends_at > clock.now())
    return session.scalar(select(RecoveryCode.ends_at).where(holds))
