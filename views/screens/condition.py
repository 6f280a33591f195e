"""运行状态: the state of each part of the service, and what the operator has to do."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import current_app, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import access, clock, deadlines, log
from models.application.scanning import count_infected, count_unscanned, count_unscanned_forms, infected_forms
from models.backup import registered_store
from models.checkpoint.witnesses import last_given
from models.codes import names_of
from models.database import version
from models.deadlines import provinces
from models.language import in_clauses, in_sentences, listed
from models.log import Operation
from models.log import chain as log_chain
from models.notifications.key_ends import sentence
from models.people import portal_links
from models.sign_on import Portal, PortalAway
from models.signing.installed_keys import WARNED, ending
from models.vocabulary import Role
from views.entrance.card_login import authorities
from views.entrance.health import problems, scans_uploads
from views.entrance.portal import portal
from views.entrance.relying_party import are_required, relying_party
from views.panel.display import on_screen
from views.panel.page import Page
from views.resources import keys, witnesses
from views.screens.condition_lines import WELL, Level, Line, counts_in_words, line_of, queues
from views.screens.condition_sentences import (
    CARDS,
    CHECKPOINTS,
    DATABASE,
    DECIDED_BY_WORDS,
    FILES,
    KEYS,
    VIRUSES,
    of_calendar,
)
from views.translations.stored import in_readers_language

# Our defaults: after so many days a backup, check or drill is overdue.
BACKUP_AGE, CHECK_AGE, DRILL_AGE = timedelta(days=2), timedelta(days=31), timedelta(days=93)
FOUND_WRONG = {Operation.VERIFIED, Operation.DRILLED}  # entries whose `amount` is the number of faults found


class ConditionScreen(Page):
    """One table, for the operator; no application."""

    roles = frozenset({Role.OPERATOR})

    @expose("/")
    def index(self) -> Any:
        found = lines()
        wrong = sum(line.level is Level.WRONG for line in found)
        return self.render("screens/condition.html", lines=found, wrong=wrong)


def lines() -> list[Line]:
    """Every line, as the system is now."""
    wrong = set(problems())
    with access.everything() as session:
        return [
            *queues(session, wrong),
            *_services(session, wrong),
            *_sign_in(session, wrong),
            *_maintenance(session),
            *_checkpoints(session, wrong),
        ]


def urgent(session: Session, wrong: set[str]) -> list[Line]:
    """Of lines() those that are 须处理, without their state; not the calendar, nor 单一窗口, which is slow to ask."""
    found = (*(line_of(subject, "", wrong) for subject in DECIDED_BY_WORDS), _viruses(session, wrong), _keys(wrong))
    urgent = [line for line in found if line.level is Level.WRONG]
    first = {str(line.to_do): line for line in reversed(urgent)}  # 恢复 holds back two queues: told once
    return [line for line in urgent if first[str(line.to_do)] is line]


def _services(session: Session, wrong: set[str]) -> Iterator[Line]:
    """Store, virus scanner, database, keys, calendar."""
    checked = registered_store.last_check(session)
    state = _("可以读写") if "store" not in wrong else _("不可用")
    if checked:
        state += _("；%(at)s 清点，缺失 %(count)s 个文件", at=on_screen(checked[0]), count=checked[1])
    yield line_of(FILES, state, wrong)
    yield _viruses(session, wrong)
    state = _("可以读写") if "database" not in wrong else _("不能写入")
    yield line_of(DATABASE, _("%(version)s，%(state)s", version=version(), state=state), wrong)
    if access.row_security.can_bypass():
        state = _("以表的所有者或超级用户登录，可以越过行级安全、停用触发器")
        asked = _("建议另建登录名，运行 filing database roles 登录名，然后让网站和各后台进程改用它。")
        yield Line(_l("数据库登录名"), state, asked, Level.WARNING)
    yield _keys(wrong)
    known, ask = of_calendar(deadlines.horizon(session))
    yield Line(_l("工作日历"), known, ask or WELL, Level.WRONG if ask else Level.OK, url_for("calendar.index_view"))


def _viruses(session: Session, wrong: set[str]) -> Line:
    """Whether uploads are scanned; the number of earlier files not scanned yet, and of files with a virus."""
    waiting, blank = count_unscanned(session), count_unscanned_forms(session)
    found, forms = count_infected(session), infected_forms(session)
    state = [_("未查毒的附件 %(count)s", count=waiting)] if waiting else []
    state += [_("未查毒的空白表格 %(count)s", count=blank)] if blank else []
    state += [_("查出病毒的附件 %(count)s", count=found)] if found else []
    state += [_("查出病毒的空白表格 %(count)s", count=len(forms))] if forms else []
    if not scans_uploads():
        asked = [
            _("建议安装 clamd 并设置 FILING_CLAMD；在此之前上传的附件标有“未查毒”。"),
            *_about_found(found, len(forms)),
        ]
        level = Level.WRONG if found or forms else Level.NOTE
        return Line(VIRUSES.about, counts_in_words([_("没有启用"), *state]), in_sentences(asked), level)
    state.insert(0, _("上传时查毒") if "virus" not in wrong else _("没有应答"))
    line = line_of(VIRUSES, counts_in_words(state), wrong)
    if line.level is Level.WRONG or not (waiting or blank or found or forms):
        return line
    to_do = [_("请运行 filing attachments scan，查毒以前接收的附件和空白表格。")] if waiting or blank else []
    to_do += _about_found(found, len(forms))
    return replace(line, to_do=in_sentences(to_do), level=Level.WRONG if found or forms else Level.WARNING)


def _about_found(files: int, forms: int) -> list[str]:
    """What to do about files with a virus, and about blank forms with one."""
    to_do = [_("查出病毒的附件请勿下载打开，filing attachments scan 列出其名称。")] if files else []
    return [*to_do, *([_("请更换或移除查出病毒的空白表格。")] if forms else [])]


def _keys(wrong: set[str]) -> Line:
    """Whether every province has its keys, and which certificates end soon."""
    line = line_of(KEYS, _("齐全") if "keys" not in wrong else _("有缺失"), wrong)
    if not (soon := ending(keys())):
        return line
    state = in_clauses([line.now, *map(sentence, soon)])
    to_do = [_("请向证书签发机构更换，并按运行手册安装。"), *([] if line.to_do is WELL else [line.to_do])]
    due = min(key.warned_at or 0 for key in soon) <= min(WARNED)
    level = Level.WRONG if due or line.level is Level.WRONG else Level.WARNING
    return replace(line, now=state, to_do=in_sentences(to_do), level=level)


def _sign_in(session: Session, wrong: set[str]) -> Iterator[Line]:
    """Methods of sign-in."""
    if are_required(current_app.config):
        yield Line(_l("安全密钥"), _("审核和系统管理账号须用安全密钥登录"))
    else:
        asked = _("对外服务的，请设置 FILING_KEYS_REQUIRED=true。")
        yield Line(_l("安全密钥"), _("没有要求，密码即可登录"), asked, Level.WARNING)
    without = provinces.requiring_keys(session) if relying_party(current_app.config) is None else []
    if without:
        names = listed(names_of("province")[code] for code in without)
        state = _("FILING_BASE_URL 不支持安全密钥，要求审核账号使用的省份目前密码即可登录：%(names)s", names=names)
        yield Line(_l("各省的安全密钥"), state, _("请把 FILING_BASE_URL 设为 https:// 加域名。"), Level.WARNING)
    if authorities():
        state = _("吊销列表有效") if "cards" not in wrong else _("不能使用")
        yield line_of(CARDS, state, wrong)
    if where := portal():
        yield _portal(session, where)


def _portal(session: Session, where: Portal) -> Line:
    """Whether the portal answers now, how old its keys are in this process, and when somebody last came from there."""
    from models.sign_on import discovery

    used = portal_links.last_used(session)
    last = _("最近登录 %(at)s", at=on_screen(used)) if used else _("还没有人从单一窗口登录")
    level, to_do = Level.OK, WELL
    try:
        now = _("可以访问，公钥 %(count)s 个", count=discovery.probe(where))
    except PortalAway:
        level, now = Level.WRONG, _("没有应答")
        to_do = _("请检查网络、FILING_PORTAL_ISSUER 和 FILING_PORTAL_CA；在此期间请用其他方式登录。")
    age = discovery.age_of_keys(where)
    read = _("公钥读于 %(at)s", at=on_screen(clock.now() - age)) if age is not None else _("公钥没有读到")
    return Line(_l("单一窗口登录"), counts_in_words([now, read, last]), to_do, level, url_for("portal.index_view"))


def _maintenance(session: Session) -> Iterator[Line]:
    """Commands that are run from time to time, from the log of operations."""
    lacking = _("请运行 filing backup 目标，并定期备份到另一台机器。")
    yield _last(session, _l("最近备份"), Operation.BACKED_UP, BACKUP_AGE, lacking)
    restored = log.newest(session, Operation.RESTORED)
    state = _described(restored) if restored else _("没有恢复记录")
    yield Line(_l("最近恢复"), state, WELL, Level.NOTE)
    yield _last(session, _l("最近试恢复"), Operation.DRILLED, DRILL_AGE, _("请运行 filing drill 备份所在的文件夹。"))
    asked = _("请运行 filing trail verify，并按所列逐条查明。")
    yield _last(session, _l("最近核对"), Operation.VERIFIED, CHECK_AGE, asked)
    if log_chain.is_late(session):
        asked = _("请启动 filing certificate work --watch；已启动的，请检查数据库中长时间没有结束的事务。")
        yield Line(_l("日志校验值"), _("有日志超过十分钟没有校验值"), asked, Level.WARNING)


def _checkpoints(session: Session, wrong: set[str]) -> Iterator[Line]:
    """The last checkpoint, and when each witness last received one."""
    last = log.newest(session, Operation.CHECKPOINT_SIGNED)
    if last is None and not current_app.config["CHECKPOINTS"]:
        asked = _("请设置 FILING_CHECKPOINTS，并启动 filing trail checkpoint --watch。")
        yield Line(CHECKPOINTS.about, _("没有签署过"), asked, Level.WARNING)
        return
    state = _described(last) if last else _("没有签署过")
    for witness in witnesses():
        given = last_given(session, witness)
        name = witness.partition("#")[0]  # without the public key of one that cosigns
        state += _("；%(witness)s：%(at)s", witness=name, at=on_screen(given) if given else _("没有交存过"))
    yield line_of(CHECKPOINTS, state, wrong)


def _last(session: Session, about: Any, kind: Operation, age: timedelta, lacking: str) -> Line:
    """The last entry of this kind; a warning if there is none, it is older than `age`, or it found faults."""
    entry = log.newest(session, kind)
    if entry is None:
        return Line(about, _("没有记录"), lacking, Level.WARNING)
    late = clock.now() - entry.at > age or (kind in FOUND_WRONG and bool(entry.amount))
    return Line(about, _described(entry), lacking if late else WELL, Level.WARNING if late else Level.OK)


def _described(entry: log.LogEntry) -> str:
    return _("%(at)s，%(words)s", at=on_screen(entry.at), words=in_readers_language(entry.words))
