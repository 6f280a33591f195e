"""One record an act: the question before it, the result after it, and the look of its button."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.application import Application
from models.vocabulary import Action, Step, Word

Link = tuple[Any, str]  # (label, address)


@dataclass(frozen=True)
class Words:
    """`ask` and `result` are filled with facts_of() an application; without an `ask` the act needs no question."""

    ask: Any = ""
    done: Any = ""
    result: Any = ""
    style: str = "light"  # of the button: Bootstrap's word


WORDS: dict[Word, Words] = {
    Action.EDIT: Words(),
    Action.SUBMIT: Words(
        ask=_l("确定要申报 %(number)s 吗？申报后在审核结束前不能修改。"),
        done=_l("已申报"),
        result=_l("%(number)s 已送%(authority)s审核，审核期间不能修改；审核结果会显示在查询列表和本申请的页面上。"),
        style="primary",
    ),
    Action.DELETE: Words(
        ask=_l("确定要删除 %(number)s 吗？删除后不再显示在列表中，申请单号不再使用。"),
        done=_l("已删除"),
        result=_l("%(number)s 不再显示在列表中，申请单号不再使用。"),
    ),
    Action.PRINT: Words(style="primary"),
    Action.RETURN: Words(
        ask=_l("确定要退回 %(number)s 吗？申请单位修改后可以重新申报。"),
        done=_l("已退回"),
        result=_l("%(number)s 已退回%(applicant)s，对方可以看到意见，修改后会重新申报。"),
    ),
    Action.DECLINE: Words(
        ask=_l("确定要对 %(number)s 不予受理吗？办理后不能撤回。"),
        done=_l("已不予受理"),
        result=_l("%(number)s 的办理已结束，%(applicant)s可以看到意见，需要时会另行申请。"),
    ),
    Action.REFUSE: Words(
        ask=_l("确定要对 %(number)s 不予备案吗？办理后不能撤回。"),
        done=_l("已不予备案"),
        result=_l("%(number)s 的办理已结束，%(applicant)s可以看到意见，需要时会另行申请。"),
    ),
    Action.GRANT: Words(
        ask=_l("确定要准予 %(number)s 备案并签发证明吗？证明签发后不能更改。"),
        done=_l("已准予备案"),
        result=_l(
            "%(number)s 的证明 %(certificate)s 已签发，文件正在制作，几秒钟后%(applicant)s即可打印；"
            "证明正在发往海关，回执会显示在本页。"
        ),
        style="primary",
    ),
    Action.RESEND: Words(
        ask=_l("确定要向海关重发 %(number)s 吗？"),
        done=_l("已重发"),
        result=_l("%(number)s 正在重新发往海关，回执会显示在办理过程和数据交换中。"),
    ),
    Action.REVOKE: Words(
        ask=_l("确定要作废 %(number)s 的证明吗？作废后不能恢复，海关会收到通知。"),
        done=_l("已作废"),
        result=_l("证明 %(certificate)s 已作废，作废通知正在发往海关；%(applicant)s可以看到原因，并可以重新申请。"),
        style="danger",
    ),
    Action.COPY: Words(
        ask=_l("确定要按 %(number)s 重新申请吗？填写的内容和附件会复制到新的申请，申报前可以修改。"),
    ),
    Step.RELEASE: Words(
        ask=_l("确定要放行报文 %(number)s 吗？"),
        done=_l("已放行"),
        result=_l("报文 %(number)s 会自动重新发往海关，回执会显示在本页。"),
    ),
    Step.ASK: Words(
        ask=_l("确定要向海关查询报文 %(number)s 的回执吗？"),
        done=_l("已安排查询"),
        result=_l("即将向海关查询报文 %(number)s，结果会显示在报文页面。"),
    ),
    Step.SET_ASIDE: Words(
        ask=_l("确定要搁置报文 %(number)s 吗？搁置后不再自动查询，需要时可以放行；海关的回执到达后仍会登记。"),
        done=_l("已搁置"),
        result=_l("报文 %(number)s 不再自动查询；需要继续时请点击「放行报文」。"),
    ),
    Step.SETTLE_ACCEPTED: Words(
        ask=_l("确定海关已经接收报文 %(number)s，并人工登记为接收成功吗？请写明向海关核实的经过。登记后不能撤回。"),
        done=_l("已人工登记"),
        result=_l("报文 %(number)s 已登记为接收成功，办理过程中记有您的意见。"),
    ),
    Step.SETTLE_REJECTED: Words(
        ask=_l("确定海关没有接收报文 %(number)s，并人工登记为接收失败吗？请写明向海关核实的经过。登记后不能撤回。"),
        done=_l("已人工登记"),
        result=_l("报文 %(number)s 已登记为接收失败，办理过程中记有您的意见；排除原因后可以重发。"),
        style="danger",
    ),
}


def facts_of(row: Application) -> dict[str, str]:
    """What the sentences of an act name, read before the act: 删除 hides the row."""
    return {"number": row.number, "authority": row.authority or "", "applicant": row.applicant_name, "certificate": ""}


def question(action: Action, row: Application) -> str:
    """What the dialog asks before an act; "" for none."""
    return str(WORDS[action].ask) % facts_of(row)


def result(action: Word, facts: dict[str, str], links: Iterable[Link], shown_on: str) -> dict[str, Any]:
    """What result.html shows after an act; a link to the page it is shown on is left out."""
    ways = [(str(label), address) for label, address in links if page(address) != page(shown_on)]
    return {"title": str(WORDS[action].done), "words": str(WORDS[action].result) % facts, "links": ways}


def page(address: str) -> tuple[str, Any]:
    """What tells one page of ours from another: the path, and the row's number."""
    parts = urlsplit(address)
    return parts.path, parse_qs(parts.query).get("id")


def saved(marks: int, at: Any) -> str:
    """After 保存 of a draft at `at`, in which `marks` cells have to be corrected."""
    when = at.strftime("%H:%M")
    if marks:
        return _("已于 %(when)s 保存；有 %(marks)s 处还需改正，见红字。", when=when, marks=marks)
    return _("已于 %(when)s 保存。", when=when)
