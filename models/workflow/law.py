"""What the law asks of an act's opinion, and what the applicant may do after the act; fields of its record in acts.py.

The laws speak of licences; they apply to this filing by analogy (参照). Time limits of the remedies: 行政复议法 (2023)
第二十条, 行政诉讼法 第四十六条.
"""

from flask_babel import lazy_gettext as _l

RETURN = _l(
    "退回用于材料不齐全或者不符合要求，不是最终决定：请一次写明需要补正的全部内容。补正期间不计入办结期限。"
    "（参照《行政许可法》第三十二条）"
)
DECLINE = _l(
    "不予受理用于不需要备案，或者不属于本机关受理范围的申请，办理到此结束：请写明理由；应由其他机关受理的，写明向哪个机关申请。"
    "材料可以补正的，请退回。（参照《行政许可法》第三十二条）"
)
REFUSE = _l(
    "不予备案是受理后的最终决定：请写明理由和依据。行政复议、行政诉讼的权利和期限，由系统随决定告知申请单位。"
    "（参照《行政许可法》第三十八条）"
)
EXTEND = _l("请写明延期的理由，申请单位将看到理由和新的期限。（参照《行政许可法》第四十二条）")

AFTER_RETURN = _l("申请单位：请按意见补正后再次申报，原申请单号不变；退回不是最终决定，补正期间不计入办结期限。")
AFTER_DECLINE = _l(
    "申请单位：本申请的办理已经结束，不能再次申报。意见写明由其他机关受理的，请向该机关申请；情况有变化的，可以复制新建后另行申请。"
    "不服本决定的，可以自知道本决定之日起 60 日内申请行政复议，或者 6 个月内提起行政诉讼。"
)
AFTER_REFUSE = _l(
    "申请单位：本申请的办理已经结束，不能再次申报。消除意见所列的问题后，可以复制新建后另行申请。"
    "不服本决定的，可以自知道本决定之日起 60 日内申请行政复议，或者 6 个月内提起行政诉讼。"
)
