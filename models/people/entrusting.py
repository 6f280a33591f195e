"""委托 between units: a publisher invites a unit, which accepts; either may end it. The caller commits."""

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from models import clock
from models.database import NO_SYNC
from models.database.locks import Lock, wait_for
from models.people.accounts import Account, Entrustment, Organisation, holding, publishers_for
from models.text import normalize_code, without_format_characters
from models.workflow import Refused

MOST_A_DAY = 20  # invitations of a publisher in 24 hours: each sends a message, and perhaps an e-mail


def invite(session: Session, by: Account, agent: str, since: date | None, until: date | None) -> Entrustment:
    """Invite the unit whose name, or credit code, is `agent`; raises Refused. It may apply once it accepts."""
    assert by.organisation is not None
    wait_for(session, Lock.ENTRUST)  # two invitations at once would overlap
    if since is None or until is None:
        raise Refused(_("请填写委托的起止日期。"))
    row = Entrustment(publisher=by.organisation, agent=_named(session, agent), since=since, until=until, pending=True)
    row.assert_complete()
    if row.until < clock.today():
        raise Refused(_("终止日期已经过去，请重新填写。"), "until")
    overlapping = (Entrustment.since <= until, Entrustment.until >= since, Entrustment.ended_at.is_(None))
    same = (Entrustment.publisher_id == row.publisher.id, Entrustment.agent_id == row.agent.id)
    if session.scalar(select(Entrustment.id).where(*same, *overlapping).limit(1)):
        raise Refused(_("贵单位已委托或邀请过该单位，期限有重叠，请在列表中核对；需要改期的，请先终止原来的委托。"))
    lately = Entrustment.offered_at > clock.now() - timedelta(days=1)
    invited = select(func.count(Entrustment.id)).where(Entrustment.publisher_id == row.publisher.id, lately)
    if (session.scalar(invited) or 0) >= MOST_A_DAY:
        raise Refused(_("24 小时内最多发出 %(most)s 份委托邀请（含已撤销的），请稍后再试。", most=MOST_A_DAY))
    row.offered_at = clock.now()
    session.add(row)
    session.flush()
    return row


def assert_may_apply(session: Session, by: Account, publisher_id: int | None) -> None:
    """Raises Refused unless the unit of `by` may apply for this publisher today.

    Locks the entrustment until this transaction ends (PostgreSQL: a row lock; SQLite has one writer at a time).
    """
    if publisher_id != by.organisation_id:
        entrusted = select(Entrustment.id).where(Entrustment.publisher_id == publisher_id, *holding(by.organisation_id))
        session.scalars(entrusted.with_for_update(read=True)).all()
    if publisher_id not in {publisher.id for publisher in publishers_for(session, by.organisation_id)}:
        raise Refused(_("贵单位目前没有受该出版单位委托，不能为其申报，请核对委托期限。"))


def accept(session: Session, row: Entrustment, by: Account) -> None:
    """Accept an invitation; raises Refused when it is no longer open."""
    _change(session, row, Entrustment.pending.is_(True), Entrustment.agent_id == by.organisation_id, pending=False)


def decline(session: Session, row: Entrustment, by: Account) -> None:
    """Decline an invitation; raises Refused when it is no longer open."""
    invited = Entrustment.agent_id == by.organisation_id
    _change(session, row, Entrustment.pending.is_(True), invited, ended_at=clock.now())


def withdraw(session: Session, row: Entrustment, by: Account) -> None:
    """Withdraw an invitation of one's own; raises Refused when it is no longer open."""
    own = Entrustment.publisher_id == by.organisation_id
    _change(session, row, Entrustment.pending.is_(True), own, ended_at=clock.now())


def end(session: Session, row: Entrustment, by: Account) -> None:
    """End an accepted entrustment; raises Refused when it has ended. Submitted applications go on."""
    of_party = or_(Entrustment.publisher_id == by.organisation_id, Entrustment.agent_id == by.organisation_id)
    _change(session, row, Entrustment.pending.is_(False), of_party, ended_at=clock.now())


def state(row: Entrustment) -> str:
    """The state of the entrustment today, as a word for display."""
    today = clock.today()
    for holds, words in (
        (row.ended_at and row.pending, _("邀请已取消")),
        (row.ended_at, _("已终止")),
        (row.until < today, _("已到期")),
        (row.pending, _("待受托单位接受")),
        (row.since > today, _("尚未开始")),
    ):
        if holds:
            return words
    return _("有效")


def _change(session: Session, row: Entrustment, *still: ColumnElement[bool], **values: object) -> None:
    open_ = (Entrustment.id == row.id, Entrustment.ended_at.is_(None), Entrustment.until >= clock.today(), *still)
    changed = update(Entrustment).where(*open_).values(**values)
    if session.execute(changed, **NO_SYNC).rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(_("这项委托刚刚已有变化，没有重复办理，请核对列表中的状态。"))
    session.expire(row)


def _named(session: Session, typed: str) -> Organisation:
    """The active unit of exactly this name or code; no partial match, so that units cannot be listed this way."""
    name = without_format_characters(typed).strip()
    named = or_(Organisation.name == name, Organisation.credit_code == (normalize_code(name) or ""))
    found = session.scalars(select(Organisation).where(Organisation.active, named).limit(2)).all()
    if len(found) != 1:
        words = _("没有找到这个单位，请填写单位全称或统一社会信用代码；尚未登记的单位请联系系统管理员登记。")
        raise Refused(words, "agent")
    return found[0]
