"""The application for one consignment (手册 第一章: 基本信息); its rows of 载体信息 are in carriers.py."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, Computed, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from models import workflow
from models.application import hints
from models.application.sort_keys import SortKey, sort_key
from models.clock import Moment
from models.columns import ComparedJson, by_applicant, by_system, days_out_of_range, lack, wrong_cells
from models.database import Base
from models.database.keys import BIG
from models.text import clean_capitals, clean_code, clean_line, normalize_identifier, parse_hs_code, search_key
from models.vocabulary import AttachmentKind, Category, Filing, Part, Status, WordColumn

if TYPE_CHECKING:
    from models.application.attachments import Attachment
    from models.application.carriers import Carrier
    from models.application.trail import TrailEntry
    from models.certificate import Certificate

MOST_CARRIERS = 3000
MOST_DRAFTS = 1000  # of an organisation at a time
SORTED_BY = (
    (), ("number",), ("applied_on",), ("status_order",), ("status_order", "applied_on"), ("publisher_sort",),
    ("title_sort",), ("last_change",), ("sheets",), ("status_order", "sheets"),
)  # fmt: skip
IN_ORDER = " ".join(f"WHEN '{status.value}' THEN {status.order}" for status in Status)


def _words(statuses: frozenset[Status]) -> str:
    return ", ".join(f"'{status.value}'" for status in Status if status in statuses)


class Application(Base):
    """备案证明申请. Its status is moved by `models.acts.filing` alone; `version` counts every change."""

    __tablename__ = "application"
    on_replica = True  # may be read from there (models/database/replica.py)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(14), unique=True, info=by_system(_l("申请单号")))
    applied_on: Mapped[date | None] = mapped_column(info=by_system(_l("申请日期"), (Part.PARTIES, 3, 2)))
    version: Mapped[int] = mapped_column()
    status: Mapped[Status] = mapped_column(WordColumn(Status), default=Status.DRAFT, info={"label": _l("数据状态")})
    applicant_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    applicant_name: Mapped[str] = mapped_column(String(100), info=by_system(_l("申请单位"), (Part.PARTIES, 1, 1)))
    applicant_code: Mapped[str] = mapped_column(
        String(18), info=by_system(_l("统一社会信用代码"), (Part.PARTIES, 1, 2))
    )
    filing: Mapped[Filing | None] = mapped_column(
        WordColumn(Filing), info=by_system(_l("申请类型"), (Part.PARTIES, 3, 1))
    )
    publisher_id: Mapped[int | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="RESTRICT"), info={"label": _l("出版单位"), "required": True}
    )
    publisher_name: Mapped[str | None] = mapped_column(
        String(100), info=by_system(_l("出版单位"), (Part.PARTIES, 2, 1))
    )
    publisher_sort: Mapped[str | None] = mapped_column(SortKey)
    publisher_code: Mapped[str | None] = mapped_column(
        String(18), info={"granted": True, "paper": (Part.PARTIES, 2, 2)}
    )
    province: Mapped[str | None] = mapped_column(String(6), info={"label": _l("省份"), "codes": "province"})
    authority: Mapped[str | None] = mapped_column(String(50), info=by_system(_l("受理机关")))

    title: Mapped[str | None] = mapped_column(
        String(300), info=by_applicant(_l("商品名称"), paper=(Part.WORK, 1, 1), required=True)
    )
    title_key: Mapped[str | None] = mapped_column(String(600))
    title_sort: Mapped[str | None] = mapped_column(SortKey)
    category: Mapped[Category | None] = mapped_column(
        WordColumn(Category), info=by_applicant(_l("出版物类别"), paper=(Part.WORK, 4, 1), required=True)
    )
    catalogue_number: Mapped[str | None] = mapped_column(
        String(100),
        info=by_applicant(_l("版号"), paper=(Part.WORK, 2, 1), required=True, read=clean_code, hint=hints.NUMBER),
    )
    isbn: Mapped[str | None] = mapped_column(
        String(20), info=by_applicant(_l("ISBN"), paper=(Part.WORK, 3, 1), read=normalize_identifier, hint=hints.ISBN)
    )
    isrc: Mapped[str | None] = mapped_column(
        String(40), info=by_applicant(_l("ISRC"), paper=(Part.WORK, 3, 2), read=normalize_identifier, hint=hints.ISRC)
    )
    copyright_owner: Mapped[str | None] = mapped_column(
        String(200), info=by_applicant(_l("著作权人"), paper=(Part.WORK, 4, 2), required=True)
    )
    summary: Mapped[str | None] = mapped_column(
        Text, info=by_applicant(_l("内容简介"), granted=False, required=True, most=2000)
    )
    manufacturer: Mapped[str | None] = mapped_column(
        String(200), info=by_applicant(_l("境外加工企业"), paper=(Part.PLANT, 1, 1), required=True)
    )
    country: Mapped[str | None] = mapped_column(
        String(3), info=by_applicant(_l("国别（地区）"), paper=(Part.PLANT, 2, 1), required=True, codes="country")
    )
    sid_code: Mapped[str | None] = mapped_column(
        String(50), info=by_applicant(_l("SID 码"), paper=(Part.PLANT, 2, 2), read=clean_capitals, hint=hints.SID)
    )
    contract_number: Mapped[str | None] = mapped_column(
        String(100), info=by_applicant(_l("加工合同号"), paper=(Part.PLANT, 3, 1), required=True, read=clean_code)
    )
    port: Mapped[str | None] = mapped_column(
        String(4), info=by_applicant(_l("进口口岸"), paper=(Part.IMPORT, 1, 1), required=True, codes="district")
    )
    consignee: Mapped[str | None] = mapped_column(
        String(200), info=by_applicant(_l("收货单位"), paper=(Part.IMPORT, 2, 1), required=True)
    )
    hs_code: Mapped[str | None] = mapped_column(
        String(10),
        info=by_applicant(
            _l("商品编码"), paper=(Part.IMPORT, 3, 1), required=True, hint=hints.HS_CODE, read=parse_hs_code
        ),
    )
    trade_mode: Mapped[str | None] = mapped_column(
        String(40),
        info=by_applicant(
            _l("监管方式"), paper=(Part.IMPORT, 3, 2), hint=_l("海关监管方式代码或名称"), read=clean_code
        ),
    )
    expected_on: Mapped[date | None] = mapped_column(
        info=by_applicant(
            _l("预计进口日期"),
            paper=(Part.IMPORT, 1, 2),
            required=True,
            earliest=timedelta(days=-365),
            latest=timedelta(days=3653),
        )
    )
    contact: Mapped[str | None] = mapped_column(
        String(50), info=by_applicant(_l("联系人"), granted=False, required=True)
    )
    phone: Mapped[str | None] = mapped_column(
        String(40), info=by_applicant(_l("联系电话"), granted=False, required=True, read=clean_line)
    )

    # The revoked certificate whose place this application is to take. No reference in the database: SQLite could add
    # one only by copying the table, and no certificate is ever deleted.
    replaces_id: Mapped[int | None]
    copied_from: Mapped[int | None] = mapped_column(index=True)  # id of the revoked application; no reference either
    page_key: Mapped[str | None] = mapped_column(String(32))  # of the page that saved it last
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    submitted_at: Mapped[datetime | None] = mapped_column(Moment, info={"label": _l("申报时间")})
    submissions: Mapped[int] = mapped_column(default=0, server_default="0")  # without those that were withdrawn
    opened_at: Mapped[datetime | None] = mapped_column(Moment)  # first opened by the province after the last 申报
    due_on: Mapped[date | None] = mapped_column(info={"label": _l("办结期限")})  # while it is pending; models/deadlines
    # {field: text as typed} of unreadable values, which their columns cannot hold: shown again in the form.
    # Deferred: no list needs it. While there is any, 申报 is refused.
    unread: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    totals: Mapped[dict[str, str] | None] = mapped_column(ComparedJson)  # 进口数量, {unit: sum}; see totals.py
    sheets: Mapped[float | None] = mapped_column(Double)  # the sum in 张, by which lists search
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    # The seal of its newest trail entry: detects removed entries. Deferred: only verification reads it.
    last_seal: Mapped[str | None] = mapped_column(String(64), deferred=True)
    # Id of its newest trail entry that is not internal, by which programs follow along (views/api/changes.py).
    last_change: Mapped[int | None] = mapped_column(BIG)

    # One scope column for each role, computed by the database: row security is an equality, and indexes start with it.
    owner_id: Mapped[int | None] = mapped_column(
        Computed("CASE WHEN deleted_at IS NULL THEN applicant_id END", persisted=True)
    )
    desk: Mapped[str | None] = mapped_column(
        String(6), Computed(f"CASE WHEN status NOT IN ({_words(workflow.PRIVATE)}) THEN province END", persisted=True)
    )
    issued: Mapped[int | None] = mapped_column(
        Computed(f"CASE WHEN status IN ({_words(workflow.ISSUED)}) THEN 1 END", persisted=True)
    )
    # 数据状态 in the order of the work: lists sort and filter by it, so that one index serves both.
    status_order: Mapped[int | None] = mapped_column(Computed(f"CASE status {IN_ORDER} END", persisted=True))

    carriers: Mapped[list["Carrier"]] = relationship(
        back_populates="application",
        order_by="Carrier.position, Carrier.id",
        cascade="save-update, merge, delete-orphan, delete",
        info={"label": _l("载体信息")},
    )
    attachments: Mapped[list["Attachment"]] = relationship(
        back_populates="application", order_by="Attachment.id", info={"label": _l("附件")}
    )
    trail: Mapped[list["TrailEntry"]] = relationship(back_populates="application", order_by="TrailEntry.id")
    certificate: Mapped["Certificate | None"] = relationship(back_populates="application")
    replaces: Mapped["Certificate | None"] = relationship(
        primaryjoin="foreign(Application.replaces_id) == Certificate.id"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        *(Index(None, scope, *columns, "id") for scope in ("owner_id", "desk", "issued") for columns in SORTED_BY),
        *(Index(None, scope, column, "id") for scope in ("desk", "issued") for column in ("publisher_code", "country")),
        Index(None, "issued", "province", "id"),
        Index(None, "issued", "province", "publisher_sort", "id"),  # names of publishers begin with that of a province
        Index(None, "owner_id", "page_key"),  # by the key alone SQLite would read all rows of the owner instead
        Index(None, "desk", "status", "submitted_at"),
        Index(None, "desk", "status", "due_on", "id"),
        Index(None, "desk", "status", "submissions"),
    )

    @validates("title", "publisher_name")
    def _update_search_keys(self, name: str, words: str | None) -> str | None:
        for key, value in keys_of(name, words).items():
            setattr(self, key, value)
        return words

    @property
    def current_attachments(self) -> list["Attachment"]:
        """The files that are neither replaced nor removed."""
        return [file for file in self.attachments if file.removed_at is None]

    def missing(self, required: Collection[AttachmentKind]) -> dict[str, str]:
        """Everything that 申报 lacks: field → sentence, all at once (行政许可法 第三十二条, by analogy).

        `required`: kinds of attachments (models/acts/completeness.py).
        """
        lacking = {name: lack(Application, name, text) for name, text in wrong_cells(self).items()}
        lacking |= days_out_of_range(self)
        if not self.carriers:
            lacking["carriers"] = _("请至少录入一条载体信息。")
        for place, carrier in enumerate(self.carriers):
            for name, text in wrong_cells(carrier).items():
                sentence = _("第 %(place)s 行 %(lack)s", place=place + 1, lack=lack(type(carrier), name, text))
                lacking[f"carriers-{place}-{name}"] = sentence
        present = {file.kind for file in self.current_attachments}
        for kind in AttachmentKind:
            if kind in required and kind not in present:
                lacking[f"file-{kind}"] = _("请上传%(label)s。", label=kind.label)
        return lacking


def keys_of(name: str, words: str | None) -> dict[str, str | None]:
    """The columns that follow from 商品名称 (`title`) or 出版单位 (`publisher_name`), to search and sort by."""
    spelled = sort_key(words) if words else None
    if name == "publisher_name":
        return {"publisher_sort": spelled}
    return {"title_key": search_key(words) if words else None, "title_sort": spelled}
