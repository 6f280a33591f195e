"""The kind of an organisation is fixed while filings or entrustments refer to it."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.application import Application
from models.people.accounts import Entrustment, Organisation
from models.vocabulary import Trade
from models.workflow import Refused


def check_trade(session: Session, organisation: Organisation, trade: Trade) -> None:
    """Raises Refused when a publisher would get another kind while filings or entrustments name it as publisher.

    `session` must see every application (access.everything).
    """
    if organisation.trade is not Trade.PUBLISHER or trade is Trade.PUBLISHER:
        return
    filed = select(Application.id).where(Application.publisher_id == organisation.id)
    if session.scalar(filed.limit(1)) is not None:
        raise Refused(_("已有以该单位为出版单位的申请，单位类型不能更改；不再办理业务的，请取消“启用”。"))
    entrusting = select(Entrustment.id).where(
        Entrustment.publisher_id == organisation.id,
        Entrustment.until >= clock.today(),
        Entrustment.ended_at.is_(None),
    )
    if session.scalar(entrusting.limit(1)) is not None:
        raise Refused(_("该单位作为出版单位的委托尚未到期，请先在“委托”中修改终止日期，再更改单位类型。"))
