"""Many people act on one register, each as they like, and after each step it is what a small model says.

Hypothesis chooses who does what to which application: two publishers of a province and one of another, an agent,
reviewers of both provinces, the nation, an operator who disables accounts and enables them, and customs. A forbidden
act is refused with a sentence, or its row is hidden, and nothing has changed. `ACTORS=500` runs so many examples, at
random.
"""

import os
import random
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from models import access, integrity
from models.application.attachments import Stored
from models.database import db
from tests.apps import PreparedApp, is_on_sqlite
from tests.cast import add_publisher
from tests.views.screens.acting_everywhere import ActingEverywhere
from tests.views.screens.expected_register import PEOPLE
from tests.views.screens.hands import inspected_files
from views.entrance.rate_limits import limiter
from views.resources import store

EXAMPLES = int(os.environ.get("ACTORS", "0"))
STEPS = {
    "proceed": 12, "attempt": 3, "answer": 3, "send": 2, "act_on_message": 2, "edit": 2, "attach": 1, "detach": 1,
    "begin": 1, "look": 2, "autosave": 1, "use": 1, "make_papers": 1, "invite": 1,
    "answer_invitation": 1, "disable_or_enable": 1,
}  # fmt: skip


class ManyActors(RuleBasedStateMachine):
    """A single rule, because hypothesis leaves out rules at random. Subclasses set these three."""

    app: Flask
    renew: Callable[[], None]
    files: dict[str, Stored]
    is_right = False

    @initialize()
    def begin(self) -> None:
        type(self).renew()
        self.acting, self.count = ActingEverywhere(self.app, self.files), 0
        self.is_right = True

    @rule(chosen=st.integers(0, 1 << 32))
    def someone_acts(self, chosen: int) -> None:
        """Hypothesis prefers small and equal numbers; with the count of steps each leads to another choice."""
        self.count, self.is_right = self.count + 1, False
        choose = random.Random(f"{chosen} {self.count}")
        (step,) = choose.choices(list(STEPS), list(STEPS.values()))
        by, place, choice = choose.choice(PEOPLE), choose.randrange(99), choose.randrange(999)
        note(f"{step} {by.name} {place} {choice}")
        getattr(self.acting, step)(by, place, choice, choose.random() < 0.5)
        self.is_right = True

    def teardown(self) -> None:
        """At the end all pages are right, no forbidden act is possible, and the integrity check finds nothing."""
        if not self.is_right:
            return  # the step has failed already
        self.acting.check_everything()
        self.acting.check_refusals()
        with self.app.app_context(), access.everything() as session:
            assert list(integrity.contradictions(session, store())) == []


@pytest.fixture
def renew(app: Flask, request: pytest.FixtureRequest) -> Callable[[], None]:
    """`renew()`: the first state of the register again, with a publisher of another province and a colleague."""
    on_server = "on_row_security" if "ROW_SECURITY" in os.environ else "on_postgresql"
    prepared: PreparedApp = request.getfixturevalue("on_sqlite" if is_on_sqlite(app) else on_server)
    add_colleague = request.getfixturevalue("add_colleague")

    def renewed() -> None:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
            limiter.reset()
        prepared.renew()
        with app.app_context(), access.everything() as session:
            add_publisher(session, "440000", by_agent="agent")
        add_colleague("second", like="reviewer")

    return renewed


@pytest.mark.slow
def test_whatever_people_do_the_register_is_what_the_model_says(app: Flask, renew: Callable[[], None]) -> None:
    app.config["CUSTOMS_PACE"] = {"unanswered": 0}  # a message is 久未回执 as soon as it is sent
    given = {"app": app, "renew": staticmethod(renew), "files": inspected_files(app)}
    machine: type[ManyActors] = type("ManyActorsHere", (ManyActors,), given)
    # In CI the same examples each time, and none is made smaller, which takes minutes.
    chosen = settings(
        max_examples=EXAMPLES or 5, stateful_step_count=60 if EXAMPLES else 40, derandomize=not EXAMPLES, database=None,
        deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=chosen)
