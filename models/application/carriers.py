"""A row of 载体信息: what is imported, and how many (手册 第一章)."""

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.application import Application
from models.application.child import Child
from models.columns import by_applicant
from models.database import Base, Exact
from models.text import clean_code


class Carrier(Child, Base):
    """One row of 载体信息; 规格型号, 进口数量 and 单位 are required to submit (手册 第一章)."""

    __tablename__ = "carrier"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(info={"label": _l("序号"), "granted": True})
    kind: Mapped[str | None] = mapped_column(
        String(20),
        info=by_applicant(_l("载体类型"), headings=("载体", "类型", "载体种类", "载体形式"), codes="carrier"),
    )
    specification: Mapped[str | None] = mapped_column(
        String(255), info=by_applicant(_l("规格型号"), headings=("规格", "型号", "规格及型号"), required=True)
    )
    quantity: Mapped[Decimal | None] = mapped_column(
        Exact, info=by_applicant(_l("进口数量"), headings=("数量", "申报数量"), required=True)
    )
    unit: Mapped[str | None] = mapped_column(
        String(3),
        info=by_applicant(
            _lp("measure", "单位"), headings=("计量单位", "数量单位", "单位名称"), required=True, codes="unit"
        ),
    )
    name: Mapped[str | None] = mapped_column(
        String(200), info=by_applicant(_l("名称"), headings=("品名", "商品名称", "节目名称"))
    )
    catalogue_number: Mapped[str | None] = mapped_column(
        String(100), info=by_applicant(_l("版号"), headings=("版号或ISRC",), read=clean_code)
    )
    unit_price: Mapped[Decimal | None] = mapped_column(
        Exact, info=by_applicant(_l("单价"), headings=("价格", "进口单价"))
    )
    currency: Mapped[str | None] = mapped_column(
        String(3), info=by_applicant(_l("币制"), headings=("币种", "货币"), codes="currency")
    )
    note: Mapped[str | None] = mapped_column(String(200), info=by_applicant(_l("备注"), headings=("说明", "附注")))
    unread: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))  # as in Application
    page_key: Mapped[str | None] = mapped_column(String(40))  # of the page that added it, and its place there

    application: Mapped[Application] = relationship(back_populates="carriers")

    __table_args__ = (Index(None, "kind", "application_id"),)  # lists and counts by 载体类型
