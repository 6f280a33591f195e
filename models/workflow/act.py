"""The fields of an act's record: who, when, with which input and words, and what it does (the records: acts.py)."""

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from models.vocabulary import Role, Status


class Holder(Enum):
    """Which reviewer may do an act while a lease on the case is running (接办; models/application/lease.py)."""

    NOBODY_ELSE = auto()  # the holder of the lease; anybody if there is none
    NOBODY = auto()
    OWN = auto()
    ANOTHER = auto()


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """The question before an act, its input, its result, and the look of its button.

    `question` and `result` name the row by %(number)s (an application also by %(authority)s, %(applicant)s and
    %(certificate)s). An act without a question is done at once; without `done`, `result` is a short notice that fades.
    `opinion`: an opinion is required, `remark`: one may be given; `hint` stands in its empty field. `grounds`: grounds
    of the law may be chosen; `reason`: a reason is recorded. `law`: what the law asks of the opinion, beside its field.
    `opens`: the result opens in a new window. `style`: of the button, Bootstrap's word.
    """

    question: Any = ""
    done: Any = ""
    result: Any = ""
    opinion: bool = False
    remark: bool = False
    grounds: bool = False
    reason: bool = False
    opens: bool = False
    hint: Any = ""
    law: Any = ""
    style: str = "light"


@dataclass(frozen=True, kw_only=True)
class Act(Presentation):
    """An act on an application; `to` is None where the status stays.

    `if_rejected`: statuses in which it is allowed too, and which it leaves as they are, but only while customs has
    rejected the last message about the application. `quiet`: it makes no new version, so that an open form can still
    be saved. `any_version`: it may be done from a page that shows an earlier version. `apart`: it has a page of its
    own. `once`: it is done to an application once at most. `many`: the question before it is done to many ticked rows,
    each for itself, with {count} for how many; empty: one row at a time. `holder`: who may do it while a reviewer has
    taken the case; None: anybody. `internal`: hidden from the applicant. `advice`: what the applicant may do after it.
    `effect`: what it does besides moving the status: an Effect, as "module:NAME", since the workflow imports no acts.
    """

    by: Set[Role]
    when: Set[Status]
    to: Status | None = None
    if_rejected: Set[Status] = frozenset()
    quiet: bool = False
    any_version: bool = False
    apart: bool = False
    once: bool = False
    many: Any = ""
    holder: Holder | None = None
    internal: bool = False
    advice: Any = ""
    effect: str = ""

    def leads(self, status: Status) -> Status | None:
        """The status after the act; None when the act does not change it."""
        return status if status in self.if_rejected else self.to
