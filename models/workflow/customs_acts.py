"""One record for each act on a message to customs, and the effects of customs' receipts on an application."""

from collections.abc import Set
from dataclasses import dataclass, replace

from flask_babel import lazy_gettext as _l

from models.vocabulary import Delivery, Role, Status, Step
from models.workflow.act import Act, Presentation
from models.workflow.acts import PROVINCE
from models.workflow.statuses import ISSUED


@dataclass(frozen=True, kw_only=True)
class MessageAct(Presentation):
    """An act on a message to customs; `unanswered`: only when customs has been silent for long (久未回执)."""

    by: Set[Role]
    when: Set[Delivery]
    unanswered: bool = False
    quiet: bool = False


# Effects of receipts (海关接收成功 / 海关接收失败): not acts of a person, so without button and role.
RECEIPTS: dict[Step, Act] = {
    Step.CUSTOMS_ACCEPTED: Act(by=frozenset(), when={Status.FILED}, to=Status.CUSTOMS_RECEIVED),
    Step.CUSTOMS_REJECTED: Act(by=frozenset(), when={Status.FILED}, to=Status.CUSTOMS_FAILED),
}

# Uses of a certificate that customs reports, in every status of an issued application, which stays.
USES: dict[Step, Act] = {step: Act(by=frozenset(), when=ISSUED) for step in (Step.USE_NOTED, Step.WRITTEN_OFF)}

# Answers recorded by hand have the effect of the receipt; they require an opinion.
SETTLEMENTS: dict[Step, Act] = {
    Step.SETTLE_ACCEPTED: replace(RECEIPTS[Step.CUSTOMS_ACCEPTED], by=PROVINCE, opinion=True),
    Step.SETTLE_REJECTED: replace(RECEIPTS[Step.CUSTOMS_REJECTED], by=PROVINCE, opinion=True),
}

# An act on a message that leaves the status of its application as it is.
ON_MESSAGE = Act(by=PROVINCE, when=ISSUED)

HINT = _l("请写明向海关核实的时间、经过和结果，申请单位将看到全文。")

MESSAGE_ACTS: dict[Step, MessageAct] = {
    Step.RELEASE: MessageAct(
        by=PROVINCE,
        when={Delivery.SET_ASIDE},
        quiet=True,
        question=_l("确定要放行报文 %(number)s 吗？"),
        done=_l("已放行"),
        result=_l("报文 %(number)s 会自动重新发往海关，回执会显示在本页。"),
    ),
    Step.ASK: MessageAct(
        by=PROVINCE,
        when={Delivery.SENT},
        quiet=True,
        question=_l("确定要向海关查询报文 %(number)s 的回执吗？"),
        done=_l("已安排查询"),
        result=_l("即将向海关查询报文 %(number)s，结果会显示在报文页面。"),
    ),
    Step.SET_ASIDE: MessageAct(
        by=PROVINCE,
        when={Delivery.SENT},
        unanswered=True,
        quiet=True,
        question=_l("确定要搁置报文 %(number)s 吗？搁置后不再自动查询，需要时可以放行；海关的回执到达后仍会登记。"),
        done=_l("已搁置"),
        result=_l("报文 %(number)s 不再自动查询；需要继续时请点击「放行报文」。"),
    ),
    Step.SETTLE_ACCEPTED: MessageAct(
        by=PROVINCE,
        when={Delivery.SENT, Delivery.SET_ASIDE},
        unanswered=True,
        opinion=True,
        hint=HINT,
        question=_l(
            "确定海关已经接收报文 %(number)s，并人工登记为接收成功吗？请写明向海关核实的经过。登记后不能撤回。"
        ),
        done=_l("已人工登记"),
        result=_l("报文 %(number)s 已登记为接收成功，办理过程中记有您的意见。"),
    ),
    Step.SETTLE_REJECTED: MessageAct(
        by=PROVINCE,
        when={Delivery.SENT, Delivery.SET_ASIDE},
        unanswered=True,
        opinion=True,
        hint=HINT,
        question=_l(
            "确定海关没有接收报文 %(number)s，并人工登记为接收失败吗？请写明向海关核实的经过。登记后不能撤回。"
        ),
        done=_l("已人工登记"),
        result=_l("报文 %(number)s 已登记为接收失败，办理过程中记有您的意见；排除原因后可以重发。"),
        style="danger",
    ),
}
