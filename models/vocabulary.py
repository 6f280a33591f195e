"""Enums of the trade: stored value and label."""

from enum import Enum
from typing import Any, Self, TypeVar

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


class Word(str, Enum):
    """A stored word (ASCII, at most 32 characters) and its label."""

    label: Any

    def __new__(cls, value: str, label: Any = None) -> Self:
        word = str.__new__(cls, value)
        word._value_ = value
        word.label = label
        return word

    def __str__(self) -> str:
        return self.value


class Role(Word):
    """Roles of accounts. An agent has the role of a publisher: only its organisation differs."""

    PUBLISHER = "publisher", _l("出版单位")
    REVIEWER = "reviewer", _l("省级审核")
    NATIONAL = "national", _l("国家查询")
    OPERATOR = "operator", _l("系统管理")


class Status(Word):
    """数据状态 (手册 第二章); `revoked` is not in the manual."""

    DRAFT = "draft", _l("暂存")
    PENDING = "pending", _l("待审核")
    RETURNED = "returned", _lp("status", "退回")
    NOT_ACCEPTED = "not_accepted", _lp("status", "不予受理")
    REFUSED = "refused", _lp("status", "不予备案")
    FILED = "filed", _l("已备案")
    CUSTOMS_RECEIVED = "customs_received", _l("海关接收成功")
    CUSTOMS_FAILED = "customs_failed", _l("海关接收失败")
    REVOKED = "revoked", _l("已作废")

    @property
    def tone(self) -> str:
        """The colour of its tag; the word is always shown beside it."""
        return TONES[self]

    @property
    def order(self) -> int:
        """Position in the order of declaration, the order of the work, by which lists are sorted."""
        return list(Status).index(self)


TONES = {
    Status.DRAFT: "secondary", Status.PENDING: "info", Status.RETURNED: "warning", Status.NOT_ACCEPTED: "danger",
    Status.REFUSED: "danger", Status.FILED: "success", Status.CUSTOMS_RECEIVED: "success",
    Status.CUSTOMS_FAILED: "danger",
    Status.REVOKED: "dark",
}  # fmt: skip


class Action(Word):
    """What a person can do to an application (手册 第一章, 第二章; the reviewer's acts are not in it)."""

    EDIT = "edit", _l("编辑")
    SUBMIT = "submit", _l("申报")
    WITHDRAW = "withdraw", _l("撤回")
    DELETE = "delete", _l("删除")
    PRINT = "print", _l("打印")
    TAKE = "take", _l("接办")
    TAKE_OVER = "take_over", _l("接手")
    PUT_BACK = "put_back", _l("放回")
    RETURN = "return", _l("退回")
    DECLINE = "decline", _l("不予受理")
    REFUSE = "refuse", _l("不予备案")
    EXTEND = "extend", _l("延期")
    GRANT = "grant", _l("准予备案")
    RESEND = "resend", _l("重发")
    REVOKE = "revoke", _l("作废")
    COPY = "copy", _l("重新申请")
    DUPLICATE = "duplicate", _l("复制新建")


class Step(Word):
    """Entries of the trail that are not actions of people."""

    START = "start", _l("新建")
    ATTACH = "attach", _l("上传附件")
    DETACH = "detach", _l("移除附件")
    CUSTOMS_ACCEPTED = "customs_accepted", _l("海关接收成功回执")
    CUSTOMS_REJECTED = "customs_rejected", _l("海关接收失败回执")
    RELEASE = "release", _l("放行报文")
    ASK = "ask", _l("查询回执")
    SET_ASIDE = "set_aside", _l("搁置报文")
    SETTLE_ACCEPTED = "settle_accepted", _l("人工登记接收成功")
    SETTLE_REJECTED = "settle_rejected", _l("人工登记接收失败")
    USE_NOTED = "use_noted", _l("海关核注回执")
    WRITTEN_OFF = "written_off", _l("海关核销回执")


class Reply(Word):
    """Result of a receipt for a message; the first two are final, the last two report a use of the certificate."""

    ACCEPTED = "accepted", _l("接收成功")
    REJECTED = "rejected", _l("接收失败")
    WAITING = "waiting", _l("已转交，等待回执")
    UNKNOWN = "unknown", _l("海关没有收到")
    FAULT = "fault", _l("传输失败")
    NOTED = "noted", _l("已核注")
    USED_UP = "used_up", _l("已核销")


class Delivery(Word):
    """State of delivery of a message to customs."""

    QUEUED = "queued", _l("待发送")
    SENT = "sent", _l("已发送，待回执")
    SET_ASIDE = "set_aside", _l("已搁置")
    ACCEPTED = "accepted", _l("接收成功")
    REJECTED = "rejected", _l("接收失败")

    @property
    def tone(self) -> str:
        """The colour of its tag; the word is always shown beside it."""
        return {"set_aside": "danger", "accepted": "success", "rejected": "danger"}.get(self.value, "info")


