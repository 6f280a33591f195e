"""API keys: programs read /api/ with the rights of an account. Only the hash of the token is stored."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock, log
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.language import recorded
from models.log import Handout, Place, SignIn
from models.people.accounts import Account
from models.people.signin_failures import hashed, parse_network
from models.text import clean_line, fold_width
from models.vocabulary import Role
from models.workflow import Refused

PREFIX = "filing_"  # so that programs that look for leaked secrets recognise one
TOKEN = re.compile(PREFIX + "[A-Za-z0-9_-]{43}")  # 256 random bits: too many to guess, a plain hash is enough
SHOWN = len(PREFIX) + 4  # characters of the token that are stored, so that its owner can tell keys apart
MOST_KEYS = 10  # of one account
LONGEST_NAME = 40
DEFAULT_DAYS, MOST_DAYS = 90, 365
MOST_NETWORKS = 20
HOLDERS = frozenset(Role) - {Role.OPERATOR}  # roles that see applications
PRECISION = timedelta(minutes=1)  # of `used_at`, which is written at most this often
QUIET = timedelta(hours=1)  # in which the same refusal of the same key is logged once


class ApiKey(Base):
    """One key of an account. Row security: its own account's, and operators see all. Removed ones are deleted."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    beginning: Mapped[str] = mapped_column(String(SHOWN))
    networks: Mapped[str] = mapped_column(String(1000))  # CIDR, a blank between; "": from anywhere
    made_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    used_from: Mapped[str | None] = mapped_column(String(45))

    __table_args__ = {"sqlite_autoincrement": True}  # ids are never reused: an old page must not address a newer key

    @property
    def has_ended(self) -> bool:
        return clock.now() >= self.ends_at

    def allows(self, address: str) -> bool:
        """Whether it may be used from this address."""
        try:
            found = ip_address(address)
        except ValueError:
            return not self.networks
        found = getattr(found, "ipv4_mapped", None) or found
        return not self.networks or any(found in parse_network(network) for network in self.networks.split())


@dataclass(frozen=True)
class Wish:
    """The fields of the form for a new key, as typed."""

    name: str
    days: int | None
    networks: str = ""


def keys_of(session: Session, account_id: int) -> list[ApiKey]:
    """The keys of an account, oldest first."""
    return list(session.scalars(select(ApiKey).where(ApiKey.account_id == account_id).order_by(ApiKey.id)))


def make(session: Session, account: Account, wish: Wish) -> tuple[ApiKey, str]:
    """(a new key, its token, in clear only here). Raises Refused. Flushes; the caller commits."""
    if account.role not in HOLDERS:
        raise Refused(_("接口只提供申请和证明的数据，系统管理账号不能生成接口密钥。"))
    name = clean_line(wish.name) or ""
    if not 0 < len(name) <= LONGEST_NAME:
        raise Refused(_("请填写密钥名称，不超过 %(most)s 个字，例如使用它的程序。", most=LONGEST_NAME), "name")
    if wish.days is None or not 1 <= wish.days <= MOST_DAYS:
        raise Refused(_("有效天数须为 1 至 %(most)s 的整数，请修改后再生成。", most=MOST_DAYS), "days")
    networks = normal_networks(wish.networks)
    if len(keys_of(session, account.id)) >= MOST_KEYS:
        raise Refused(_("每个账号最多有 %(most)s 个接口密钥，请先撤销不用的。", most=MOST_KEYS))
    token, now = PREFIX + secrets.token_urlsafe(32), clock.now()
    key = ApiKey(account_id=account.id, name=name, token_hash=hashed(token), beginning=token[:SHOWN])
    key.networks, key.made_at, key.ends_at = networks, now, now + timedelta(days=wish.days)
    session.add(key)
    session.flush()
    return key, token


def normal_networks(typed: str) -> str:
    """Addresses and networks in their normal form, a blank between. Raises Refused."""
    words = re.split(r"[\s,;、]+", fold_width(typed).strip()) if typed.strip() else []
    try:
        networks = [str(parse_network(word.partition("%")[0], strict=False)) for word in words]
    except ValueError:
        sentence = _("允许的地址须为 IP 地址或网段，例如 10.1.2.3 或 10.1.2.0/24，请修改后再生成。")
        raise Refused(sentence, "networks") from None
    if len(networks) > MOST_NETWORKS:
        raise Refused(_("允许的地址最多填写 %(most)s 个，请改用网段。", most=MOST_NETWORKS), "networks")
    return " ".join(dict.fromkeys(networks))


def remove(session: Session, account_id: int, key_id: int) -> str:
    """Delete a key of the account; returns its name. Raises Refused when it is deleted already. Does not commit."""
    own = (ApiKey.id == key_id) & (ApiKey.account_id == account_id)
    name = session.scalar(delete(ApiKey).where(own).returning(ApiKey.name), **NO_SYNC)
    if name is None:
        raise Refused(_("这个接口密钥已经撤销，请刷新页面核对。"))
    return name


def key_of(session: Session, token: str) -> ApiKey | None:
    """The key of a token, usable or not (see obstacle()); None: unknown. For a session that sees everything."""
    if not TOKEN.fullmatch(token):
        return None
    return session.scalar(select(ApiKey).where(ApiKey.token_hash == hashed(token)))


def obstacle(key: ApiKey, address: str) -> Any:
    """Why the key may not be used from `address` now, as a lazy sentence for the log; None: it may be used."""
    if key.account.role not in HOLDERS or not key.account.is_active or not key.account.is_complete:
        return _l("账号已停用或不能使用接口")
    if key.account.must_change:
        return _l("账号须先修改密码")
    if key.has_ended:
        return _l("密钥已到期")
    return None if key.allows(address) else _l("不允许从这个地址使用")


def note_use(session: Session, key: ApiKey, place: Place) -> bool:
    """Record a use of the key, at most once a minute, and in the log once an hour; returns whether it wrote anything.

    Does not commit.
    """
    now, before = clock.now(), key.used_at
    if before is not None and timedelta() <= now - before < PRECISION and key.used_from == place.address[:45]:
        return False
    values = {"used_at": now, "used_from": place.address[:45]}
    session.execute(update(ApiKey).where(ApiKey.id == key.id).values(values), **NO_SYNC)
    if before is None or _hour(before) != _hour(now):
        log.record(session, Handout.FEED, key.account, place, about=key.name)
    return True


def note_refusal(session: Session, key: ApiKey, place: Place, why: object) -> bool:
    """Log that a key was refused, at most once an hour; returns whether it wrote. Does not commit."""
    words = f"{key.name}：{recorded(why)}"
    if log.has(session, SignIn.API_KEY_REFUSED, key.account.username, "", words, clock.now() - QUIET):
        return False
    log.record(session, SignIn.API_KEY_REFUSED, key.account, place, words=words)
    return True


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(clock.SHANGHAI).replace(minute=0, second=0, microsecond=0)
