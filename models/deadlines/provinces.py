"""Settings of a province: limits, 撤回, lease of 接办, further attachments, validity, keys; with a trail of changes."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import ForeignKey, Index, String, false, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.clock import Moment
from models.codes import names_of
from models.columns import WordSet, labels_in_order
from models.database import Base
from models.deadlines.counting import Limits
from models.language import in_chinese
from models.people.accounts import Account
from models.vocabulary import OPTIONAL, AttachmentKind
from models.workflow import Refused

DAYS = _l("工作日")
MINUTES = _l("分钟")
MOST_DAYS = 120  # working days of any limit: more is a typing error
LEASE = 30  # minutes
BOUNDS = dict.fromkeys(("accept_days", "decide_days", "extend_days"), (1, MOST_DAYS)) | {"lease_minutes": (5, 480)}
BOUNDS |= {"valid_days": (1, 36_500)}


class ProvinceSettings(Base):
    """One row for each province. Changed limits apply at once to pending applications."""

    __tablename__ = "province_settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    province: Mapped[str] = mapped_column(String(6), unique=True, info={"label": _l("省份"), "codes": "province"})
    accept_days: Mapped[int] = mapped_column(
        default=Limits.accept, server_default=str(Limits.accept), info={"label": _l("受理审查期限"), "hint": DAYS}
    )
    decide_days: Mapped[int] = mapped_column(
        default=Limits.decide, server_default=str(Limits.decide), info={"label": _lp("days", "办结期限"), "hint": DAYS}
    )
    extend_days: Mapped[int] = mapped_column(
        default=Limits.extend, server_default=str(Limits.extend), info={"label": _l("可以延长"), "hint": DAYS}
    )
    withdrawal_allowed: Mapped[bool] = mapped_column(
        default=True, server_default=true(), info={"label": _l("允许撤回申报")}
    )
    lease_minutes: Mapped[int] = mapped_column(
        default=LEASE, server_default=str(LEASE), info={"label": _l("接办保留时间"), "hint": MINUTES}
    )
    valid_days: Mapped[int | None] = mapped_column(
        info={
            "label": _l("有效期（天）"),
            "hint": _l("自签发之日起的天数，适用于此后签发的证明；不填写的，按系统设置；均未设置的，证明不设有效期。"),
        }
    )
    keys_required: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info={
            "label": _l("审核账号必须用安全密钥或卡登录"),
            "hint": _l(
                "不勾选的，按系统设置。勾选后，尚未登记安全密钥的审核账号登录后须先登记，才能继续办理；"
                "已生成的接口密钥和日历订阅地址照常可用。"
            ),
        },
    )
    required_kinds: Mapped[frozenset[AttachmentKind]] = mapped_column(
        WordSet(AttachmentKind),
        default=frozenset(),
        server_default="",
        info={
            "label": _l("另外必须提交的附件"),
            "hint": _l("勾选后，此后向本省申报的申请必须上传；已申报的不受影响，退回后再次申报的须补上。"),
        },
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def limits(self) -> Limits:
        return Limits(self.accept_days, self.decide_days, self.extend_days)


class ProvinceChange(Base):
    """One change of one setting; append-only."""

    __tablename__ = "province_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    province: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(Moment, info={"label": _l("时间")})
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"))
    actor_name: Mapped[str] = mapped_column(String(160), info={"label": _l("办理人")})
    setting: Mapped[str] = mapped_column(String(32), info={"label": _l("设置")})
    before: Mapped[str] = mapped_column(String(200), info={"label": _l("原值")})
    after: Mapped[str] = mapped_column(String(200), info={"label": _l("新值")})

    __table_args__ = (Index(None, "province", "id"),)


SETTINGS = (
    "accept_days", "decide_days", "extend_days", "withdrawal_allowed", "lease_minutes", "valid_days",
    "keys_required", "required_kinds",
)  # fmt: skip


def seed(session: Session) -> None:
    """Insert missing rows. The caller commits."""
    known = set(session.scalars(select(ProvinceSettings.province)))
    session.add_all(ProvinceSettings(province=code) for code in names_of("province") if code not in known)
    session.flush()


def settings_of(session: Session, province: str | None) -> ProvinceSettings | None:
    """The row of this province; None: there is none."""
    return session.scalar(select(ProvinceSettings).where(ProvinceSettings.province == province))


def limits_of(session: Session, province: str | None, lock: bool = False) -> Limits:
    """The limits in force. `lock`: lock them and the calendar against changes until this transaction ends (PostgreSQL:
    FOR SHARE; SQLite has one writer anyway), so that a due date cannot miss a change."""
    query = select(ProvinceSettings).where(ProvinceSettings.province == province)
    if lock:
        query = query.with_for_update(read=True).execution_options(populate_existing=True)
    row = session.scalar(query)
    return row.limits if row else Limits()


def lease_minutes(session: Session, province: str | None) -> int:
    """Minutes of a lease (接办) in this province."""
    row = settings_of(session, province)
    return row.lease_minutes if row else LEASE


def valid_days(session: Session, province: str | None) -> int | None:
    """Days for which certificates of this province hold; None: it has set none."""
    row = settings_of(session, province)
    return row.valid_days if row else None


def are_keys_required(session: Session, province: str | None) -> bool:
    """Whether this province requires security keys of its reviewers."""
    found = select(ProvinceSettings.keys_required).where(ProvinceSettings.province == province)
    return bool(session.scalar(found))


def requiring_keys(session: Session) -> list[str]:
    """The codes of the provinces that require security keys of their reviewers."""
    found = select(ProvinceSettings.province).where(ProvinceSettings.keys_required)
    return list(session.scalars(found.order_by(ProvinceSettings.province)))


def further_kinds(session: Session) -> dict[str, frozenset[AttachmentKind]]:
    """Province → the kinds of attachments that it requires additionally."""
    return dict(session.execute(select(ProvinceSettings.province, ProvinceSettings.required_kinds)).all())


def lock_all(session: Session) -> None:
    """Lock all rows, as every change of the calendar must: a computation of due dates locks one of them (limits_of)."""
    session.scalars(select(ProvinceSettings).order_by(ProvinceSettings.id).with_for_update()).all()


def change(session: Session, settings: ProvinceSettings, values: dict[str, Any], by: Account) -> list[ProvinceChange]:
    """Set these values; returns the trail entries, one for each change. Raises Refused; the caller commits."""
    if by.province != settings.province:
        raise Refused(_("只能修改本省的设置。"))
    for name, (least, most) in BOUNDS.items():
        column = ProvinceSettings.__table__.columns[name]
        if not (least <= values[name] <= most if values[name] is not None else column.nullable):
            label = column.info["label"]
            raise Refused(_("%(label)s须为 %(least)s 至 %(most)s 的整数。", label=label, least=least, most=most))
    if values["accept_days"] > values["decide_days"]:
        raise Refused(_("受理审查期限不能长于办结期限，请核对。"))
    assert values["required_kinds"] <= set(OPTIONAL)
    entries = [
        record_change(session, settings.province, name, _plain(getattr(settings, name)), _plain(values[name]), by)
        for name in SETTINGS
        if getattr(settings, name) != values[name]
    ]
    for name in SETTINGS:
        setattr(settings, name, values[name])
    session.flush()
    return entries


def _plain(value: Any) -> str:
    """A value of a setting as text for the trail."""
    with in_chinese():
        words = labels_in_order(AttachmentKind, value) if isinstance(value, frozenset) else value
        return "" if words is None else str(words)


def record_change(
    session: Session, province: str, setting: str, before: str, after: str, by: Account
) -> ProvinceChange:
    """Add an entry to the trail of this province's settings. The caller commits."""
    entry = ProvinceChange(
        province=province,
        at=clock.now().replace(microsecond=0),
        actor_id=by.id,
        actor_name=by.name,
        setting=setting,
        before=before,
        after=after,
    )
    session.add(entry)
    return entry


def history(session: Session, province: str | None, most: int = 50) -> list[ProvinceChange]:
    """The newest changes of this province's settings, newest first."""
    query = select(ProvinceChange).where(ProvinceChange.province == province)
    return list(session.scalars(query.order_by(ProvinceChange.id.desc()).limit(most)))
