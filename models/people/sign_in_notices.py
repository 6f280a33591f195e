"""What a person is told after signing in: the previous sign-in, and wrong passwords and codes since then."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.language import listed
from models.people.accounts import Account
from models.people.sessions import Visit
from models.people.signin_failures import failures_between

BEGINNING = datetime(2000, 1, 1, tzinfo=clock.SHANGHAI)  # before any visit


def previous_visit(session: Session, account: Account) -> Visit | None:
    """The visit before the current one; None: there is none."""
    assert account.visit is not None
    earlier = select(Visit).where(Visit.account_id == account.id, Visit.id < account.visit.id)
    return session.scalar(earlier.order_by(Visit.id.desc()).limit(1))


def last_sign_in(visit: Visit) -> str:
    """The notice of the previous sign-in, shown once after signing in; with its address if known."""
    detail = _("上次登录：%(when)s", when=f"{visit.began_at:%Y-%m-%d %H:%M}")
    return detail + (_("，来自 %(address)s", address=visit.address) if visit.address else "")


def advice(account: Account) -> str:
    """What to do when another person has signed in, or tried to."""
    if account.has_password:
        return _("如非本人操作，请修改密码，并告知系统管理员。")
    return _("如非本人操作，请告知系统管理员。")


def failures_notice(session: Session, account: Account) -> str | None:
    """The notice of wrong passwords and codes for this account since its previous visit; None: there were none."""
    assert account.visit is not None
    last = previous_visit(session, account)
    since = last.began_at if last else BEGINNING
    passwords, codes, failure = failures_between(session, account.username, since, account.visit.began_at)
    if failure is None:
        return None
    when = _("%(last)s。其间", last=last_sign_in(last)) if last else _("首次登录之前")
    mistakes = [_("%(count)s 次输错密码", count=passwords)] if passwords else []
    mistakes += [_("%(count)s 次输错恢复码", count=codes)] if codes else []
    return when + _(
        "有 %(what)s，最近一次在 %(when)s，来自 %(address)s。%(advice)s",
        what=listed(mistakes),
        when=f"{failure.at:%Y-%m-%d %H:%M}",
        address=failure.address or _("未知地址"),
        advice=advice(account),
    )
