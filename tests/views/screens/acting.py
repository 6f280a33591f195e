"""Steps of test_many_actors.py: a person does one thing to an application, and the register is compared with its model.

Each step takes (by, place, choice, flag): who acts, on which application, with which of the choices, and yes or no.
"""

from flask import Flask

from models.application.attachments import Stored
from models.vocabulary import Action
from tests.models.matrix import CELLS
from tests.views.screens.expected_register import NAMED, PEOPLE, UNITS, Case, Person, Register
from tests.views.screens.hands import KINDS, Hands, begin_draft
from tests.views.screens.observed_register import compare, compare_sight, observe, states_of_messages

MOST_CASES = 8
ACTS = tuple(act.value for act in Action if act is not Action.EDIT)
# Acts as often as they are chosen: those that lead no further are rarer.
OFTEN = [act for act in ACTS for _each in range(1 if act in ("delete", "duplicate", "withdraw") else 3)]
EDITABLE = ("draft", "returned")
COPIES = ("copy", "duplicate")  # on the screen of the applicant alone
FIRST = (("publisher", "publisher"), ("agent", "publisher440000"), ("publisher440000", "publisher440000"))


class Acting:
    """One register, its model, and the people who act on it. `files`: kind → a file in the store."""

    def __init__(self, app: Flask, files: dict[str, Stored]) -> None:
        self.app, self.files = app, files
        self.expected, self.hands, self.steps = Register(), Hands(app), 0
        for by, publisher in FIRST:
            self._begin(by, publisher, KINDS)
        self.before = observe(app)
        for place in range(2):
            self._perform(NAMED[FIRST[place][0]], self.case(place), "submit", False)

    # What every step ends with
    def check(self, outcome: str, expected: str, case: Case | None = None, by: Person | None = None) -> None:
        """The outcome is the expected one, and the register is the model's; unless "done", no row has changed."""
        self.steps += 1
        after = observe(self.app)
        ended = {"signed out", "refused"}  # refused: the CSRF token has ended with the session
        assert outcome in (ended if expected == "signed out" else {expected})
        assert expected == "done" or after.rows == self.before.rows
        compare(self.expected, after, states_of_messages(self.app))
        compare_sight(self.app, self.expected)
        self.before = after
        if by is not None and self._can_look(by):
            self.check_list(by)
            if case is not None:
                self.check_page(by, case)

    def _can_look(self, by: Person) -> bool:
        return by.letter != "O" and by.name not in self.expected.disabled

    def check_list(self, by: Person) -> None:
        visible = [each.key for each in self.expected.cases if self.expected.sees(by, each)]
        listed = {self.before.application(key)["number"] for key in visible}
        assert self.hands.listed(by.name, by.letter) == listed

    def check_page(self, by: Person, case: Case) -> None:
        """This person's page of the case, which the province thereby opens."""
        seen = "done" if self.expected.sees(by, case) else "hidden"
        assert self.hands.look(by.name, by.screen, case.key) == seen
        if by.letter == "R":
            self.expected.look(by, case)
            self.before = observe(self.app)

    def check_everything(self) -> None:
        """Everybody's list, and everybody's page of each application."""
        for person in filter(self._can_look, PEOPLE):
            self.check_list(person)
            for case in self.expected.cases:
                self.check_page(person, case)

    def check_refusals(self) -> None:
        """Every act that the model refuses is attempted by everybody who sees the case, and nothing has changed."""
        register = self.expected
        pairs = [(person, case) for person in PEOPLE for case in register.cases if register.sees(person, case)]
        for person, case in pairs:
            version = self.before.application(case.key)["version"]
            for act in [act for act in ACTS if register.refuses(person, case, act)]:
                outcome = self.hands.act(person.name, person.screen, act, case.key, version)[0]
                waits = act == "print" and not case.has_paper  # for the paper: a page that says so
                is_hidden = outcome == "hidden" and act in COPIES and person.letter != "P"
                assert outcome == "refused" or waits or is_hidden, f"{case.status}: {act} by {person.name}"
        assert observe(self.app).rows == self.before.rows

    def case(self, place: int) -> Case:
        return self.expected.cases[place % len(self.expected.cases)]

    def verdict(self, by: Person, case: Case, is_refused: bool, letter: str = "") -> str:
        """The expected outcome of a request about a case; `letter`: of the role whose screen it is sent to."""
        if by.name in self.expected.disabled:
            return "signed out"
        if letter not in ("", by.letter) or not self.expected.sees(by, case):
            return "hidden"
        return "refused" if is_refused else "done"

    # Applicants
    def begin(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """A draft, complete or without 备案申请表."""
        publishers = [name for name in UNITS if self.expected.entrusts(name, by.name)]
        if publishers and by.name not in self.expected.disabled and len(self.expected.cases) < MOST_CASES:
            self._begin(by.name, publishers[place % len(publishers)], KINDS[flag:])
            self.check("done", "done", self.expected.cases[-1], by)

    def _begin(self, by: str, publisher: str, kinds: tuple[str, ...]) -> None:
        title = f"唱片 {len(self.expected.cases)}"
        key = begin_draft(self.app, by, publisher, title, {kind: self.files[kind] for kind in kinds})
        entries = [(act, by) for act in ("start", "edit", *["attach"] * len(kinds))]
        self.expected.cases.append(Case(key, by, publisher, list(kinds), entries))

    def edit(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """保存 of the form, also of an old page."""
        case, is_stale = self.case(place), choice % 3 == 0
        version = self.before.application(case.key)["version"] - 1 if is_stale else None
        expected = self.verdict(by, case, is_stale or case.status not in EDITABLE, "P")
        if expected == "done":
            case.entries.append(("edit", by.name))
            case.is_typed = False
        self.check(self.hands.edit(by.name, case.key, version, f"改 {self.steps}"), expected, case, by)

    def autosave(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """Text is stored beside the application until it is saved; 申报 is refused meanwhile."""
        case, is_stale = self.case(place), choice % 3 == 0
        version = self.before.application(case.key)["version"] - 1 if is_stale else None
        expected = self.verdict(by, case, is_stale or case.status not in EDITABLE, "P")
        case.is_typed |= expected == "done"
        self.check(self.hands.autosave(by.name, case.key, version, f"输入 {self.steps}"), expected, case, by)

    def attach(self, by: Person, place: int, choice: int, flag: bool) -> None:
        case, kind = self.case(place), KINDS[choice % len(KINDS)]
        expected = self.verdict(by, case, case.status not in EDITABLE, "P")
        if expected == "done":
            case.entries.append(("attach", by.name))
            case.files.append(kind)
        self.check(self.hands.attach(by.name, case.key, kind), expected, case)

    def detach(self, by: Person, place: int, choice: int, flag: bool) -> None:
        case = self.case(place)
        if files := self.before.files(case.key):
            expected = self.verdict(by, case, case.status not in EDITABLE, "P")
            if expected == "done":
                case.entries.append(("detach", by.name))
                case.files.pop(choice % len(files))
            self.check(self.hands.detach(by.name, case.key, files[choice % len(files)]), expected, case)

    # Acts by their buttons
    def attempt(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """Anybody attempts anything, also from an old page."""
        self._perform(by, self.case(place), ACTS[choice % len(ACTS)], flag)

    def proceed(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """Somebody does what the matrix allows; half of the time only what nothing else prevents either."""
        case = self.case(place)
        offered = {each: self._offered(each, case, flag) for each in PEOPLE if self.expected.sees(each, case)}
        if people := [each for each in offered if offered[each]]:
            person = people[choice % len(people)]
            self._perform(person, case, offered[person][choice // 7 % len(offered[person])], False)

    def _offered(self, by: Person, case: Case, flag: bool) -> list[str]:
        acts = [act for act in OFTEN if by.letter in CELLS[case.status, act]]
        acts += ["resend"] * 3 if self.expected.may_repeat(by, case) else []
        return [act for act in acts if not (flag and self.expected.refuses(by, case, act))]

    def _perform(self, by: Person, case: Case, act: str, is_stale: bool) -> None:
        copies = act in COPIES
        if copies and (len(self.expected.cases) >= MOST_CASES or by.letter != "P"):
            return
        expected = self.verdict(by, case, self.expected.refuses(by, case, act, is_stale))
        version = self.before.application(case.key)["version"] - is_stale
        outcome, answer = self.hands.act(by.name, by.screen, act, case.key, version)
        if act == "print" and expected == "refused" and not case.has_paper:
            outcome = "refused" if outcome == "done" else outcome  # a page that waits for the paper
        if expected == "done":
            self.expected.perform(by, case, act)
            if copies:
                self.expected.add_copy(by, case, act, int(answer.location.rpartition("=")[2]))
        self.check(outcome, expected, case, by)

    def look(self, by: Person, place: int, choice: int, flag: bool) -> None:
        if self._can_look(by):
            self.check_page(by, self.case(place))
