"""Query forms of applications: also by certificate and quantity; for provinces and nation by acts and their dates."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, select, true

from models import workflow
from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import TrailEntry, decided_in
from models.certificate import Certificate
from models.codes import code_of, label_of, names_of
from models.database import unindexed
from models.statistics.periods import in_period
from models.text import clean_line, normalize_code
from models.vocabulary import Action, Status
from models.workflow import Refused
from views.panel.fields import AmountField, DayField
from views.panel.periods import SinceField, UntilField
from views.panel.query import Condition, OwnQuery, certificate_number, choice, statuses, text


def country(typed: str | None) -> str | None:
    """「DEU-德国」 for a code or a name; other text is returned as typed, and finds nothing."""
    try:
        return label_of("country", code_of("country", typed)) if typed else None
    except Refused:
        return clean_line(typed)


AMOUNTS = frozenset({"amount_since", "amount_until"})
DECIDED = "decided"  # 准予备案, 不予受理 or 不予备案


def acts(*offered: Action) -> Any:
    """办理结果: a select of acts, or any decision. Its id is not `act`, which is that of the form in acts.html."""
    return choice(
        _l("办理结果"), lambda: [(DECIDED, _l("办结")), *((act.value, act.label) for act in offered)], id="asked-act"
    )


def least_amount() -> Any:
    return AmountField(_l("数量（张）"), description=_l("只计单位为“张”的数量，千张、万张不计。"))


class AmountQuery(OwnQuery):
    """Also by 数量: for forms that have the fields `amount_since` and `amount_until`."""

    # Whether amounts may be looked up by their index: not where rows come newest first, because SQLite uses the index
    # and then sorts all that it finds.
    by_amount: ClassVar[bool] = True

    def condition(self, name: str, value: Any) -> Any:
        """Amounts by their index only beside fields that this has, or dates: SQLite would prefer it to a better one."""
        if name not in AMOUNTS:
            return super().condition(name, value)
        alone = {field.name for field in self.filled()} <= {"status", "since", "until", *AMOUNTS}
        sheets = Application.sheets if alone and self.by_amount else unindexed(Application.sheets)
        if name == "amount_since":
            return sheets >= float(value)
        most = sheets <= float(value)
        return most if self["amount_since"].data else and_(sheets > 0, most)  # 0: imports no 张 at all


class PublisherQuery(AmountQuery):
    """For publishers: also by 证明编号 and 数量."""

    certificate = text(_l("证明编号"), _l("完整编号"), certificate_number)
    amount_since, amount_until = least_amount(), AmountField(_l("至"))


class DecidedQuery(AmountQuery):
    """Also by 证明编号 and 签发日期; under 更多条件 by the dimensions of 统计."""

    certificate = text(_l("证明编号"), _l("完整编号"), certificate_number)
    issued_since = SinceField(_l("签发日期"))
    issued_until = UntilField(_l("至"))
    amount_since, amount_until = least_amount(), AmountField(_l("至"))
    act = acts(*workflow.DECISIONS, Action.REVOKE)
    acted_since = SinceField(_l("办理日期"))
    acted_until = UntilField(_l("至"))
    publisher_code = text(_l("出版单位统一社会信用代码"), read=normalize_code)
    kind = choice(_l("载体类型"), lambda: list(names_of("carrier").items()))
    country = text(_l("国别（地区）"), _l("代码或名称"), country)
    seldom: ClassVar[tuple[str, ...]] = ("act", "acted_since", "publisher_code", "kind", "country")
    conditions: ClassVar[dict[str, Condition]] = OwnQuery.conditions | {
        "publisher_code": lambda code: Application.publisher_code == code,
        "kind": lambda kind: Application.carriers.any(Carrier.kind == kind),
        "country": lambda label: Application.country == label.partition("-")[0],
        # Applied together in narrow(): one index range, not two.
        **dict.fromkeys(("issued_since", "issued_until", "act", "acted_since", "acted_until"), lambda _value: true()),
    }

    def narrow(self, query: Any) -> Any:
        query, filled = super().narrow(query), {field.name for field in self.filled()}
        if filled & {"issued_since", "issued_until"}:
            issued = in_period(Certificate.issued_on, self.issued_since.data, self.issued_until.data)
            query = query.filter(Application.id.in_(select(Certificate.application_id).where(*issued)))
        if filled & {"act", "acted_since", "acted_until"}:
            acted = in_period(TrailEntry.at, self.acted_since.data, self.acted_until.data)
            entries = select(TrailEntry.application_id).where(TrailEntry.act.in_(self.wanted_acts()), *acted)
            query = query.filter(Application.id.in_(entries))
        return query

    def wanted_acts(self) -> list[str]:
        """The acts that 办理结果 selects; for 全部 decisions and revocations."""
        if self.act.data and self.act.data != DECIDED:
            return [self.act.data]
        return [act.value for act in (*workflow.DECISIONS, *([] if self.act.data else [Action.REVOKE]))]


class ProvinceQuery(DecidedQuery):
    """For a province: no drafts, and a field for the publisher."""

    status = statuses(set(Status) - workflow.PRIVATE)
    publisher = text(_l("出版单位"))
    decided = DayField(_l("办结日期"))
    conditions: ClassVar[dict[str, Condition]] = DecidedQuery.conditions | {
        "decided": lambda day: Application.id.in_(decided_in(day, day).with_only_columns(TrailEntry.application_id))
    }
    seldom: ClassVar[tuple[str, ...]] = (*DecidedQuery.seldom, "decided")


class NationQuery(DecidedQuery):
    """For the nation: issued certificates, also by province."""

    status = statuses(set(workflow.ISSUED))
    act = acts(Action.GRANT, Action.REVOKE)
    publisher = text(_l("出版单位"))
    province = choice(_l("省份"), lambda: list(names_of("province").items()))
    issued = DayField(_l("签发日期起"))
    conditions: ClassVar[dict[str, Condition]] = DecidedQuery.conditions | {
        "issued": lambda day: Application.id.in_(select(Certificate.application_id).where(Certificate.issued_on >= day))
    }
    seldom: ClassVar[tuple[str, ...]] = (*DecidedQuery.seldom, "issued")
