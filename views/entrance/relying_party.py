"""WebAuthn relying party, from FILING_BASE_URL (never from request headers), and which accounts must have a key."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app, g
from flask_babel import gettext as _

from models.database import db
from models.deadlines import provinces
from models.people.accounts import Account
from models.people.methods import WITH_KEY
from models.people.security_keys import RelyingParty
from models.vocabulary import Role
from models.workflow import Refused
from views.entrance.addresses import as_compared, is_local, split_setting

ROLES_WITH_KEY = frozenset({Role.REVIEWER, Role.OPERATOR})  # must have a key if are_required()


def relying_party(config: Mapping[str, Any]) -> RelyingParty | None:
    """None where browsers do not offer WebAuthn: BASE_URL is an IP address, or not https (localhost is allowed)."""
    parts = urlsplit(str(config["BASE_URL"]))
    host = as_compared(parts.netloc.rpartition("@")[2])
    is_name = bool(host) and ":" not in host and not host.replace(".", "").isdecimal()
    if not is_name or (parts.scheme != "https" and host != "localhost"):
        return None
    port = parts.port if parts.port != {"https": 443, "http": 80}.get(parts.scheme) else None
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return RelyingParty(host, origin, _("赴境外加工光盘进口备案系统"))


def party() -> RelyingParty:
    """The relying party of the settings. Raises Refused where browsers do not offer WebAuthn."""
    found = relying_party(current_app.config)
    if found is None:
        raise Refused(_("本系统的访问地址不支持安全密钥，请用用户名登录，并告知系统管理员。"))
    return found


def are_required(config: Mapping[str, Any]) -> bool:
    """Whether reviewers and operators must have a key: KEYS_REQUIRED; by default unless BASE_URL is this machine."""
    if config["KEYS_REQUIRED"] is None:
        return not is_local(urlsplit(str(config["BASE_URL"])).hostname or "")
    return bool(config["KEYS_REQUIRED"])


def _other_hosts(config: Mapping[str, Any]) -> list[str]:
    """The host names of TRUSTED_HOSTS that are not this machine's."""
    return [name for name in split_setting(config["TRUSTED_HOSTS"]) if not is_local(as_compared(name))]


def must_have_key(account: Account) -> bool:
    """Whether this account must have a key, or a card: by the settings, or by those of its province (本省设置)."""
    if account.role not in ROLES_WITH_KEY:
        return False
    return are_required(current_app.config) or (account.role is Role.REVIEWER and _province_requires(account.province))


def _province_requires(province: str | None) -> bool:
    """Whether the province requires keys; queried once a request.

    Never where keys cannot be used: its reviewers could not enter 本省设置 to change that. 运行状态 warns of it.
    """
    if relying_party(current_app.config) is None:
        return False
    if g.get("keys_of_province", ("", False))[0] != province:
        g.keys_of_province = (province, provinces.are_keys_required(db.session(), province))
    return bool(g.keys_of_province[1])


def must_enrol(account: Account) -> bool:
    """Whether this account has to enrol a key before anything else: it must have one and has signed in without."""
    has_used_one = account.visit is not None and account.visit.method in WITH_KEY
    return not has_used_one and must_have_key(account)


def check(config: Mapping[str, Any]) -> None:
    """Raises click.ClickException for an invalid KEYS_REQUIRED, and when keys could not be used at BASE_URL.

    That is: no browser would offer WebAuthn there, or it is this machine although TRUSTED_HOSTS has other names.
    """
    if config["KEYS_REQUIRED"] not in (None, True, False):
        raise click.ClickException(_("FILING_KEYS_REQUIRED 应为 true 或 false，请改正后再启动。"))
    if config["KEYS_REQUIRED"] is None and not are_required(config) and _other_hosts(config):
        raise click.ClickException(
            _(
                "FILING_BASE_URL 是本机地址，本系统却以 %(hosts)s 对外服务，审核和系统管理账号的安全密钥会不起作用。"
                "请设置正式的 FILING_BASE_URL；确不要求安全密钥的，请设置 FILING_KEYS_REQUIRED=false 后再启动。",
                hosts="、".join(_other_hosts(config)),
            )
        )
    if are_required(config) and relying_party(config) is None:
        raise click.ClickException(
            _(
                "审核和系统管理账号须用安全密钥登录，FILING_BASE_URL 须为 https:// 加域名；"
                "不要求安全密钥的，请设置 FILING_KEYS_REQUIRED=false 后再启动。"
            )
        )
