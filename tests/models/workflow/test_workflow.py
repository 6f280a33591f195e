"""The whole matrix, written by hand from the manual (第二章) and section 1 of the design, independent of ACTS."""

from itertools import product

import pytest

from models.vocabulary import Action, Delivery, Role, Status, Step
from models.workflow import ACTS, MESSAGE_ACTS, RECEIPTS, SETTLEMENTS, USES, Refused, check, message_refusal, refusal
from tests.models.matrix import CELLS, LEADS_TO, LETTERS, MESSAGE_CELLS, SETTLED

IF_REJECTED = {("revoked", "resend"): "R"}  # too, but only while customs has rejected the last message
ENDS = {"not_accepted", "refused", "revoked"}
SHOWN = {
    "draft": "暂存",
    "pending": "待审核",
    "returned": "退回",
    "not_accepted": "不予受理",
    "refused": "不予备案",
    "filed": "已备案",
    "customs_received": "海关接收成功",
    "customs_failed": "海关接收失败",
    "revoked": "已作废",
}


def test_the_table_covers_every_status_action_and_role() -> None:
    assert set(CELLS) == {(status.value, action.value) for status, action in product(Status, Action)}
    assert set(LETTERS) == {role.value for role in Role}
    assert {status.value: str(status.label) for status in Status} == SHOWN


@pytest.mark.parametrize("role", LETTERS)
@pytest.mark.parametrize(("status", "action"), CELLS)
def test_every_act_is_allowed_or_refused_as_the_table_says(status: str, action: str, role: str) -> None:
    """ST2: every act, in every status, by every role, is allowed or refused as the manual says."""
    reason = refusal(Action(action), Status(status), Role(role))
    assert (reason is None) == (LETTERS[role] in CELLS[status, action])


@pytest.mark.parametrize(("status", "action"), CELLS)
def test_a_rejection_by_customs_allows_one_more_act(status: str, action: str) -> None:
    """A revocation that customs did not take is no dead end."""
    may = (CELLS | IF_REJECTED)[status, action]
    for role, letter in LETTERS.items():
        assert (refusal(Action(action), Status(status), Role(role), rejected=True) is None) == (letter in may)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "action"), CELLS)
def test_a_refusal_names_the_status_and_every_status_that_would_allow_it(status: str, action: str) -> None:
    able = {letter for (_, act), cell in CELLS.items() if act == action for letter in cell if letter != "-"}
    for role in (role for role, letter in LETTERS.items() if letter in able):
        reason = refusal(Action(action), Status(status), Role(role))
        if LETTERS[role] in CELLS[status, action]:
            assert reason is None
            continue
        assert reason is not None
        assert f"当前状态为「{SHOWN[status]}」，不能{Action(action).label}" in reason
        allowing = {name for (name, act), cell in CELLS.items() if act == action and LETTERS[role] in cell}
        promised = reason.split("；")[1]
        assert {name for name, shown in SHOWN.items() if f"「{shown}」" in promised} == allowing


@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_to_the_wrong_role_names_the_role_that_may(action: Action) -> None:
    reason = refusal(action, Status.DRAFT, Role.OPERATOR)
    assert reason is not None
    assert str(action.label) in reason
    for role in Role:
        able = any(LETTERS[role] in cell for (_, act), cell in CELLS.items() if act == action)
        assert (f"「{role.label}」" in reason) == able


def test_every_act_without_an_account_is_refused() -> None:
    assert all(refusal(action, status, None) for action, status in product(Action, Status))


def test_check_raises_the_message_of_the_refusal() -> None:
    with pytest.raises(Refused) as refused:
        check(Action.PRINT, Status.CUSTOMS_FAILED, Role.PUBLISHER)
    assert str(refused.value) == refusal(Action.PRINT, Status.CUSTOMS_FAILED, Role.PUBLISHER)
    assert "海关接收失败" in str(refused.value)
    assert "「已备案」「海关接收成功」" in str(refused.value)


def test_printing_is_allowed_in_two_statuses_only() -> None:
    """Design 2.2: printing is allowed by two statuses, not forbidden by six."""
    assert {status for (status, action), cell in CELLS.items() if action == "print" and cell != "-"} == {
        "filed",
        "customs_received",
    }


@pytest.mark.parametrize("status", [status for status in Status if status.value not in ENDS])
def test_every_status_except_the_final_ones_has_an_act_that_leaves_it(status: Status) -> None:
    """ST1: an application without any possible act would be lost."""
    leaving = [act for (name, act), cell in CELLS.items() if name == status and cell != "-" and act in LEADS_TO]
    assert [act for act in leaving if any(check(Action(act), status, role) for role in ACTS[Action(act)].by)]


def test_every_status_can_be_reached_from_a_draft() -> None:
    """ST1: no status is an orphan."""
    steps = [(status, LEADS_TO[act]) for (status, act), cell in CELLS.items() if cell != "-" and act in LEADS_TO]
    steps += [("filed", "customs_received"), ("filed", "customs_failed")]
    reached, size = {"draft"}, 0
    while size != len(reached):
        size = len(reached)
        reached |= {there for here, there in steps if here in reached}
    assert reached == {status.value for status in Status}


def test_customs_replies_change_filed_applications_only_and_belong_to_no_role() -> None:
    assert {step: (rule.when, rule.to, rule.by) for step, rule in RECEIPTS.items()} == {
        Step.CUSTOMS_ACCEPTED: ({Status.FILED}, Status.CUSTOMS_RECEIVED, frozenset()),
        Step.CUSTOMS_REJECTED: ({Status.FILED}, Status.CUSTOMS_FAILED, frozenset()),
    }


def test_a_use_is_recorded_for_every_issued_certificate_and_changes_no_status() -> None:
    issued = {Status.FILED, Status.CUSTOMS_RECEIVED, Status.CUSTOMS_FAILED, Status.REVOKED}
    assert {step: (rule.when, rule.to, rule.by) for step, rule in USES.items()} == {
        step: (issued, None, frozenset()) for step in (Step.USE_NOTED, Step.WRITTEN_OFF)
    }


@pytest.mark.parametrize(("state", "act"), MESSAGE_CELLS)
def test_every_act_on_a_message_is_allowed_or_refused_as_the_table_says(state: str, act: str) -> None:
    """Each act, in each state, by each role, answered lately or not for long."""
    cell = MESSAGE_CELLS[state, act]
    for (role, letter), long in product(LETTERS.items(), (False, True)):
        sentence = message_refusal(Step(act), Delivery(state), long, Role(role))
        assert (sentence is None) == (letter == "R" and (cell == "R" or (cell == "L" and long))), (role, long)
        if sentence is not None and letter == "R":
            assert str(Step(act).label) in sentence
            assert ("久未回执" in sentence) == (cell == "L")
            assert cell != "-" or all(
                (f"「{each.label}」" in sentence.split("；")[1]) == (MESSAGE_CELLS[each.value, act] != "-")
                for each in Delivery
            )


def test_the_table_of_messages_covers_every_state_and_act() -> None:
    assert set(MESSAGE_CELLS) == {(state.value, act.value) for state, act in product(Delivery, MESSAGE_ACTS)}


def test_settling_by_hand_has_the_effect_of_the_receipt() -> None:
    """And needs a reason; the same move, by the province in place of customs."""
    moves = {act.value: (rule.when, rule.to, rule.by, rule.opinion) for act, rule in SETTLEMENTS.items()}
    assert moves == {act: ({before}, after, {"reviewer"}, True) for act, (before, after) in SETTLED.items()}
