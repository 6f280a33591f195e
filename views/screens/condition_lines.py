"""The lines of 运行状态: the class, and those of the queues (messages, receipts, papers, reminders, e-mails)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models.certificate import paper_queue
from models.customs import heartbeat, receipt
from models.customs.health import health
from models.language import in_clauses, in_sentences, is_english
from models.notifications import letters
from models.vocabulary import Word
from views.certificate import paper_worker
from views.panel.display import on_screen
from views.resources import pace
from views.screens.condition_sentences import CUSTOMS, PAPERS, RECEIPTS, REMINDERS, SENTENCES, Subject
from views.translations.stored import in_readers_language

WELL = _l("无需处理。")
MOST_RECEIPTS = 5


class Level(Word):
    """How urgent a line is; its value is the colour of its tag."""

    OK = "success", _l("正常")
    WRONG = "danger", _l("须处理")
    WARNING = "warning", _l("须关注")
    NOTE = "light", _l("说明")


@dataclass(frozen=True)
class Line:
    """One line: subject, state, what to do; `address`: of the screen with details."""

    about: Any
    now: str
    to_do: Any = WELL
    level: Level = Level.OK
    address: str = ""


def line_of(subject: Subject, now: str, wrong: set[str]) -> Line:
    """A line that is WRONG if /healthz reports one of its words."""
    found = [str(SENTENCES[word]) for word in subject.words if word in wrong]
    level, address = Level.WRONG if found else Level.OK, url_for(subject.screen) if subject.screen else ""
    return Line(subject.about, now, in_sentences(found) or WELL, level, address)


def with_reason(line: Line, why: str) -> Line:
    """The line with the reason of a failure before what to do; at least a WARNING."""
    to_do = f"{why} {line.to_do if line.to_do is not WELL else ''}".strip()
    return replace(line, to_do=to_do, level=Level.WARNING if line.level is Level.OK else line.level)


def counts_in_words(counts: list[str]) -> str:
    return in_clauses(counts) if is_english() else "，".join(counts)


def queues(session: Session, wrong: set[str]) -> Iterator[Line]:
    """The queues: messages to customs, papers, reminders and e-mails."""
    exchange = health(session, pace())
    state = [_("%(what)s %(count)s", what=delivery.label, count=count) for delivery, count in exchange.counts.items()]
    state += [_("超时未完成 %(count)s", count=exchange.overdue), _("久未回执 %(count)s", count=exchange.unanswered)]
    state.append(_("作废通知未被接收 %(count)s", count=exchange.rejected))
    if exchange.oldest:
        state.append(_("最早入列 %(at)s", at=on_screen(exchange.oldest)))
    yield line_of(CUSTOMS, in_clauses(state), wrong)
    if failing := receipt.failing(session, MOST_RECEIPTS):
        yield line_of(RECEIPTS, in_clauses(map(_failed, failing)), wrong)
    in_all, late, aside = paper_queue.counts(session, paper_worker.pace())
    state = [_("等候制作 %(count)s", count=in_all - aside), _("其中超时 %(count)s", count=late)]
    state.append(_("已搁置 %(count)s", count=aside))
    line = line_of(PAPERS, counts_in_words(state), wrong)
    why = paper_queue.last_failure(session)
    yield with_reason(line, why) if why else line
    yield _messages(session, wrong)


def _failed(row: receipt.CustomsReceipt) -> str:
    """A receipt that cannot be processed: its number, how often it failed, and why."""
    why = in_readers_language(row.failure or "")
    return _("第 %(id)s 号登记失败 %(count)s 次：%(why)s", id=row.id, count=row.failures, why=why)


def _messages(session: Session, wrong: set[str]) -> Line:
    """The worker for reminders and e-mails: its last round, failed steps, length of the queue."""
    last, (waiting, deferred, aside) = heartbeat.last_round(session, heartbeat.REMINDER), letters.counts(session)
    if last is None and wrong.isdisjoint(REMINDERS.words):
        return Line(REMINDERS.about, _("没有运行过"), _("请启动 filing mail send --watch。"), Level.WARNING)
    state = [_("最近一轮 %(at)s", at=on_screen(last[0]))] if last else []
    state += [_("出错的步骤：%(steps)s", steps=last[1])] if last and last[1] else []
    state.append(_("待发邮件 %(count)s", count=waiting))
    state += [_("其中收件邮箱暂不接收 %(count)s", count=deferred)] if deferred else []
    state.append(_("已搁置 %(count)s", count=aside))
    line = line_of(REMINDERS, counts_in_words(state), wrong)
    if newest := letters.last_deferral(session):
        name, answer = newest
        return with_reason(line, _("%(subject)s：%(why)s", subject=name, why=in_readers_language(answer)))
    return line
