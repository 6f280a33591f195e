"""The kinds of entries of the system log, one enum for each of the three logs that people read."""

from flask_babel import lazy_gettext as _l

from models.vocabulary import Word


class SignIn(Word):
    """登录日志: sign-ins and sign-outs, and what people change about their own keys, password, e-mail and calendar."""

    SIGNED_IN = "signed_in", _l("登录成功")
    WRONG_PASSWORD = "wrong_password", _l("登录失败：密码不正确")
    UNKNOWN_NAME = "unknown_name", _l("登录失败：没有这个用户名")
    ACCOUNT_DISABLED = "account_disabled", _l("登录失败：账号已停用")
    AWAITS_KEY = "awaits_key", _l("密码正确，等待安全密钥确认")
    KEY_REFUSED = "key_refused", _l("登录失败：安全密钥没有通过核验")
    CARD_REFUSED = "card_refused", _l("登录失败：卡没有通过核验")
    PORTAL_AWAITS_KEY = "portal_awaits_key", _l("已在单一窗口登录，等待安全密钥确认")
    PORTAL_ASKED = "portal_asked", _l("单一窗口用户尚未关联账号")
    PORTAL_REFUSED = "portal_refused", _l("登录失败：单一窗口的应答没有通过核验")
    PORTAL_ENDED = "portal_ended", _l("在单一窗口退出，本系统随之退出")
    WRONG_CODE = "wrong_code", _l("登录失败：恢复码不正确")
    KEY_COUNTER = "key_counter", _l("安全密钥的使用计数倒退，可能被复制")
    SLOWED = "slowed", _l("登录失败：输错较多，等待期内没有验证")
    SIGNED_OUT = "signed_out", _l("退出")
    OTHERS_ENDED = "others_ended", _l("结束本人的其他登录")
    IDLE_ENDED = "idle_ended", _l("长时间没有操作，登录自动结束")
    LIFETIME_ENDED = "lifetime_ended", _l("登录已满最长时间，自动结束")
    KEY_ENROLLED = "key_enrolled", _l("登记安全密钥")
    KEY_REMOVED = "key_removed", _l("移除安全密钥")
    API_KEY_MADE = "api_key_made", _l("生成接口密钥")
    API_KEY_REMOVED = "api_key_removed", _l("撤销接口密钥")
    API_KEY_REFUSED = "api_key_refused", _l("接口密钥没有通过核验")
    PASSWORD_CHANGED = "password_changed", _l("修改密码")
    PASSWORD_REMOVED = "password_removed", _l("首次登录未用一次性密码，该密码失效")
    WRONG_CURRENT = "wrong_current", _l("修改密码失败：当前密码不正确")
    MAIL_CHANGED = "mail_changed", _l("修改邮件提醒")
    MAIL_ASKED = "mail_asked", _l("更换邮箱，等待确认")
    MAIL_CONFIRMED = "mail_confirmed", _l("新邮箱已确认")
    MAIL_UNCONFIRMED = "mail_unconfirmed", _l("邮箱确认失败")
    CALENDAR_RENEWED = "calendar_renewed", _l("生成日历订阅地址")
    CALENDAR_STOPPED = "calendar_stopped", _l("停止日历订阅")


REFUSED = (  # refused sign-ins
    SignIn.WRONG_PASSWORD, SignIn.UNKNOWN_NAME, SignIn.ACCOUNT_DISABLED, SignIn.KEY_REFUSED, SignIn.CARD_REFUSED,
    SignIn.PORTAL_REFUSED, SignIn.API_KEY_REFUSED, SignIn.WRONG_CODE, SignIn.SLOWED,
)  # fmt: skip