class Reason(Word):
    """Reasons of a revocation (our own list: no public text has one)."""

    CONTENT = "content", _l("证明内容有误，须重新申请")
    WITHDRAWN = "withdrawn", _l("申请人申请作废")
    NOT_IMPORTED = "not_imported", _l("加工或进口没有进行")
    DECEIT = "deceit", _l("以欺骗等不正当手段取得")
    UNLAWFUL = "unlawful", _l("出版物含有禁止内容")
    OTHER = "other", _l("其他")


class Difference(Word):
    """Differences between our ledger and customs' about one message."""

    MISSING_THERE = "missing_there", _l("我方已有回执，海关台账中没有，请向海关核实")
    MISSING_HERE = "missing_here", _l("海关台账中有，我方没有发送记录，请向海关核实")
    UNARRIVED = "unarrived", _l("我方已发送，尚无回执，海关台账中没有，请稍后再对账；仍然没有的，请向海关核实")
    DOUBLED = "doubled", _l("海关台账中出现多次，请向海关核实")
    UNNOTED = "unnoted", _l("海关已有结果，我方尚未登记回执，请查看投递是否在运行")
    OTHERWISE = "otherwise", _l("双方记录的接收结果不同，请向海关核实")


class Filing(Word):
    """申请类型."""

    OWN = "own", _l("本单位申请")
    ENTRUSTED = "entrusted", _l("委托申请")


class Category(Word):
    """出版物类别 (联合公告 2016 年第 2 号: 音像制品和电子出版物)."""

    AUDIOVISUAL = "audiovisual", _l("音像制品")
    ELECTRONIC = "electronic", _l("电子出版物")


class DayKind(Word):
    """Kind of a day in the yearly notice of 国务院办公厅."""

    OFF = "off", _l("放假")
    WORKING = "working", _l("上班")


class Trade(Word):
    """Kind of an organisation: a publisher, or a unit that applies for publishers."""

    PUBLISHER = "publisher", _l("出版单位")
    AGENT = "agent", _l("受托单位")


class Part(Word):
    """A part of the form on the certificate."""

    PARTIES = "parties", _l("单位")
    WORK = "work", _l("出版物")
    PLANT = "plant", _l("境外加工")
    IMPORT = "import", _l("进口")


class AttachmentKind(Word):
    """上传附件的种类. Which are required is our default, not a rule of law."""

    APPLICATION_FORM = "application_form", _l("备案申请表")
    LICENCE = "licence", _l("出版许可证")
    SAMPLE = "sample", _l("样品内容材料")
    CONTRACT = "contract", _l("境外加工合同")
    COPYRIGHT = "copyright", _l("著作权授权")
    ENTRUSTMENT = "entrustment", _l("委托书")
    OTHER = "other", _l("其他")

    def required(self, filing: Filing | None) -> bool:
        """Whether the kind is required; 委托书 only when applying for another publisher."""
        return self in ALWAYS_REQUIRED or (self is AttachmentKind.ENTRUSTMENT and filing is Filing.ENTRUSTED)


ALWAYS_REQUIRED = {
    AttachmentKind.APPLICATION_FORM, AttachmentKind.LICENCE, AttachmentKind.SAMPLE, AttachmentKind.CONTRACT,
}  # fmt: skip
OPTIONAL = tuple(kind for kind in AttachmentKind if kind not in {*ALWAYS_REQUIRED, AttachmentKind.ENTRUSTMENT})


class Ground(Word):
    """Prohibited content, a ground for 不予备案 (出版管理条例 第二十五条, ten items)."""

    CONSTITUTION = "1", _l("反对宪法确定的基本原则")
    UNITY = "2", _l("危害国家统一、主权和领土完整")
    SECRETS = "3", _l("泄露国家秘密、危害国家安全")
    ETHNIC = "4", _l("煽动民族仇恨、民族歧视")
    CULT = "5", _l("宣扬邪教、迷信")
    ORDER = "6", _l("扰乱社会秩序")
    OBSCENITY = "7", _l("宣扬淫秽、赌博、暴力")
    DEFAMATION = "8", _l("侮辱或者诽谤他人")
    MORALS = "9", _l("危害社会公德或者民族优秀文化传统")
    OTHER_LAW = "10", _l("法律、行政法规禁止的其他内容")


W = TypeVar("W", bound=Word)


class WordColumn(TypeDecorator[W]):
    """A column that stores a word's value and reads back the word."""

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> W | None:
        return None if value is None else self.words(value)
