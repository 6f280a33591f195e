"""The course of an invented application: its acts and their times."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from models import workflow
from models.application import keys_of
from models.application.totals import columns_of
from models.vocabulary import Action, Role, Status, Step, Word
from tests.bench.invented import Person, Row, Scene, Work, title

PAST = timedelta(days=3 * 365)


HISTORIES: dict[tuple[Word, ...], int] = {
    (): 40,
    (Action.SUBMIT,): 40,
    (Action.SUBMIT, Action.RETURN): 20,
    (Action.SUBMIT, Action.DECLINE): 10,
    (Action.SUBMIT, Action.REFUSE): 8,
    (Action.SUBMIT, Action.REFUSE, Action.DELETE): 2,
    (Action.SUBMIT, Action.GRANT): 60,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED): 700,
    (Action.SUBMIT, Action.RETURN, Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED): 90,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED): 10,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_REJECTED, Action.RESEND, Step.CUSTOMS_ACCEPTED): 10,
    (Action.SUBMIT, Action.GRANT, Step.CUSTOMS_ACCEPTED, Action.REVOKE): 10,
}


WAYS, WEIGHTS = list(HISTORIES), list(accumulate(HISTORIES.values()))
KEYS_OF = cache(keys_of)  # titles and publishers recur, and pinyin is slow
RULES: dict[Any, workflow.Act] = dict([*workflow.ACTS.items(), *workflow.RECEIPTS.items()])


@dataclass
class Case:
    """One application: its row, and what was done to it when, as (act, moment, before, after)."""

    scene: Scene
    work: Work
    steps: list[tuple[Word, datetime, Status | None, Status]]
    row: Row
    id: int = 0

    def moment(self, act: Word) -> datetime | None:
        """When `act` was last performed; None if it was not."""
        return next((moment for done, moment, *_states in reversed(self.steps) if done is act), None)

    def actor(self, act: Word) -> tuple[Person | None, str]:
        """Who performs `act`, and their name in the trail."""
        by = RULES[act].by if act in RULES else {Role.PUBLISHER}
        if Role.PUBLISHER in by:
            return self.scene.filer, f"{self.scene.filer.name}（{self.row['applicant_name']}）"
        return (self.scene.reviewer, self.scene.reviewer.name) if by else (None, "海关")


def begun_at(now: datetime, share: float) -> datetime:
    """The moment at `share` (0 to 1) of the years looked back on."""
    return now - PAST * (1 - share)


def new_case(chance: random.Random, scene: Scene, work: Work, begun: datetime, now: datetime) -> Case:
    moment, status = begun.replace(microsecond=0), Status.DRAFT
    case = Case(scene, work, [(Step.START, moment, None, status)], {})
    for act in (Action.EDIT, *chance.choices(WAYS, cum_weights=WEIGHTS)[0]):
        moment, before = min(moment + timedelta(minutes=chance.randint(20, 9000)), now), status
        status = RULES[act].to or status
        case.steps.append((act, moment, before, status))
    name, submitted = title(chance), case.moment(Action.SUBMIT)
    case.row = scene.row | work.row | {
        "title": name, "status": status, "version": len(case.steps),
        "created_at": begun, "changed_at": moment, "submitted_at": submitted, "deleted_at": case.moment(Action.DELETE),
        "submissions": sum(act is Action.SUBMIT for act, *_rest in case.steps),
        "applied_on": submitted and submitted.date(), "expected_on": begun.date() + timedelta(days=60),
    } | KEYS_OF("title", name) | KEYS_OF("publisher_name", scene.row["publisher_name"])  # fmt: skip
    case.row |= columns_of((carrier["unit"], carrier["quantity"]) for carrier in work.carriers)
    return case
