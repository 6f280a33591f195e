"""Sentences for a store that cannot be used."""

import errno
import logging

from flask_babel import gettext as _

from models.workflow import Refused

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
log = logging.getLogger(__name__)


class StoreUnusable(Refused):
    """The store is full, read-only, unreachable, or not the registered one; nothing was stored; retry later."""


def unusable(broken: Exception) -> StoreUnusable:
    """The refusal for an error of the file system or bucket; logs the error itself."""
    log.warning("the store cannot be used: %s: %s", type(broken).__name__, broken)
    code = getattr(broken, "errno", None)
    if code in FULL:
        return StoreUnusable(_("存储空间不足，文件没有保存。请系统管理员清理或扩充存储后重试。"))
    if code in READ_ONLY:
        return StoreUnusable(_("存储不可写，文件没有保存。请系统管理员检查存储的权限和挂载方式后重试。"))
    return StoreUnusable(_("存储暂时不可用，文件没有保存。请稍后重试；仍未解决的，请联系系统管理员。"))


def unreadable(broken: Exception) -> StoreUnusable:
    """The refusal when a stored file cannot be read because of the file system or bucket; logs the error itself."""
    log.warning("the store cannot be read: %s: %s", type(broken).__name__, broken)
    return StoreUnusable(_("存储暂时不可用，文件没有读出。请稍后重试；仍未解决的，请联系系统管理员。"))


def store_missing() -> StoreUnusable:
    """The store lacks the identity that is registered in the database."""
    return StoreUnusable(
        _("没有找到本系统登记的存储，可能没有挂载，或 FILING_STORE 有误，文件暂时不能读写。请系统管理员检查后重试。")
    )