class Operation(Word):
    """操作日志: acts of operators, on the screens and at the terminal, 本省设置, and 委托 between units."""

    ACCOUNT_ADDED = "account_added", _l("新增账号")
    ACCOUNT_CHANGED = "account_changed", _l("修改账号")
    PASSWORD_RESET = "password_reset", _l("重置密码")
    OTHERS_KEY_REMOVED = "key_taken", _l("移除他人的安全密钥")
    CARD_BOUND = "card_bound", _l("登记卡证书")
    CARD_REMOVED = "card_removed", _l("移除卡证书")
    PORTAL_LINKED = "portal_linked", _l("关联单一窗口用户")
    PORTAL_DECLINED = "portal_declined", _l("不予关联单一窗口用户")
    PORTAL_UNLINKED = "portal_unlinked", _l("移除单一窗口关联")
    CODE_GIVEN = "code_given", _l("发放恢复码")
    OTHERS_API_KEY_REVOKED = "api_key_taken", _l("撤销他人的接口密钥")
    VISIT_ENDED = "visit_ended", _l("强制下线")
    UNLOCKED = "unlocked", _l("解除登录限制")
    ORGANISATION_ADDED = "organisation_added", _l("新增单位")
    ORGANISATION_CHANGED = "organisation_changed", _l("修改单位")
    ENTRUSTMENT_ADDED = "entrustment_added", _l("新增委托")
    ENTRUSTMENT_CHANGED = "entrustment_changed", _l("修改委托")
    ENTRUSTMENT_OFFERED = "entrustment_offered", _l("邀请受托")
    ENTRUSTMENT_ACCEPTED = "entrustment_accepted", _l("接受委托")
    ENTRUSTMENT_ENDED = "entrustment_ended", _l("终止委托")
    ENTRUSTMENT_DECLINED = "entrustment_declined", _l("谢绝委托邀请")
    ENTRUSTMENT_WITHDRAWN = "entrustment_withdrawn", _l("撤销委托邀请")
    BLANK_FORM_ADDED = "blank_form_added", _l("上传空白表格")
    BLANK_FORM_REPLACED = "blank_form_replaced", _l("更换空白表格")
    BLANK_FORM_REMOVED = "blank_form_removed", _l("移除空白表格")
    DISTRICTS_IMPORTED = "districts_imported", _l("导入关区代码")
    CALENDAR_IMPORTED = "calendar_imported", _l("导入放假安排")
    DAY_ENTERED = "day_entered", _l("登记工作日历")
    DAY_REMOVED = "day_removed", _l("移除工作日历")
    ANNOUNCED = "announced", _l("发布通知公告")
    ANNOUNCEMENT_CHANGED = "announcement_changed", _l("修改通知公告")
    ANNOUNCEMENT_WITHDRAWN = "announcement_withdrawn", _l("撤回通知公告")
    PROVINCE_CHANGED = "province_changed", _l("修改本省设置")
    UPGRADED = "upgraded", _l("升级数据库")
    DEMO_LOADED = "demo_loaded", _l("装入演示数据")
    BACKED_UP = "backed_up", _l("备份")
    BACKUP_FAILED = "backup_failed", _l("备份失败")
    RESTORED = "restored", _l("恢复")
    RESTORE_FAILED = "restore_failed", _l("恢复失败")
    DRILLED = "drilled", _l("试恢复")
    HELD = "held", _l("暂停提醒、邮件和报文")
    RELEASED = "mail_released", _l("放行提醒、邮件和报文")
    VERIFIED = "verified", _l("核对办理记录")
    CHECKPOINT_SIGNED = "checkpoint_signed", _l("签署检查点")
    WITNESSED = "witnessed", _l("交存检查点")
    CHECKPOINT_KEY_MADE = "checkpoint_key_made", _l("生成检查点密钥")
    RECONCILED = "reconciled", _l("与海关对账")
    PAPERS_RENDERED = "papers_rendered", _l("补制证明文件")
    SEARCH_REBUILT = "search_rebuilt", _l("重建检索索引和进口数量合计")
    STATISTICS_REBUILT = "statistics_rebuilt", _l("重新计数（统计）")
    SWEPT = "swept", _l("清理")
    SCANNED = "scanned", _l("附件查毒")
    FILE_SCANNED = "file_scanned", _l("附件查毒结果")  # of one content; 对象: its SHA-256
    ROW_SECURITY_INSTALLED = "wall_built", _l("启用数据库行级安全")
    KEY_INSTALLED = "signing_key_installed", _l("安装签章密钥")


class Handout(Word):
    """打印与导出日志: papers, files and lists that were sent to a browser or program."""

    PAPER = "paper", _l("打开备案证明")
    PAPERS = "papers", _l("打开合并打印件")
    FILE_SHOWN = "file_shown", _l("查看附件")
    FILE_SAVED = "file_saved", _l("下载附件")
    MESSAGE = "message", _l("下载报文")
    EXPORT = "export", _l("导出")
    EXPORT_ENDED = "export_ended", _l("导出完成")  # after the last row: a large file is sent while it is read
    EXPORT_BROKEN = "export_broken", _l("导出中断")
    FEED = "feed", _l("接口读取")
    CALENDAR = "calendar_read", _l("日历订阅读取")
    BLANK_FORM = "blank_form", _l("下载空白表格")


LOGS: dict[str, type[Word]] = {"signins": SignIn, "operations": Operation, "prints": Handout}
WORDS = {word.value: word for words in LOGS.values() for word in words}
LOG_OF = {word.value: log for log, words in LOGS.items() for word in words}
