"""ACTS: one record for each act: roles, statuses before and after, required input, words, look of its button, effect.

Buttons are shown in the order of ACTS.
"""

from flask_babel import lazy_gettext as _l

from models.vocabulary import Action, Role, Status
from models.workflow import law
from models.workflow.act import Act, Holder
from models.workflow.statuses import AWAITING, EDITABLE, VALID

APPLICANT = frozenset({Role.PUBLISHER})
PROVINCE = frozenset({Role.REVIEWER})

ACTS: dict[Action, Act] = {
    Action.EDIT: Act(by=APPLICANT, when=EDITABLE, apart=True),
    Action.SUBMIT: Act(
        by=APPLICANT,
        when=EDITABLE,
        effect="models.acts.effects:SUBMIT",
        to=Status.PENDING,
        question=_l("确定要申报 %(number)s 吗？申报后在审核结束前不能修改。"),
        done=_l("已申报"),
        result=_l("%(number)s 已送%(authority)s审核，审核期间不能修改；审核结果会显示在查询列表和本申请的页面上。"),
        style="primary",
    ),
    Action.WITHDRAW: Act(
        by=APPLICANT,
        when=AWAITING,
        effect="models.acts.effects:WITHDRAW",
        to=Status.DRAFT,
        question=_l("确定要撤回 %(number)s 吗？撤回后可以修改，再次申报时办结期限重新计算。"),
        done=_l("已撤回"),
        result=_l("%(number)s 已回到暂存，可以修改；修改后请再次申报。"),
    ),
    Action.DELETE: Act(
        by=APPLICANT,
        when={Status.DRAFT, Status.NOT_ACCEPTED, Status.REFUSED},
        effect="models.acts.effects:DELETE",
        question=_l("确定要删除 %(number)s 吗？删除后不再显示在列表中，申请单号不再使用。"),
        done=_l("已删除"),
        result=_l("%(number)s 不再显示在列表中，申请单号不再使用。"),
    ),
    # Not in the manual. None of the three is ever required.
    Action.TAKE: Act(
        by=PROVINCE,
        when=AWAITING,
        effect="models.acts.effects:TAKE",
        quiet=True,
        internal=True,
        holder=Holder.NOBODY,
        result=_l("%(number)s 由您办理，其他审核人员可以查看。"),
    ),
    Action.TAKE_OVER: Act(
        by=PROVINCE,
        when=AWAITING,
        effect="models.acts.effects:TAKE",
        quiet=True,
        internal=True,
        holder=Holder.ANOTHER,
        question=_l("%(number)s 正由他人办理，确定要接手吗？接手后由您办理，对方会收到消息。"),
        result=_l("%(number)s 已由您接手办理，对方已收到消息。"),
    ),
    Action.PUT_BACK: Act(
        by=PROVINCE,
        when=AWAITING,
        effect="models.acts.effects:PUT_BACK",
        quiet=True,
        internal=True,
        holder=Holder.OWN,
        result=_l("%(number)s 已放回，其他审核人员可以接办。"),
    ),
    Action.GRANT: Act(
        by=PROVINCE,
        when=AWAITING,
        effect="models.acts.effects:GRANT",
        holder=Holder.NOBODY_ELSE,
        to=Status.FILED,
        remark=True,
        question=_l("确定要准予 %(number)s 备案并签发证明吗？证明签发后不能更改。"),
        many=_l("确定要准予所选 {count} 份申请备案并签发证明吗？证明签发后不能更改。逐份办理，结果逐份列出。"),
        done=_l("已准予备案"),
        result=_l(
            "%(number)s 的证明 %(certificate)s 已签发，文件正在制作，几秒钟后%(applicant)s即可打印；"
            "证明正在发往海关，回执会显示在本页。"
        ),
        style="primary",
    ),
    Action.RETURN: Act(
        by=PROVINCE,
        when=AWAITING,
        holder=Holder.NOBODY_ELSE,
        to=Status.RETURNED,
        opinion=True,
        law=law.RETURN,
        advice=law.AFTER_RETURN,
        question=_l("确定要退回 %(number)s 吗？申请单位修改后可以重新申报。"),
        many=_l("确定要以同一意见退回所选 {count} 份申请吗？逐份办理，结果逐份列出。"),
        done=_l("已退回"),
        result=_l("%(number)s 已退回%(applicant)s，对方可以看到意见，修改后会重新申报。"),
    ),
    Action.DECLINE: Act(
        by=PROVINCE,
        when=AWAITING,
        holder=Holder.NOBODY_ELSE,
        to=Status.NOT_ACCEPTED,
        opinion=True,
        law=law.DECLINE,
        advice=law.AFTER_DECLINE,
        question=_l("确定要对 %(number)s 不予受理吗？办理后不能撤回。"),
        done=_l("已不予受理"),
        result=_l("%(number)s 的办理已结束，%(applicant)s可以看到意见，需要时会另行申请。"),
    ),
    Action.REFUSE: Act(
        by=PROVINCE,
        when=AWAITING,
        holder=Holder.NOBODY_ELSE,
        to=Status.REFUSED,
        opinion=True,
        law=law.REFUSE,
        advice=law.AFTER_REFUSE,
        grounds=True,
        question=_l("确定要对 %(number)s 不予备案吗？办理后不能撤回。"),
        done=_l("已不予备案"),
        result=_l("%(number)s 的办理已结束，%(applicant)s可以看到意见，需要时会另行申请。"),
    ),
    # 行政许可法 第四十二条, by analogy: once, and the applicant is notified of the reason.
    Action.EXTEND: Act(
        by=PROVINCE,
        when=AWAITING,
        effect="models.acts.effects:EXTEND",
        holder=Holder.NOBODY_ELSE,
        opinion=True,
        law=law.EXTEND,
        once=True,
        question=_l("确定要延长 %(number)s 的办结期限吗？每份申请只能延期一次，请写明理由。"),
        done=_l("已延期"),
        result=_l("%(number)s 的办结期限已经延长，%(applicant)s可以看到新的期限和理由。"),
    ),
    # The manual lists six statuses without printing; here the two with it are listed, so that a new status has none.
    Action.PRINT: Act(
        by={Role.PUBLISHER, Role.REVIEWER, Role.NATIONAL},
        when={Status.FILED, Status.CUSTOMS_RECEIVED},
        effect="models.acts.effects:PRINT",
        quiet=True,
        any_version=True,  # a paper never changes
        opens=True,
        style="primary",
    ),
    # Resends what customs rejected: the certificate, or its revocation.
    Action.RESEND: Act(
        by=PROVINCE,
        when={Status.CUSTOMS_FAILED},
        to=Status.FILED,
        if_rejected={Status.REVOKED},
        question=_l("确定要向海关重发 %(number)s 吗？"),
        done=_l("已重发"),
        result=_l("%(number)s 正在重新发往海关，回执会显示在办理过程和数据交换中。"),
    ),
    Action.REVOKE: Act(
        by=PROVINCE,
        when=VALID,
        effect="models.acts.effects:REVOKE",
        to=Status.REVOKED,
        opinion=True,
        reason=True,
        question=_l("确定要作废 %(number)s 的证明吗？作废后不能恢复，海关会收到通知。"),
        done=_l("已作废"),
        result=_l("证明 %(certificate)s 已作废，作废通知正在发往海关；%(applicant)s可以看到原因，并可以重新申请。"),
        style="danger",
    ),
    Action.COPY: Act(
        by=APPLICANT,
        when={Status.REVOKED},
        quiet=True,
        apart=True,
        question=_l("确定要按 %(number)s 重新申请吗？填写的内容和附件会复制到新的申请，申报前可以修改。"),
    ),
    # Allowed for every application of the applicant's own, which it does not change.
    Action.DUPLICATE: Act(
        by=APPLICANT,
        when=frozenset(Status),
        quiet=True,
        apart=True,
        question=_l("确定要按 %(number)s 复制新建一份申请吗？填写的内容和载体信息会复制，附件需要重新上传。"),
    ),
}
