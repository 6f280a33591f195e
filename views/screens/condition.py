"""运行状态: whether the service is well, in words of the business; each line says what there is to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import abort, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.orm import Session

from models import access, clock, deadlines, log
from models.backup import registered_store
from models.certificate import paper_queue
from models.customs import heartbeat
from models.customs.health import health
from models.database import version
from models.log import Operation
from models.notifications import letters
from models.vocabulary import Role
from views.certificate import paper_worker
from views.entrance.health import problems
from views.panel.display import on_screen
from views.resources import pace
from views.screens.desk.operator import SENTENCES, of_calendar

WELL = _l("无需处理。")
# Ours, no rule: after so many days a backup, or a check of the records, is called old.
BACKUP_AGE, CHECK_AGE = timedelta(days=2), timedelta(days=31)


@dataclass(frozen=True)
class Line:
    """What it is about, how it is now, what to do; `tone` of its mark; `address` of the screen that tells more."""

    about: Any
    now: str
    to_do: Any = WELL
    tone: str = "success"
    address: str = ""


class ConditionScreen(BaseView):
    """One table, for the operator; no application."""

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_user.role is Role.OPERATOR

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        abort(403)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu."""
        return [(self.name, f"{self.url}/")]

    @expose("/")
    def index(self) -> Any:
        wrong = set(problems())
        with access.everything() as session:
            lines = [*_work(session, wrong), *_house(session, wrong), *_care(session)]
        return self.render("screens/condition.html", lines=lines, wrong=sum(line.tone == "danger" for line in lines))


def _line(about: Any, now: str, wrong: set[str], words: tuple[str, ...], address: str = "") -> Line:
    """A line that is wrong in so far as /healthz has one of these words."""
    found = [str(SENTENCES[word][0]) for word in words if word in wrong]
    return Line(about, now, "".join(found) or WELL, "danger" if found else "success", address)


def _work(session: Session, wrong: set[str]) -> Iterator[Line]:
    """What is under way: messages to customs, papers."""
    exchange = health(session, pace())
    told = [f"{state.label} {count}" for state, count in exchange.counts.items()]
    told += [_("超时未完成 %(count)s", count=exchange.overdue), _("久未回执 %(count)s", count=exchange.unanswered)]
    told.append(_("作废通知未被接收 %(count)s", count=exchange.rejected))
    if exchange.oldest:
        told.append(_("最早入列 %(at)s", at=on_screen(exchange.oldest)))
    words = ("deliverer", "overdue", "set_aside", "rejected", "unanswered")
    yield _line(_l("海关报文"), "，".join(told), wrong, words, url_for("traffic.index_view"))
    in_all, late, aside = paper_queue.counts(session, paper_worker.pace())
    told = [_("等候制作 %(count)s", count=in_all - aside), _("其中超时 %(count)s", count=late)]
    told.append(_("已搁置 %(count)s", count=aside))
    yield _line(_l("证明制作"), "，".join(told), wrong, ("papers", "papers_set_aside"))
    yield _messages(session, wrong)


def _messages(session: Session, wrong: set[str]) -> Line:
    """Whoever reminds and sends e-mails: when it last looked, what failed, what waits."""
    last, (waiting, aside) = heartbeat.last_round(session, heartbeat.REMINDER), letters.counts(session)
    if last is None:
        return Line(_l("提醒和邮件"), _("没有运行过"), _("请启动 filing mail send --watch。"), "warning")
    told = [_("最近一轮 %(at)s", at=on_screen(last[0]))]
    told += [_("出错的步骤：%(steps)s", steps=last[1])] if last[1] else []
    told += [_("待发邮件 %(count)s", count=waiting), _("已搁置 %(count)s", count=aside)]
    return _line(_l("提醒和邮件"), "，".join(told), wrong, ("reminders", "reminders_failed", "mail"))


def _house(session: Session, wrong: set[str]) -> Iterator[Line]:
    """What the service stands on: store, database, keys, calendar."""
    checked = registered_store.last_check(session)
    told = _("可以读写") if "store" not in wrong else _("不可用")
    if checked:
        told += _("；%(at)s 清点，缺失 %(count)s 个文件", at=on_screen(checked[0]), count=checked[1])
    yield _line(_l("附件存储"), told, wrong, ("store", "missing"))
    told = _("可以读写") if "database" not in wrong else _("不能写入")
    yield _line(_l("数据库"), _("%(version)s，%(told)s", version=version(), told=told), wrong, ("database",))
    told = _("齐全") if "keys" not in wrong else _("有缺失")
    yield _line(_l("签章密钥"), told, wrong, ("keys",))
    known, ask = of_calendar(deadlines.horizon(session))
    yield Line(_l("工作日历"), known, ask or WELL, "danger" if ask else "success", url_for("calendar.index_view"))


def _care(session: Session) -> Iterator[Line]:
    """What is done at the terminal from time to time, as the log of the system has it."""
    lacking = _("请运行 filing backup 目标，并定期备份到另一台机器。")
    yield _last(session, _l("最近备份"), Operation.BACKED_UP, BACKUP_AGE, lacking)
    restored = log.newest(session, Operation.RESTORED)
    told = _told(restored) if restored else _("没有恢复记录")
    yield Line(_l("最近恢复"), told, _l("建议定期在另一台机器上试恢复一次备份。"), "light")
    yield _last(
        session, _l("最近核对"), Operation.VERIFIED, CHECK_AGE, _("请运行 filing trail verify，并按所列逐条查明。")
    )


def _last(session: Session, about: Any, kind: Operation, age: timedelta, lacking: str) -> Line:
    """When it was last done; to be done when that was too long ago, or is unknown, or found something."""
    entry = log.newest(session, kind)
    if entry is None:
        return Line(about, _("没有记录"), lacking, "warning")
    late = clock.now() - entry.at > age or (kind is Operation.VERIFIED and bool(entry.amount))
    return Line(about, _told(entry), lacking if late else WELL, "warning" if late else "success")


def _told(entry: log.LogEntry) -> str:
    return _("%(at)s，%(words)s", at=on_screen(entry.at), words=entry.words)
