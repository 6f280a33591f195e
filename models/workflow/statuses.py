"""Groups of statuses, and their progress. No other module lists statuses."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from models.vocabulary import Status

EDITABLE = frozenset({Status.DRAFT, Status.RETURNED})
ISSUED = frozenset({Status.FILED, Status.CUSTOMS_RECEIVED, Status.CUSTOMS_FAILED, Status.REVOKED})
VALID = ISSUED - {Status.REVOKED}
AWAITING = frozenset({Status.PENDING})
PRIVATE = frozenset({Status.DRAFT})
UNDECIDED = EDITABLE | AWAITING
SENT_BACK = EDITABLE - PRIVATE

STAGES = (_l("填写"), _l("申报"), _l("审核"), _l("备案"), _l("海关接收"))

# 办理进度: how far each status has come on STAGES, and how that stage stands.
PROGRESS: dict[Status, tuple[int, str]] = {
    Status.DRAFT: (0, "process"),
    Status.PENDING: (2, "process"),
    Status.RETURNED: (0, "error"),
    Status.NOT_ACCEPTED: (2, "error"),
    Status.REFUSED: (2, "error"),
    Status.FILED: (4, "process"),
    Status.CUSTOMS_RECEIVED: (4, "finish"),
    Status.CUSTOMS_FAILED: (4, "error"),
    Status.REVOKED: (3, "error"),
}


def progress(status: Status, passed: Iterable[Status] = ()) -> list[tuple[Any, str]]:
    """办理进度 as (stage, "finish" | "process" | "error" | "wait"), in order.

    `passed`: the statuses it has had; a stage that one of them finished stays finished, also after 作废.
    """
    at, how = PROGRESS[status]
    reached = {stage for stage, state in (PROGRESS[each] for each in passed) if state == "finish"}
    hows = ["finish" if i < at or (i > at and i in reached) else how if i == at else "wait" for i in range(len(STAGES))]
    return list(zip(STAGES, hows, strict=True))


def stopped(status: Status) -> bool:
    """Whether the application has stopped and somebody has to act."""
    return PROGRESS[status][1] == "error"
