"""Steps of test_many_actors.py about customs, papers, entrustments and accounts; as those of acting.py."""

from typing import Any

from flask import Flask

from models.application.attachments import Stored
from tests.cast import make_papers
from tests.models.matrix import SETTLED
from tests.views.screens.acting import Acting
from tests.views.screens.expected_register import NAMED, UNITS, Case, Entrustment, Person
from tests.views.screens.hands import deliver_receipt, deliver_use, send_messages

MESSAGE_ACTS = ("release", "set_aside", *SETTLED)
REFERENCES = ("220120261000000017", "220120261000000025")  # 海关单号


class ActingEverywhere(Acting):
    """Acting, from a register in which customs has rejected one revocation."""

    def __init__(self, app: Flask, files: dict[str, Stored]) -> None:
        super().__init__(app, files)
        revoked = self.case(1)
        for act, is_accepted in (("grant", True), ("revoke", False)):
            self._perform(NAMED["reviewer2"], revoked, act, False)
            self.send(NAMED["reviewer2"], 0, 0, False)
            self.answer(NAMED["reviewer2"], 0, len(revoked.messages) - 1, is_accepted)

    # Customs
    def send(self, by: Person, place: int, choice: int, flag: bool) -> None:
        send_messages(self.app)
        self.expected.send()
        self.check("done", "done")

    def answer(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """A receipt about any message, also one that was answered before."""
        if sent := self._message(place, choice):
            case, at, row = sent
            deliver_receipt(self.app, row["message_id"], flag)
            self.expected.answer(case, case.messages[at], flag)
            self.check("done", "done", case, by)

    def use(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """核注 or 核销 of a certificate, also of a revoked one; a repeated report changes nothing."""
        if sent := self._message(place, choice):
            case, _at, row = sent
            reference = REFERENCES[choice // 7 % len(REFERENCES)]
            deliver_use(self.app, row["message_id"], flag, reference)
            self.expected.use(case, flag, reference)
            self.check("done", "done", case, by)

    def act_on_message(self, by: Person, place: int, choice: int, flag: bool) -> None:
        if sent := self._message(place, choice):
            case, at, row = sent
            act, message = MESSAGE_ACTS[choice % len(MESSAGE_ACTS)], case.messages[at]
            expected = self.verdict(by, case, self.expected.refuses_on_message(message, act), "R")
            if expected == "done":
                self.expected.act_on_message(by, case, message, act)
            self.check(self.hands.act_on_message(by.name, act, row["id"]), expected, case, by)

    def _message(self, place: int, choice: int) -> tuple[Case, int, dict[str, Any]] | None:
        """A message: its case, its position there, and its row; None: no case has one."""
        cases = [case for case in self.expected.cases if case.messages]
        if not cases:
            return None
        case = cases[place % len(cases)]
        rows = [row for row in self.before.rows["customs_message"] if row["application_id"] == case.key]
        return case, choice % len(rows), rows[choice % len(rows)]

    def make_papers(self, by: Person, place: int, choice: int, flag: bool) -> None:
        make_papers(self.app)
        for case in self.expected.cases:
            case.has_paper |= case.has("grant") and case.status != "revoked"
        self.check("done", "done")

    # Entrustments and accounts
    def invite(self, by: Person, place: int, choice: int, flag: bool) -> None:
        mine = [each for each in self.expected.entrustments if each.publisher == by.name and not each.ended]
        expected = "hidden" if by.name not in UNITS else "refused" if mine else "done"
        expected = "signed out" if by.name in self.expected.disabled else expected
        if expected == "done":
            self.expected.entrustments.append(Entrustment(by.name, pending=True))
        self.check(self.hands.invite(by.name), expected)

    def answer_invitation(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """接受, or 终止 by either side, or 撤销邀请 and 谢绝."""
        place = place % len(self.expected.entrustments)
        each = self.expected.entrustments[place]
        refusal = "end" if not each.pending else "withdraw_offer" if by.name == each.publisher else "decline_offer"
        answer = "accept" if flag else refusal
        is_refused = each.ended or (flag and not (each.pending and by.name == "agent"))
        expected = "hidden" if by.name not in ("agent", each.publisher) else "refused" if is_refused else "done"
        expected = "signed out" if by.name in self.expected.disabled else expected
        if expected == "done":
            each.pending, each.ended = each.pending and not flag, not flag
        outcome = self.hands.answer_invitation(by.name, answer, self.before.rows["entrustment"][place]["id"])
        self.check(outcome, expected)

    def disable_or_enable(self, by: Person, place: int, choice: int, flag: bool) -> None:
        """停用 or 启用 by the operator; whoever is disabled is signed out."""
        if by.letter == "O":
            return
        is_active = by.name in self.expected.disabled
        account = next(row["id"] for row in self.before.rows["account"] if row["username"] == by.name)
        self.hands.browser(by.name)  # signed in: this session ends
        assert self.hands.set_active(account, is_active) == "done"
        self.expected.disabled ^= {by.name}
        if is_active:
            del self.hands.browsers[by.name]
        self.check("done", "done")
