"""The sentences of 运行状态 about problems that /healthz reports, the lines that they stand in, and the calendar."""

from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import deadlines
from models.language import in_sentences

# Word of /healthz → sentence.
SENTENCES = {
    "database": _l("数据库没有响应。"),
    "keys": _l("有省份缺少签章密钥，该省不能准予备案。请按说明放置密钥。"),
    "missing": _l("最近一次核对发现有附件文件缺失，请从备份中找回。"),
    "store": _l("附件存储不可用（已满、只读或没有挂载），不能上传附件。请检查磁盘空间和挂载。"),
    "deliverer": _l("投递程序没有运行，报文没有发出。请启动 customs deliver --watch。"),
    "overdue": _l("有报文超时没有发出。"),
    "set_aside": _l("有报文多次失败，已搁置，由省级主管部门放行。"),
    "rejected": _l("有作废通知海关没有接收，由省级主管部门重发。"),
    "unanswered": _l("有报文久未回执，由省级主管部门与海关核实。"),
    "receipts": _l("有海关回执多次登记失败，系统会继续重试。请在运行状态查看编号和原因，再按投递进程的日志排除。"),
    "mail": _l("邮件没有按时发出。请检查邮件服务器，并启动 mail send --watch。"),
    "reminders": _l("提醒程序没有运行，临近的期限没有提醒。请启动 mail send --watch。"),
    "reminders_failed": _l("提醒程序有步骤出错，有的消息没有发出。请查看该进程的日志，排除原因。"),
    "checkpoint": _l("办理记录两天没有签署检查点。请启动 trail checkpoint --watch。"),
    "witness": _l("有见证两天没有收到检查点。请查看 trail checkpoint 进程的日志，排除原因。"),
    "cards": _l("发卡机构的证书或吊销列表缺失、过期，用卡不能登录。请更新 FILING_CARD_CA、FILING_CARD_CRL。"),
    "virus": _l("查毒程序没有应答，不能上传附件。请启动 clamd，或核对 FILING_CLAMD。"),
    "held": _l("恢复备份后，提醒、邮件、海关报文和检查点暂停。确认这是正式使用的系统后，请运行 release。"),
    "papers": _l("证明文件没有按时制作。请启动 certificate work --watch。"),
    "papers_set_aside": _l("有证明文件多次制作失败，已搁置。排除原因后运行 certificate render。"),
}


class Subject(NamedTuple):
    """What a line is about, the words of /healthz that make it 须处理, and the endpoint of its screen."""

    about: Any
    words: tuple[str, ...]
    screen: str = ""


CUSTOMS = Subject(
    _l("海关报文"),
    ("held", "deliverer", "overdue", "set_aside", "rejected", "unanswered"),
    "traffic.index_view",
)
RECEIPTS = Subject(_l("海关回执"), ("receipts",))
PAPERS = Subject(_l("证明制作"), ("papers", "papers_set_aside"))
REMINDERS = Subject(_l("提醒和邮件"), ("held", "reminders", "reminders_failed", "mail"))
FILES = Subject(_l("附件存储"), ("store", "missing"))
VIRUSES = Subject(_l("查毒"), ("virus",))
DATABASE = Subject(_l("数据库"), ("database",))
KEYS = Subject(_l("签章密钥"), ("keys",))
CARDS = Subject(_l("用卡登录"), ("cards",))
CHECKPOINTS = Subject(_l("最近检查点"), ("checkpoint", "witness"))
DECIDED_BY_WORDS = (CUSTOMS, RECEIPTS, PAPERS, REMINDERS, FILES, DATABASE, CARDS, CHECKPOINTS)  # and by nothing else


def of_calendar(horizon: deadlines.Horizon) -> tuple[str, str]:
    """(how far the calendar reaches, what to do if the next notice is due or "")."""
    if not horizon.is_near:
        return _("工作日历登记到 %(day)s。", day=horizon.last), ""
    known = _("工作日历只登记到 %(day)s。", day=horizon.last) if horizon.last else _("今年的放假安排还没有登记。")
    if horizon.beyond:
        beyond = _("有 %(count)s 份申请的办结期限在此之后，暂按周一至周五推算。", count=horizon.beyond)
        known = in_sentences((known, beyond))
    return known, _("请在国务院办公厅公布下一年度放假安排后尽快导入。")
